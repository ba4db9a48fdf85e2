package explain

import (
	"fmt"
	"strconv"
	"strings"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/words"
)

var flagWords = [...]string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "AE"}

// FlagNames are the names of a segment's flags: what opens or closes a connection first, as
// people say "SYN ACK".
func FlagNames(flags uint16) []string {
	var names []string
	for _, bit := range []int{1, 0, 2, 3, 4, 5, 6, 7, 8} {
		if flags&(1<<bit) != 0 {
			names = append(names, flagWords[bit])
		}
	}
	return names
}

// Label is what stands on the step's arrow: "SYN ACK", "PSH ACK  10 bytes".
func (s *Step) Label(p *words.Printer) string {
	var parts []string
	switch s.Kind {
	case Segment:
		if names := FlagNames(s.Flags); len(names) > 0 {
			parts = append(parts, strings.Join(names, " "))
		} else {
			parts = append(parts, "TCP")
		}
	case Datagram:
		parts = append(parts, "") // its size says it all
	case Packet:
		parts = append(parts, strings.Join(s.SCTP.Names(), ", "))
	case ICMP, ICMPError:
		parts = append(parts, s.ICMP.name())
	case Fragment:
		parts = append(parts, "IP")
	case Cut:
		parts = append(parts, "TCP")
	}
	if s.Payload > 0 && s.Kind != ICMP && s.Kind != ICMPError || s.Kind == Datagram {
		parts = append(parts, p.Say("explain.bytes", int(s.Payload)))
	}
	return strings.TrimSpace(strings.Join(parts, "  "))
}

func (m *Message) name() string {
	name := "ICMP"
	if m.Version == 6 {
		name = "ICMPv6"
	}
	switch {
	case m.Version == 4 && m.Type == 8, m.Version == 6 && m.Type == 128:
		return name + " echo request"
	case m.Version == 4 && m.Type == 0, m.Version == 6 && m.Type == 129:
		return name + " echo reply"
	}
	if m.isError() && m.reason().key != "explain.icmp-error" {
		return fmt.Sprintf("%s %s (%d/%d)", name, m.reason().name, m.Type, m.Code)
	}
	return fmt.Sprintf("%s type %d code %d", name, m.Type, m.Code)
}

// Details are the step's numbers and options, an item each: "ack 11 = 1 + 10 (5011 = 5001 +
// 10)". Each equation among them is true modulo 2^32.
func (s *Step) Details(p *words.Printer) []string {
	switch s.Kind {
	case Segment:
		return s.segmentDetails(p)
	case Packet:
		items := []string{fmt.Sprintf("tag %d", s.SCTP.Tag)}
		if s.SCTP.Init != 0 {
			items = append(items, fmt.Sprintf("initiate tag %d", s.SCTP.Init))
		}
		return items
	}
	return nil
}

func (s *Step) segmentDetails(p *words.Printer) []string {
	items := []string{equation("seq", s.Seq, s.RelSeq, s.HasRelSeq, s.Continues)}
	if s.Flags&decode.ACK != 0 {
		items = append(items, equation("ack", s.Ack, s.RelAck, s.HasRelAck, s.Acks))
	}
	if s.Flags&decode.RST == 0 && (s.NewWindow || s.Has(ZeroWindow|WindowOpens)) {
		window := fmt.Sprintf("win %d", s.Window)
		if s.Scaled != uint32(s.Window) && s.Scaled != 0 {
			window += fmt.Sprintf(" × %d = %d", s.Scaled/uint32(s.Window), s.Scaled)
		}
		items = append(items, window)
	}
	return append(items, s.options(p)...)
}

// equation is a number relative and absolute, with what it is made of.
func equation(name string, absolute, relative uint32, isRelative bool, sum *Sum) string {
	switch {
	case sum != nil && sum.HasISN:
		return fmt.Sprintf("%s %s (%s)", name, sum.Relative(), sum.Absolute())
	case sum != nil:
		return name + " " + sum.Absolute()
	case isRelative:
		return fmt.Sprintf("%s %d (%d)", name, relative, absolute)
	}
	return fmt.Sprintf("%s %d", name, absolute)
}

