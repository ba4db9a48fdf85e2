package pcapfile

import (
	"encoding/binary"

	"sockscope/capture"
)

const (
	maxOwners     = 65_536   // that are told apart
	maxOwnersText = 16 << 20 // bytes of what is said about them
)

// owners are the owners that packets of a Reader's inputs name, each once.
type owners struct {
	list  []capture.Owner
	index map[string]uint32 // by ownerText.key: Frame.Owner
	text  int               // bytes of the keys
	key   []byte            // of the last packet
}

// number is what o is as a Frame.Owner; 0 when there are too many.
func (s *owners) number(o *ownerText, in *input) uint32 {
	s.key = o.key(s.key[:0])
	if n, ok := s.index[string(s.key)]; ok {
		return n
	}
	if len(s.list) >= maxOwners || s.text+len(s.key) > maxOwnersText {
		in.count("owner-limit")
		return 0
	}
	if s.index == nil {
		s.index = make(map[string]uint32)
	}
	s.list = append(s.list, o.owner())
	s.text += len(s.key)
	n := uint32(len(s.list))
	s.index[string(s.key)] = n
	return n
}

// The bits of epb_flags that are read (draft-ietf-opsawg-pcapng §4.3.1).
const (
	flagsDirection = 1<<0 | 1<<1
	flagsInbound   = 1
	flagsOutbound  = 2
	flagsUnsummed  = 1 << 9 // checksum not ready: left to hardware
)

var flagDirections = [flagsDirection + 1]capture.Direction{flagsInbound: capture.Inbound, flagsOutbound: capture.Outbound}

// setFlags sets what epb_flags say of f.
func (w *pcapng) setFlags(f *capture.Frame, flags uint32) {
	if flags&(flagsDirection|flagsUnsummed) == 0 {
		return
	}
	w.in.reader.marks = true
	f.Direction = flagDirections[flags&flagsDirection]
	f.Unsummed = flags&flagsUnsummed != 0
}

// packetOptions reads the options of the packet f of interface d.
func (w *pcapng) packetOptions(d *described, b []byte, cut bool, f *capture.Frame) {
	var owner ownerText
	var pid uint32
	w.options(b, cut, func(code uint16, value []byte) {
		switch {
		case code == optComment:
			owner.comment(value)
		case code == optFlags && len(value) >= 4:
			w.setFlags(f, w.u32(value))
		case code == optDropCount && len(value) >= 8:
			w.lost(d, w.u64(value))
		case code == optProcess && len(value) >= 8:
			pid = w.u32(value)
		}
	})
	if owner.pid == 0 {
		owner.pid = pid
	}
	if owner.known() {
		w.in.reader.marks = true
		f.Owner = w.in.reader.owners.number(&owner, w.in)
	}
}

// plainOptions are the flags of a packet block, when all its options are whole and none
// of them needs more than a look.
func (w *pcapng) plainOptions(b []byte) (flags uint32, plain bool) {
	for len(b) >= optHeader {
		word := binary.LittleEndian.Uint32(b)
		code, length := uint16(word), int(word>>16)
		if w.swap {
			code, length = w.u16(b), int(w.u16(b[2:]))
		}
		if code == optEnd {
			return flags, true
		}
		next := optHeader + (length+3)&^3
		if next > len(b) {
			return 0, false
		}
		switch code {
		case optFlags:
			if length >= 4 {
				flags = w.u32(b[optHeader:])
			}
		case optComment, optDropCount, optProcess:
			return 0, false
		}
		b = b[next:]
	}
	return flags, true
}
