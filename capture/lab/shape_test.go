package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// A shaper writes a Record as a script: without times, sequence numbers, descriptors and
// ports that the kernel chose.
type shaper struct {
	b           strings.Builder
	descriptors map[string]int
	ports       map[string]int
	next        map[[2]netip.AddrPort]uint32
	begun       map[[2]netip.AddrPort]bool
}

// shape is the script of a record.
func shape(r *Record) string {
	s := &shaper{descriptors: map[string]int{}, ports: map[string]int{}, next: map[[2]netip.AddrPort]uint32{}, begun: map[[2]netip.AddrPort]bool{}}
	events := r.Events()
	inOrder(r, events)
	for i, e := range events {
		if i > 0 {
			if gap := time.Duration(e.Time - events[i-1].Time).Round(100 * time.Millisecond); gap > 0 {
				fmt.Fprintf(&s.b, "wait %v\n", gap)
			}
		}
		switch {
		case e.Table != nil:
			fmt.Fprintf(&s.b, "table %s\n", e.Table.End)
			for _, k := range e.Table.Sockets {
				inode := ""
				if k.Inode != 0 {
					inode = " inode"
				}
				fmt.Fprintf(&s.b, "- %s %s %s %s %d %d%s\n", k.Protocol, k.State, s.lent(k.Local), s.lent(k.Remote), k.Received, k.Sending, inode)
			}
		case e.Call != nil:
			s.call(e)
		default:
			s.frame(r.Frames[e.Frame-1].Data)
		}
	}
	return s.b.String()
}

// inOrder puts what happens at once into an order: calls that return with nothing between
// them into that in which they were made, and one that a FIN releases before the
// acknowledgment of the FIN, which the kernel may keep back.
func inOrder(r *Record, events []Event) {
	for i := 0; i < len(events); {
		n := i
		for n < len(events) && events[n].Returns {
			n++
		}
		slices.SortStableFunc(events[i:n], func(a, b Event) int { return int(a.Call.Begin - b.Call.Begin) })
		i = max(n, i+1)
	}
	finishes := func(e Event) bool {
		if e.Frame == 0 {
			return false
		}
		b := r.Frames[e.Frame-1].Data
		const ethernet, ip = 14, 20
		return b[ethernet+9] == protocolTCP && b[ethernet+ip+13]&flagFIN != 0
	}
	for i := 1; i+1 < len(events); i++ {
		if events[i].Frame > 0 && finishes(events[i-1]) && events[i+1].Returns {
			events[i], events[i+1] = events[i+1], events[i]
		}
	}
}

var (
	firstArgument = regexp.MustCompile(`^(\w+)\((\d+)`)
	number        = regexp.MustCompile(`^\d+$`)
	portBehind    = regexp.MustCompile(`(\d+\.\d+\.\d+\.\d+):(\d{5})\b`)
)

func (s *shaper) numbered(in map[string]int, key string) int {
	if in[key] == 0 {
		in[key] = len(in) + 1
	}
	return in[key]
}

func (s *shaper) lent(text string) string {
	return portBehind.ReplaceAllStringFunc(text, func(m string) string {
		address, port, _ := strings.Cut(m, ":")
		return fmt.Sprintf("%s:(%d)", address, s.numbered(s.ports, port))
	})
}

func (s *shaper) call(e Event) {
	c := e.Call
	if c.End == Network {
		fmt.Fprintf(&s.b, "network %s\n", c.Name)
		return
	}
	text, result := c.Text, c.Result
	if !e.Whole && !e.Returns {
		text, result = c.Asked, ""
	}
	if m := firstArgument.FindStringSubmatch(text); m != nil {
		text = fmt.Sprintf("%s([%d]%s", m[1], s.numbered(s.descriptors, m[2]), text[len(m[0]):])
	}
	if (c.Name == "socket" || c.Name == "accept") && number.MatchString(result) {
		result = fmt.Sprintf("[%d]", s.numbered(s.descriptors, result))
	}
	if c.Name == "close" {
		m := firstArgument.FindStringSubmatch(c.Text)
		s.descriptors[fmt.Sprint(m[2], " closed ", len(s.descriptors))] = s.descriptors[m[2]]
		delete(s.descriptors, m[2])
	}
	if e.Returns {
		text = "... " + text
	}
	if e.Whole || e.Returns {
		text += " = " + result
	}
	fmt.Fprintf(&s.b, "%s %s\n", c.End, s.lent(text))
}

