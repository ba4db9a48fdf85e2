package pcapfile

import (
	"encoding/binary"
	"runtime"
	"slices"
	"time"

	"sockscope/capture"
)

// Option codes that only the Encoder needs.
const (
	optHardware         = 2  // shb_hardware
	optSystem           = 3  // shb_os
	optApplication      = 4  // shb_userappl
	optFilter           = 11 // if_filter
	optStartTime        = 2  // isb_starttime
	optEndTime          = 3  // isb_endtime
	optReceived         = 4  // isb_ifrecv
	optDelivered        = 8  // isb_usrdeliv
	filterText     byte = 0  // if_filter begins with its kind: the text of libpcap
)

// section appends a section header block.
func (e *Encoder) section(b []byte) []byte {
	b, at := openBlock(b, blockSection)
	b = words(b, byteOrderMagic, 1, ^uint32(0), ^uint32(0)) // version 1.0, of unknown length
	b = stringOption(b, optHardware, runtime.GOARCH)
	b = stringOption(b, optSystem, e.cfg.System)
	b = stringOption(b, optApplication, e.cfg.Application)
	return closeBlock(endOptions(b), at)
}

// describe appends the description of an interface of the source, unless it is in the file.
//
// Interfaces of files are described in their order, so that they have the same numbers
// here. Of live ones only those that have frames are: a capture from several begins with
// a pseudo interface that has none, only drops; its link type would keep libpcap, which
// wants all interfaces of a file to have the same, from reading the file.
func (e *Encoder) describe(b []byte, number uint32) []byte {
	if int(number) >= len(e.stats.Interfaces) {
		e.ask()
	}
	if int(number) < len(e.numbers) && e.numbers[number] != undescribed {
		return b
	}
	live := int(number) < len(e.stats.Interfaces) && e.live(&e.stats.Interfaces[number])
	for i := min(uint32(len(e.numbers)), number); i <= number; i++ {
		id := undescribed
		if i == number || !live {
			var source capture.Interface
			if int(i) < len(e.stats.Interfaces) {
				source = e.stats.Interfaces[i]
			}
			if live && i == 0 && len(e.outs) > 0 {
				source.Link = e.outs[0].Link
			}
			b, id = e.description(b, &source, i)
		}
		if int(i) < len(e.numbers) {
			e.numbers[i] = id
		} else {
			e.numbers = append(e.numbers, id)
		}
	}
	return b
}

// description appends an interface description block.
func (e *Encoder) description(b []byte, source *capture.Interface, number uint32) ([]byte, uint32) {
	resol, scale := resolutionOf(source.Resolution)
	if e.cfg.Resolution != 0 {
		resol, scale = resolutionOf(e.cfg.Resolution)
	}
	b, at := openBlock(b, blockInterface)
	b = words(b, uint32(source.Link), source.SnapLength)
	b = stringOption(b, optName, source.Name)
	b = stringOption(b, optDescription, source.Description)
	b = append(optionHeader(b, optTSResol, 1), resol, 0, 0, 0)
	if e.cfg.Filter != "" {
		b = stringOption(b, optFilter, string(rune(filterText))+e.cfg.Filter)
	}
	b = closeBlock(endOptions(b), at)
	e.outs = append(e.outs, out{Interface: *source, number: number, scale: scale, first: capture.Unknown})
	return b, uint32(len(e.outs) - 1)
}

// resolutionOf is if_tsresol for times of that resolution, and the nanoseconds in a unit;
// those of a nanosecond for what is no power of ten.
func resolutionOf(d time.Duration) (resol uint8, scale uint64) {
	for resol := range uint8(10) {
		if scale := pow10(9 - resol); uint64(d) == scale {
			return resol, scale
		}
	}
	return 9, 1
}

// packet appends an enhanced packet block, and what must be known before it.
func (e *Encoder) packet(b []byte, f *capture.Frame, lost uint64) []byte {
	if int(f.Interface) >= len(e.numbers) || e.numbers[f.Interface] == undescribed {
		b = e.describe(b, f.Interface)
	}
	id := e.numbers[f.Interface]
	if e.outs[id].Link != f.Link {
		b, id = e.other(b, f)
	}
	d := &e.outs[id]
	d.packets++
	d.lost += lost
	var units uint64
	if f.Time >= 0 {
		if units = uint64(f.Time); d.scale != 1 {
			units /= d.scale
		}
		if !d.first.Known() {
			d.first = f.Time
		}
		e.last = max(e.last, f.Time)
	} else {
		e.untimed++
	}

	var flags uint32
	switch f.Direction {
	case capture.Inbound:
		flags = flagsInbound
	case capture.Outbound:
		flags = flagsOutbound
	}
	if f.Unsummed {
		flags |= flagsUnsummed
	}
	var owner []byte
	if f.Owner != 0 {
		owner = e.owner(f.Owner)
	}

	const before, dropCount, end = 28, 12, 4
	n := len(f.Data)
	padded := (n + 3) &^ 3
	size := before + padded + 4
	options := len(owner)
	if flags != 0 {
		options += 8
	}
	if lost != 0 {
		options += dropCount
	}
	if options > 0 {
		options += end
	}
	size += options
	at := len(b)
	b = slices.Grow(b, size)[:at+size]
	p := b[at:]
	binary.LittleEndian.PutUint32(p, blockEnhancedPacket)
	binary.LittleEndian.PutUint32(p[4:], uint32(size))
	binary.LittleEndian.PutUint32(p[8:], id)
	binary.LittleEndian.PutUint32(p[12:], uint32(units>>32))
	binary.LittleEndian.PutUint32(p[16:], uint32(units))
	binary.LittleEndian.PutUint32(p[20:], uint32(n))
	binary.LittleEndian.PutUint32(p[24:], f.Length)
	copy(p[before:], f.Data)
	clear(p[before+n : before+padded])
	o := p[before+padded:][:0]
	if flags != 0 {
		o = binary.LittleEndian.AppendUint32(optionHeader(o, optFlags, 4), flags)
	}
	if lost != 0 {
		o = binary.LittleEndian.AppendUint64(optionHeader(o, optDropCount, 8), lost)
	}
	if options > 0 {
		endOptions(append(o, owner...))
	}
	binary.LittleEndian.PutUint32(p[size-4:], uint32(size))
	return b
}

