package main

import (
	"net/netip"

	"sockscope/capture"
	"sockscope/decode"
)

// An attributor knows which process of this host holds the socket of a connection.
type attributor interface {
	// Owner is who holds the socket at this host's end of a connection of which packets
	// were seen from first to last.
	Owner(protocol uint8, local, remote netip.AddrPort, first, last capture.Timestamp) capture.Owner

	// Appeared says that there is a connection between a and b, before anybody asks.
	Appeared(protocol uint8, a, b netip.AddrPort)
}

const (
	protoUDP         = 17
	maxConversations = 65_536    // whose owners are remembered
	maxNumbered      = 65_536    // owners
	maxOwnerText     = 16 << 20  // bytes of their names and arguments
	datagramSilence  = 120 * 1e9 // nanoseconds after which it is asked for anew whose a port is
)

// An attributed source is a live one whose frames have owners: who receives an inbound
// frame, who sent any other.
type attributed struct {
	capture.Source
	who    attributor
	filter *frameFilter // nil: all pass; nobody asks for the owners of other frames

	packet  decode.Packet
	known   map[conversation]*asked
	owners  []capture.Owner
	numbers map[ownerValue]uint32 // 1 + index into owners
	text    int                   // bytes that these have
	left    uint64                // frames whose owner was one too many
}

// A conversation is a connection as this host sees it.
type conversation struct {
	protocol      uint8
	local, remote netip.AddrPort
}

// asked is what is known about a conversation's owner.
type asked struct {
	owner       uint32
	known       capture.Owner // which that is the number of
	first, last capture.Timestamp
	packets     uint64 // while the owner is not known
}

// ownerValue tells owners apart by what they are, not by where they lie.
type ownerValue struct {
	process capture.Process
	basis   capture.Basis
}

// attribute gives the frames of src that pass the filter owners. Without an attributor it
// changes nothing.
func attribute(src capture.Source, who attributor, filter *frameFilter) capture.Source {
	if who == nil {
		return src
	}
	return &attributed{Source: src, who: who, filter: filter, known: make(map[conversation]*asked), numbers: make(map[ownerValue]uint32)}
}

// Next implements capture.Source.
func (a *attributed) Next(b *capture.Block) error {
	if err := a.Source.Next(b); err != nil {
		return err
	}
	for i := range b.Frames {
		f := &b.Frames[i]
		f.Owner = 0
		if a.filter == nil || a.filter.match(f) {
			f.Owner = a.owner(f)
		}
	}
	return nil
}

// Stats implements capture.Source.
func (a *attributed) Stats() capture.Stats {
	s := a.Source.Stats()
	s.Owners = a.owners[:len(a.owners):len(a.owners)] // which only grows
	return s
}

// owner is the number of f's owner.
func (a *attributed) owner(f *capture.Frame) uint32 {
	p := &a.packet
	p.Decode(f.Data, f.Length, f.Link)
	if p.Class != decode.TCP && p.Class != decode.UDP {
		return 0
	}
	c := conversation{p.Protocol, netip.AddrPortFrom(p.Src.Netip(p.Version), p.SrcPort), netip.AddrPortFrom(p.Dst.Netip(p.Version), p.DstPort)}
	if f.Direction == capture.Inbound {
		c.local, c.remote = c.remote, c.local
	}
	e := a.known[c]
	if e == nil || a.another(e, f) {
		if len(a.known) >= maxConversations {
			clear(a.known) // they are found again
		}
		e = &asked{first: f.Time}
		a.known[c] = e
		a.who.Appeared(c.protocol, c.local, c.remote)
	}
	e.last = f.Time
	n := a.ask(&c, e, f)
	if n == 0 && e.known.Known() {
		a.left++
	}
	return n
}

// ask is the number of the owner of f, which is of the conversation c, that is e.
func (a *attributed) ask(c *conversation, e *asked, f *capture.Frame) uint32 {
	if c.protocol == protoUDP { // whose ports one process may use after another
		return a.numberOf(e, a.who.Owner(c.protocol, c.local, c.remote, f.Time, f.Time))
	}
	if e.known.Known() {
		return e.owner
	}
	// A socket that nobody holds will hardly be held later: ask less and less often.
	if e.packets++; e.packets&(e.packets-1) == 0 {
		a.numberOf(e, a.who.Owner(c.protocol, c.local, c.remote, e.first, f.Time))
	}
	return e.owner
}

// numberOf is the number of the owner of e's conversation, mostly the one it had before.
func (a *attributed) numberOf(e *asked, o capture.Owner) uint32 {
	if o != e.known {
		e.known, e.owner = o, a.number(o)
	}
	return e.owner
}

// another reports whether the packet that was decoded, of f, begins another conversation
// than e with the same ends.
func (a *attributed) another(e *asked, f *capture.Frame) bool {
	if a.packet.Class == decode.TCP {
		return a.packet.Flags&(decode.SYN|decode.ACK|decode.RST) == decode.SYN
	}
	silence, ok := f.Time.Sub(e.last)
	return ok && silence > datagramSilence
}

// number is the number of an owner, 0 when nothing is known or there are too many.
func (a *attributed) number(o capture.Owner) uint32 {
	if !o.Known() {
		return 0
	}
	key := ownerValue{*o.Process, o.Basis}
	n := a.numbers[key]
	size := len(o.Name) + len(o.Command) + len(o.User) + len(o.Unit) + len(o.Container)
	if n == 0 && len(a.owners) < maxNumbered && a.text+size <= maxOwnerText {
		a.text += size
		a.owners = append(a.owners, o)
		n = uint32(len(a.owners))
		a.numbers[key] = n
	}
	return n
}