// options are the segment's options: all of a SYN, of others those that are special.
func (s *Step) options(p *words.Printer) []string {
	var items []string
	o := &s.Options
	has := func(set decode.OptionSet) bool { return o.Has&set != 0 }
	if has(decode.OptMSS) {
		items = append(items, "MSS "+strconv.Itoa(int(o.MSS)))
	}
	if has(decode.OptWindowScale) {
		items = append(items, "window scale "+strconv.Itoa(int(o.WindowScale)))
	}
	if has(decode.OptSACKPermitted) {
		items = append(items, "SACK permitted")
	}
	if has(decode.OptSACK) && o.SACKBlocks > 0 {
		items = append(items, fmt.Sprintf("SACK %d-%d", o.SACKLeft, o.SACKRight))
	}
	if has(decode.OptTimestamps) && s.HasFlags(decode.SYN) {
		items = append(items, fmt.Sprintf("timestamps %d/%d", o.TSVal, o.TSEcr))
	}
	if has(decode.OptFastOpen) {
		items = append(items, fmt.Sprintf("Fast Open cookie (%d)", o.CookieLen))
	}
	if has(decode.OptMPTCP) {
		items = append(items, "MPTCP "+strconv.Itoa(int(o.MPTCP)))
	}
	if has(decode.OptMD5) {
		items = append(items, "MD5")
	}
	if has(decode.OptAO) {
		items = append(items, "TCP-AO")
	}
	if has(decode.OptUserTimeout) {
		items = append(items, "user timeout")
	}
	if has(decode.OptCut) {
		items = append(items, p.Say("explain.options-cut"))
	}
	return items
}

// Summary is what a run has, in a few parts: how many segments and bytes, and of these how
// many from each end.
func (r *Run) Summary(p *words.Printer, what string) []string {
	parts := []string{p.Say(what, int(r.Segments())) + ", " + SaySize(p, r.Payload())}
	if r.DupACKs > 0 {
		parts[0] += ", " + p.Say("explain.folded-duplicates", int(r.DupACKs))
	}
	for _, d := range []struct {
		name string
		*Amount
	}{{"explain.client", &r.ToServer}, {"explain.server", &r.ToClient}} {
		if d.Segments > 0 && d.Segments < r.Segments() {
			parts = append(parts, p.Say("explain.folded-direction", p.Say(d.name), p.Say(what, int(d.Segments)), SaySize(p, d.Payload)))
		}
	}
	return parts
}

// unit is the key of what a run counts.
func (c *Conversation) unit() string {
	if c.Connection.Protocol == protoTCP {
		return "explain.folded-segments"
	}
	return "explain.folded-packets"
}

// Say is the call in words: "connect() returns 0".
func (c *Call) Say(p *words.Printer) string {
	switch {
	case c.Text == callEither && !c.Time.Known():
		return p.Say("explain.close-or-shutdown")
	case c.At == Starts:
		return c.Text
	case c.Result == "":
		return p.Say("explain.returns", c.Text)
	case c.Result[0] == 'E':
		return p.Say("explain.fails", c.Text, c.Result)
	}
	return p.Say("explain.returns-value", c.Text, c.Result)
}

// since is how long after the conversation's beginning the step came, in seconds; "" when that
// is not known.
func (c *Conversation) since(s *Step) string { return c.after(s.Time) }

// after is the same for any time.
func (c *Conversation) after(when capture.Timestamp) string {
	d, ok := when.Sub(c.Began())
	if !ok {
		return ""
	}
	return fmt.Sprintf("%.6f", d.Seconds())
}

// protocol is the name of the conversation's protocol.
func (c *Conversation) protocol() string {
	switch c.Connection.Protocol {
	case protoTCP:
		return "TCP"
	case protoUDP:
		return "UDP"
	case protoICMP:
		return "ICMP"
	case protoICMPv6:
		return "ICMPv6"
	case protoSCTP:
		return "SCTP"
	case protoUDPLite:
		return "UDP-Lite"
	}
	return "IP " + strconv.Itoa(int(c.Connection.Protocol))
}

// Title names the conversation: "Connection 3: TCP 192.0.2.1:40000 → 198.51.100.1:80".
func (c *Conversation) Title(p *words.Printer) string {
	return p.Say("explain.title", strconv.FormatUint(c.Connection.ID, 10), c.protocol(),
		c.endpoint(c.Connection.Client)+" → "+c.endpoint(c.Connection.Server))
}

// Word is how it came out, and how it ended, in the words of the reports.
func (c *Conversation) Word() string {
	word := c.Connection.Outcome.String()
	if c.Connection.Close != flow.Never && c.Connection.Close.String() != "" {
		word += ", " + c.Connection.Close.String()
	}
	return word
}
