package ladder

import (
	"fmt"
	"strings"

	"sockscope/decode"
	"sockscope/report"
	"sockscope/report/explain"
)

// IP protocol numbers that a ladder looks different for.
const (
	protoTCP  = 6
	protoSCTP = 132
)

const rst = decode.RST

// label is what stands on a step's arrow, in a width: what it is with its numbers, and below
// what is special about it. In the narrow form frame and time come first.
func (l *layout) label(s *explain.Step, room int) []textLine {
	var texts []textLine
	if l.form.inside {
		head := []string{frameName(s.Frame)}
		if at := l.since(s.Time); at != "" {
			head = append(head, at+" s")
		}
		for _, line := range join(head, room, smallSize) {
			texts = append(texts, textLine{Class: "frame", Size: smallSize, Text: line})
		}
	}
	for _, line := range join(l.numbers(s), room, labelSize) {
		texts = append(texts, textLine{Class: "label", Size: labelSize, Text: line})
	}
	for _, line := range join(l.marks(s), room, smallSize) {
		texts = append(texts, textLine{Class: "mark " + look(s), Size: smallSize, Text: line})
	}
	return texts
}

// numbers are the parts of the label's first line.
func (l *layout) numbers(s *explain.Step) []string {
	if s.Kind != explain.Segment {
		label := s.Label(l.words)
		if s.Kind == explain.Datagram {
			label = protocolName(l.Connection.Protocol) + "  " + label
		}
		return []string{label}
	}
	names := strings.Join(explain.FlagNames(s.Flags), " ")
	if names == "" {
		names = "TCP"
	}
	parts := []string{names}
	if s.HasRelSeq {
		parts = append(parts, fmt.Sprintf("seq %d", s.RelSeq))
	} else {
		parts = append(parts, fmt.Sprintf("seq %d", s.Seq))
	}
	if s.HasFlags(decode.ACK) {
		switch {
		case s.Acks != nil && s.Acks.HasISN:
			parts = append(parts, "ack "+s.Acks.Relative())
		case s.HasRelAck:
			parts = append(parts, fmt.Sprintf("ack %d", s.RelAck))
		default:
			parts = append(parts, fmt.Sprintf("ack %d", s.Ack))
		}
	}
	if s.Payload > 0 {
		parts = append(parts, fmt.Sprintf("len %d", s.Payload))
	}
	if s.Has(explain.ZeroWindow) {
		parts = append(parts, "win 0")
	} else if s.Has(explain.WindowOpens) {
		parts = append(parts, fmt.Sprintf("win %d", max(s.Scaled, uint32(s.Window))))
	}
	return parts
}

// protocolName is what datagrams of a protocol are called.
func protocolName(n uint8) string {
	switch n {
	case 17:
		return "UDP"
	case 136:
		return "UDP-Lite"
	}
	return fmt.Sprintf("IP %d", n)
}

// markKeys are the words for what is special about a step.
var markKeys = []struct {
	mark explain.Mark
	key  string
}{
	{explain.Retransmitted, "ladder.mark-retransmitted"},
	{explain.OutOfOrder, "ladder.mark-out-of-order"},
	{explain.DuplicateACK, "ladder.mark-duplicate-ack"},
	{explain.KeepAlive, "ladder.mark-keep-alive"},
	{explain.KeepAliveACK, "ladder.mark-keep-alive-ack"},
	{explain.ZeroWindow, "ladder.mark-zero-window"},
	{explain.Probe, "ladder.mark-probe"},
	{explain.WindowOpens, "ladder.mark-window-opens"},
	{explain.Simultaneous, "ladder.mark-simultaneous"},
	{explain.EarlyData, "ladder.mark-early-data"},
	{explain.Mismatch, "ladder.mark-mismatch"},
	{explain.Refuses, "ladder.mark-refuses"},
}

// marks are the words below the label, escaped.
func (l *layout) marks(s *explain.Step) []string {
	var parts []string
	for _, m := range markKeys {
		if s.Has(m.mark) {
			parts = append(parts, l.words.Say(m.key))
		}
	}
	if l.throughRouter(s) {
		parts = append(parts, report.EscapeText(l.words.Say("ladder.from", s.ICMP.From)))
	}
	return parts
}

// look is the class of a step's arrow: what is most special about it.
func look(s *explain.Step) string {
	switch {
	case s.Kind == explain.ICMPError:
		return "error"
	case s.Kind != explain.Segment:
		return "data"
	case s.HasFlags(decode.RST):
		return "reset"
	case s.Has(explain.Retransmitted | explain.OutOfOrder):
		return "again"
	case s.Has(explain.ZeroWindow | explain.Probe):
		return "full"
	case s.Has(explain.DuplicateACK | explain.KeepAlive | explain.KeepAliveACK | explain.Mismatch):
		return "odd"
	case s.HasFlags(decode.SYN), s.Has(explain.Handshake):
		return "opens"
	case s.HasFlags(decode.FIN), s.Has(explain.AcksFIN):
		return "closes"
	case s.Payload > 0:
		return "data"
	}
	return "plain"
}