// other is the number in the file of f's interface for frames of f's link type, which is
// not the interface's own; its description is appended when it is not there.
func (e *Encoder) other(b []byte, f *capture.Frame) ([]byte, uint32) {
	key := interfaceLink{f.Interface, f.Link}
	if id, ok := e.others[key]; ok {
		return b, id
	}
	source := e.outs[e.numbers[f.Interface]].Interface
	source.Link = f.Link
	b, id := e.description(b, &source, f.Interface)
	if e.others == nil {
		e.others = make(map[interfaceLink]uint32)
	}
	e.others[key] = id
	return b, id
}

// owner is the options that tell of an owner. The process id is that of the process at
// this host's end, for inbound packets, too: so a program that shows one finds all packets
// of a process.
func (e *Encoder) owner(number uint32) []byte {
	i := int(number - 1)
	if i >= len(e.stats.Owners) {
		e.ask()
	}
	if i >= len(e.stats.Owners) {
		return nil
	}
	for len(e.owners) < len(e.stats.Owners) {
		e.owners = append(e.owners, nil)
	}
	if e.owners[i] == nil {
		e.owners[i] = ownerOptions(e.stats.Owners[i])
	}
	return e.owners[i]
}

// ownerOptions are the options of a packet of o: not nil.
func ownerOptions(o capture.Owner) []byte {
	b := []byte{}
	if !o.Known() {
		return b
	}
	b = stringOption(b, optComment, processComment(o))
	b = stringOption(b, optComment, detailComment(o))
	if o.PID > 0 {
		b = words(optionHeader(b, optProcess, 8), uint32(o.PID), 0) // the thread is not known
	}
	return b
}

// statistics appends the interface statistics block of an interface, when there is
// anything to say: of a capture, and where frames were lost.
func (e *Encoder) statistics(b []byte, id uint32) []byte {
	d := &e.outs[id]
	drops := d.lost
	live := false
	if int(d.number) < len(e.stats.Interfaces) && e.numbers[d.number] == id {
		i := &e.stats.Interfaces[d.number]
		drops += i.Drops - e.told[d.number]
		live = e.live(i)
	}
	if !live && drops == 0 {
		return b
	}
	b, at := openBlock(b, blockStatistics)
	b = words(b, id)
	b = d.time(b, e.last)
	if d.first.Known() {
		b = d.time(optionHeader(b, optStartTime, 8), d.first)
		b = d.time(optionHeader(b, optEndTime, 8), e.last)
	}
	for _, count := range []struct {
		code uint16
		n    uint64
	}{{optReceived, d.packets + drops}, {optInterfaceDrops, drops}, {optDelivered, d.packets}} {
		b = binary.LittleEndian.AppendUint64(optionHeader(b, count.code, 8), count.n)
	}
	return closeBlock(endOptions(b), at)
}

// time appends t in the interface's unit, the upper half first.
func (d *out) time(b []byte, t capture.Timestamp) []byte {
	units := uint64(max(t, 0)) / d.scale
	return words(b, uint32(units>>32), uint32(units))
}

// openBlock begins a block, of which closeBlock fills in the length.
func openBlock(b []byte, kind uint32) ([]byte, int) { return words(b, kind, 0), len(b) }

func closeBlock(b []byte, at int) []byte {
	length := uint32(len(b) - at + 4)
	binary.LittleEndian.PutUint32(b[at+4:], length)
	return words(b, length)
}

// optionHeader begins an option; its value must fill words.
func optionHeader(b []byte, code uint16, length int) []byte {
	return words(b, uint32(code)|uint32(length)<<16)
}

// stringOption appends an option with a text, unless it is empty.
func stringOption(b []byte, code uint16, text string) []byte {
	const most = 1<<16 - 4
	if text == "" {
		return b
	}
	text = text[:min(len(text), most)]
	b = append(optionHeader(b, code, len(text)), text...)
	for len(text)%4 != 0 {
		b, text = append(b, 0), text+" "
	}
	return b
}

func endOptions(b []byte) []byte { return words(b, optEnd) }