func (s *shaper) frame(frame []byte) {
	ip := frame[14:]
	header := int(ip[0]&15) * 4
	b := ip[header:binary.BigEndian.Uint16(ip[2:])]
	from, _ := netip.AddrFromSlice(ip[12:16])
	to, _ := netip.AddrFromSlice(ip[16:20])
	data := b
	switch ip[9] {
	case protocolTCP:
		s.segment(from, to, b)
		return
	case protocolUDP:
		data = b[8:]
		fmt.Fprintf(&s.b, "frame udp %s %s", s.endpoint(from, b), s.endpoint(to, b[2:]))
	case protocolICMP:
		data = b[8:]
		if b[0] == 3 {
			data = nil
		}
		fmt.Fprintf(&s.b, "frame icmp %v %v %d/%d", from, to, b[0], b[1])
	default:
		fmt.Fprintf(&s.b, "frame ip%d %v %v", ip[9], from, to)
	}
	s.data(data)
}

func (s *shaper) endpoint(a netip.Addr, port []byte) string {
	return s.lent(netip.AddrPortFrom(a, binary.BigEndian.Uint16(port)).String())
}

func (s *shaper) data(b []byte) {
	switch {
	case len(b) > 40:
		fmt.Fprintf(&s.b, " data %d*%c", len(b), b[0])
	case len(b) > 0:
		fmt.Fprintf(&s.b, " data %q", b)
	}
	s.b.WriteString("\n")
}

func (s *shaper) segment(from, to netip.Addr, b []byte) {
	header := int(b[12]>>4) * 4
	seq, flags, window, data := binary.BigEndian.Uint32(b[4:]), b[13], binary.BigEndian.Uint16(b[14:]), b[header:]
	key := [2]netip.AddrPort{netip.AddrPortFrom(from, binary.BigEndian.Uint16(b)), netip.AddrPortFrom(to, binary.BigEndian.Uint16(b[2:]))}
	var names []string
	for i, name := range flagNames {
		if flags&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return map[string]int{"ACK": 1}[a] - map[string]int{"ACK": 1}[b] })
	fmt.Fprintf(&s.b, "frame tcp %s %s %s", s.endpoint(from, b), s.endpoint(to, b[2:]), strings.Join(names, ","))
	length := uint32(len(data))
	if flags&(flagSYN|flagFIN) != 0 {
		length++
	}
	next := s.next[key]
	fresh := flags&flagSYN != 0 && (!s.begun[key] || int32(seq-next) > 0)
	switch {
	case fresh, flags&flagRST != 0:
	case length > 0 && int32(seq-next) < 0:
		s.b.WriteString(" again")
		length = 0
	case length == 0 && seq == next-1:
		s.b.WriteString(" probe")
	}
	if length > 0 {
		s.next[key], s.begun[key] = seq+length, true
	}
	if flags&flagRST == 0 && (flags&flagSYN == 0 && window != 63 && window != 64 || flags&flagSYN != 0 && window < 60000) {
		fmt.Fprintf(&s.b, " win %d", window)
	}
	if names := optionNames(b[20:header]); names != "" {
		fmt.Fprintf(&s.b, " opt %s", names)
	}
	s.data(data)
}

// optionNames are the names of a segment's options.
func optionNames(b []byte) string {
	var names []string
	for len(b) > 0 && b[0] != 0 {
		if b[0] == 1 {
			b = b[1:]
			continue
		}
		if len(b) < 2 || int(b[1]) < 2 || int(b[1]) > len(b) {
			return "broken"
		}
		if name := map[byte]string{2: "mss", 3: "ws", 4: "sack", 5: "sacks", 8: "ts"}[b[0]]; name != "" {
			names = append(names, name)
		}
		b = b[b[1]:]
	}
	return strings.Join(names, ",")
}
