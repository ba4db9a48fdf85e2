package main

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"sockscope/capture"
	"sockscope/capture/lab"
	"sockscope/decode"
	"sockscope/report/explain"
	lang "sockscope/report/words"
)

// What a lab says, whatever the format.

func (d *labDocument) title(say *lang.Printer) string {
	return say.Say("lab.title", d.Name, say.Say("lab."+d.Name))
}

// origin says whether it happened.
func (d *labDocument) origin(say *lang.Printer) string {
	if d.Made {
		return say.Say("lab.made")
	}
	return say.Say("lab.real")
}

// kept says where the packets are.
func (d *labDocument) kept(say *lang.Printer, escape func(string) string) string {
	return say.Say("lab.written", len(d.Frames), escape(d.written))
}

// verdicts say what came of the connections: of a single one at length.
func (d *labDocument) verdicts(say *lang.Printer) []string {
	if len(d.conversations) == 1 && !d.brief {
		var all []string
		c := &d.conversations[0]
		for i := range c.Verdict {
			n := &c.Verdict[i]
			if took, ok := d.connectTook(&c.Connection); ok && n.Key == explain.SetupKey {
				n = &explain.Note{Key: "lab.setup-call", Args: []any{took, c.Connection.Setup}}
			}
			all = append(all, noteText(say, n))
		}
		return all
	}
	var all []string
	for i := range d.conversations {
		all = append(all, labVerdict(&d.conversations[i].Connection))
	}
	return all
}

// unbroken is a space at which no line is broken, until the text is written.
const unbroken = "\ue000"

// noteText is a note with its RFC.
func noteText(say *lang.Printer, n *explain.Note) string {
	text := n.Say(say)
	if n.RFC != "" {
		text += " (" + strings.ReplaceAll(n.RFC, " ", unbroken) + ")"
	}
	return text
}

// head is a frame in two or three words.
func (d *labDocument) head(say *lang.Printer, number int) string {
	f := &d.Frames[number-1]
	var p decode.Packet
	p.Decode(f.Data, f.Length, f.Link)
	head := fmt.Sprintf("IP %d", p.Protocol)
	switch {
	case p.Class == decode.TCP && p.TCPHeader:
		head = strings.Join(explain.FlagNames(p.Flags), " ")
	case p.Class == decode.UDP:
		head = "UDP"
	case p.Class == decode.ICMP:
		return fmt.Sprintf("ICMP %d/%d", p.ICMPType, p.ICMPCode)
	}
	if p.PayloadLength > 0 {
		head += "  " + explain.SaySize(say, uint64(p.PayloadLength))
	}
	return head
}

// numbers are a frame's ports and, in a stream, sequence numbers, counted from each side's
// first one, with the sums that they are made of.
func (d *labDocument) numbers(number int) string {
	f, s := &d.Frames[number-1], d.steps[number-1]
	var p decode.Packet
	p.Decode(f.Data, f.Length, f.Link)
	var parts []string
	if p.Class == decode.TCP || p.Class == decode.UDP {
		parts = append(parts, labPort(p.Src.Netip(p.Version), p.SrcPort)+" → "+labPort(p.Dst.Netip(p.Version), p.DstPort))
	}
	if s.Step == nil || s.Kind != explain.Segment {
		return strings.Join(parts, ", ")
	}
	if s.HasRelSeq {
		parts = append(parts, fmt.Sprintf("seq %d", s.RelSeq))
	}
	const ack = 1 << 4
	switch {
	case p.Flags&ack == 0:
	case s.Acks != nil:
		parts = append(parts, "ack "+s.Acks.Relative())
	case s.HasRelAck:
		parts = append(parts, fmt.Sprintf("ack %d", s.RelAck))
	}
	window := uint32(s.Window)
	if s.Scaled != 0 {
		window = s.Scaled
	}
	return strings.Join(append(parts, fmt.Sprintf("win %d", window)), ", ")
}

// labPort is a port, with its address when that is neither the client's nor the server's.
func labPort(address netip.Addr, port uint16) string {
	if a := address.String(); a != lab.ClientAddress && a != lab.ServerAddress {
		return fmt.Sprintf("%s:%d", a, port)
	}
	return fmt.Sprintf(":%d", port)
}

// labFrame is a frame in a few words, for machines.
func labFrame(f *capture.Frame) string {
	var p decode.Packet
	p.Decode(f.Data, f.Length, f.Link)
	switch {
	case p.Class == decode.TCP && p.TCPHeader:
		return fmt.Sprintf("tcp %d > %d %s len %d", p.SrcPort, p.DstPort, strings.Join(explain.FlagNames(p.Flags), ","), p.PayloadLength)
	case p.Class == decode.UDP:
		return fmt.Sprintf("udp %d > %d len %d", p.SrcPort, p.DstPort, p.PayloadLength)
	case p.Class == decode.ICMP:
		return fmt.Sprintf("icmp type %d code %d", p.ICMPType, p.ICMPCode)
	}
	return fmt.Sprintf("ip %d len %d", p.Protocol, p.PayloadLength)
}

// tableTitle says whose sockets a table has.
func tableTitle(say *lang.Printer, t *lab.Table) string {
	if len(t.Sockets) == 0 {
		return say.Say("lab.sockets-none-" + t.End)
	}
	return say.Say("lab.sockets-" + t.End)
}

// firstNumber is the first column of a table that has numbers.
const firstNumber = 4

// tableRows are the rows of a table, headings first.
func tableRows(say *lang.Printer, t *lab.Table) [][]string {
	rows := [][]string{{
		say.Say("lab.column-protocol"), say.Say("lab.column-state"), say.Say("lab.column-local"), say.Say("lab.column-remote"),
		say.Say("lab.column-unread"), say.Say("lab.column-unacked"), say.Say("lab.column-inode"),
	}}
	for _, s := range t.Sockets {
		inode := say.Say("lab.no-inode")
		if s.Inode != 0 {
			inode = strconv.FormatUint(s.Inode, 10)
		}
		rows = append(rows, []string{s.Protocol, s.State, s.Local, s.Remote, strconv.Itoa(s.Received), strconv.Itoa(s.Sending), inode})
	}
	return rows
}
