package lab

import (
	"bufio"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/capture"
)

// scripts are what happened in each lab, without what differs from time to time. A test
// runs the labs and compares. A line is one of these, where [1] is a descriptor and (1) a
// port that the kernel has chosen:
//
//	client connect([2], 192.0.2.2:80) = 0          a call
//	client connect([2], 192.0.2.2:80)              a call that waits
//	client ... connect([2], 192.0.2.2:80) = 0      it returns
//	network lose                                   frames are lost from here on
//	table server                                   the sockets of an end, in the lines behind:
//	- tcp LISTEN 192.0.2.2:80 * 0 0 inode          both queues' bytes, and whether there is an inode
//	frame tcp 192.0.2.1:(1) 192.0.2.2:80 SYN opt mss,sack,ts,ws
//	frame tcp 192.0.2.1:(1) 192.0.2.2:80 PSH,ACK again opt ts data "hello"
//	frame udp 192.0.2.1:(1) 192.0.2.2:53 data "ping"
//	frame icmp 192.0.2.2 192.0.2.1 3/3             an error quotes the datagram before
//	frame ip253 192.0.2.1 192.0.2.2 data "one"
//	wait 200ms                                     nothing happens for about that long
//
// Of a segment, "again" is one that was sent before, "probe" an acknowledgment whose number
// is one before its turn, "win" an unscaled window that is not the usual one.
//
//go:embed script/*.txt
var scripts embed.FS

// madeAt is when everything that is made begins.
var madeAt = capture.Timestamp(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano())

// How long things take that are made.
const (
	callTakes  = 20 * time.Microsecond
	frameTakes = 50 * time.Microsecond
	programs   = 500 * time.Microsecond // think before a call
)

// Make makes a lab packet by packet.
func Make(name string) (*Record, error) {
	if !slices.Contains(names, name) {
		return nil, &NameError{name}
	}
	text, err := scripts.ReadFile("script/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("lab: %w", err)
	}
	m := newMaker(name)
	lines := bufio.NewScanner(strings.NewReader(string(text)))
	for n := 1; lines.Scan(); n++ {
		if err := m.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("lab: %s, line %d: %w", name, n, err)
		}
	}
	return m.record, nil
}

// A maker makes a Record from a script.
type maker struct {
	record *Record
	now    capture.Timestamp
	flows  map[[2]netip.AddrPort]*course
	isn    uint32 // of the last SYN
	id     uint16 // of the last IP packet
	inode  uint64
	quoted []byte // IP packet that an ICMP error is about
}

func newMaker(name string) *maker {
	return &maker{record: &Record{Name: name, Made: true}, now: madeAt, flows: make(map[[2]netip.AddrPort]*course)}
}

// A course is where one direction of a connection is.
type course struct {
	next uint32 // sequence number of what comes
	last uint32 // of the last segment that had something
}

var errScript = errors.New("not understood")

// descriptors and ports of a script.
var (
	descriptor = regexp.MustCompile(`\[(\d+)\]`)
	lentPort   = regexp.MustCompile(`:\((\d+)\)`)
)

// numbers puts numbers in the place of [1] and (1).
func numbers(line string) string {
	const firstDescriptor, firstPort = 3, 40_001 // the first as in a process that has just begun
	line = descriptor.ReplaceAllStringFunc(line, func(m string) string {
		n, _ := strconv.Atoi(m[1 : len(m)-1])
		return strconv.Itoa(firstDescriptor - 1 + n)
	})
	return lentPort.ReplaceAllStringFunc(line, func(m string) string {
		n, _ := strconv.Atoi(m[2 : len(m)-1])
		return ":" + strconv.Itoa(firstPort-1+n)
	})
}

// line makes what a line of the script says.
func (m *maker) line(line string) error {
	first, rest, _ := strings.Cut(numbers(line), " ")
	switch first {
	case "wait":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 || d > time.Minute {
			return errScript
		}
		m.pass(d)
	case "table":
		m.pass(programs)
		m.record.Tables = append(m.record.Tables, Table{End: rest, Time: m.now})
	case "-":
		return m.socket(strings.Fields(rest))
	case Network:
		m.pass(programs)
		m.record.Calls = append(m.record.Calls, Call{End: Network, Name: rest, Begin: m.now, Done: m.now})
	case Client, Server:
		return m.call(first, rest)
	case "frame":
		return m.frame(rest)
	default:
		return errScript
	}
	return nil
}

func (m *maker) pass(d time.Duration) { m.now += capture.Timestamp(d) }

// socket adds a line of the last table.
func (m *maker) socket(f []string) error {
	if len(f) < 6 || len(m.record.Tables) == 0 {
		return errScript
	}
	received, err := strconv.Atoi(f[4])
	sending, err2 := strconv.Atoi(f[5])
	if err != nil || err2 != nil {
		return errScript
	}
	s := Socket{Protocol: f[0], State: f[1], Local: f[2], Remote: f[3], Received: received, Sending: sending}
	if len(f) > 6 {
		m.inode++
		s.Inode = m.inode
	}
	t := &m.record.Tables[len(m.record.Tables)-1]
	t.Sockets = append(t.Sockets, s)
	return nil
}

// call makes a call, or what a call that waits returns.
func (m *maker) call(end, rest string) error {
	returned, isReturn := strings.CutPrefix(rest, "... ")
	text, result, done := strings.Cut(returned, " = ")
	if isReturn {
		if !done {
			return errScript
		}
		m.pass(callTakes)
		for i := len(m.record.Calls) - 1; i >= 0; i-- {
			c := &m.record.Calls[i]
			if c.End == end && c.Waits && !c.Done.Known() {
				c.Text, c.Result, c.Done = text, result, m.now
				return nil
			}
		}
		return errScript
	}
	name, _, _ := strings.Cut(text, "(")
	name, _, _ = strings.Cut(name, " ")
	m.pass(programs)
	c := Call{End: end, Name: name, Asked: text, Text: text, Result: result, Waits: !done, Begin: m.now, Done: capture.Unknown}
	if done {
		c.Done = m.now + capture.Timestamp(callTakes)
	}
	m.record.Calls = append(m.record.Calls, c)
	return nil
}

// frame makes a frame.
func (m *maker) frame(rest string) error {
	words, data, err := payload(rest)
	if err != nil || len(words) < 3 {
		return errScript
	}
	from, err := endpoint(words[1])
	if err != nil {
		return err
	}
	to, err := endpoint(words[2])
	if err != nil {
		return err
	}
	m.id++
	var b []byte
	switch words[0] {
	case "tcp":
		s, err := m.segment(from, to, words[3:], data)
		if err != nil {
			return err
		}
		b = ipv4(from.Addr(), to.Addr(), protocolTCP, m.id, s.encode())
	case "udp":
		b = ipv4(from.Addr(), to.Addr(), protocolUDP, m.id, datagram(from, to, data))
		m.quoted = b
	case "icmp":
		var kind, code uint8
		if len(words) < 4 {
			return errScript
		}
		if _, err := fmt.Sscanf(words[3], "%d/%d", &kind, &code); err != nil {
			return errScript
		}
		number := uint32(1<<16 | 1) // identifier and sequence number of an echo
		if kind == 3 {
			data, number = m.quoted, 0
		}
		b = ipv4(from.Addr(), to.Addr(), protocolICMP, m.id, message(kind, code, number, data))
	case "ip253":
		b = ipv4(from.Addr(), to.Addr(), protocolExperiment, m.id, data)
	default:
		return errScript
	}
	m.pass(frameTakes)
	b = append(ethernet(from.Addr(), to.Addr()), b...)
	m.record.Frames = append(m.record.Frames, capture.Frame{Data: b, Time: m.now, Length: uint32(len(b)), Link: capture.LinkEthernet,
		Direction: map[bool]capture.Direction{true: capture.Inbound, false: capture.Outbound}[from.Addr() == serverAddress]})
	return nil
}

// ethernet is the header in front of a packet.
func ethernet(from, to netip.Addr) []byte {
	hardware := map[netip.Addr]net.HardwareAddr{clientAddress: clientHardware, serverAddress: serverHardware, nobodyAddress: nobodyHardware}
	source := hardware[from]
	if from == nobodyAddress {
		source = clientHardware // which is who says that it comes from nobody
	}
	const etherTypeIPv4 = 0x0800
	return binary.BigEndian.AppendUint16(append(slices.Clone(hardware[to]), source...), etherTypeIPv4)
}

// payload takes the data off a frame's words: "hello" or 724*a.
func payload(rest string) (words []string, data []byte, err error) {
	head, text, ok := strings.Cut(rest, " data ")
	words = strings.Fields(head)
	if !ok {
		return words, nil, nil
	}
	if strings.HasPrefix(text, `"`) {
		s, err := strconv.Unquote(text)
		return words, []byte(s), err
	}
	count, letter, _ := strings.Cut(text, "*")
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1460 {
		return nil, nil, errScript
	}
	return words, []byte(strings.Repeat(letter, n)), nil
}

// endpoint reads an address with or without a port.
func endpoint(text string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(text); err == nil {
		return netip.AddrPortFrom(a, 0), nil
	}
	return netip.ParseAddrPort(text)
}

var flagNames = [...]string{"FIN", "SYN", "RST", "PSH", "ACK"}

// segment makes a segment, which goes on where its direction was.
func (m *maker) segment(from, to netip.AddrPort, words []string, data []byte) (*segment, error) {
	s := &segment{from: from, to: to, window: 63, payload: data}
	if len(words) == 0 {
		return nil, errScript
	}
	for name := range strings.SplitSeq(words[0], ",") {
		i := slices.Index(flagNames[:], name)
		if i < 0 {
			return nil, errScript
		}
		s.flags |= 1 << i
	}
	there, back := m.course(from, to), m.course(to, from)
	if s.flags&flagSYN != 0 {
		s.window = 64240
	}
	words = words[1:]
	again := slices.Contains(words, "again")
	if s.flags&flagSYN != 0 && !again {
		m.isn += 1_000_000_000
		there.next = m.isn
	}
	s.seq = there.next
	for len(words) > 0 {
		switch word := words[0]; {
		case word == "again":
			s.seq = there.last
		case word == "probe":
			s.seq = there.next - 1
		case word == "win" && len(words) > 1:
			n, err := strconv.ParseUint(words[1], 10, 16)
			if err != nil {
				return nil, errScript
			}
			s.window = uint16(n)
			words = words[1:]
		case word == "opt" && len(words) > 1:
			s.options = m.options(words[1], back.next)
			words = words[1:]
		default:
			return nil, errScript
		}
		words = words[1:]
	}
	if s.flags&flagACK != 0 {
		s.ack = back.next
	}
	if s.flags&flagRST != 0 && s.flags&flagACK != 0 && there.next == 0 {
		s.window = 0 // nothing is behind a RST that refuses (RFC 9293 §3.10.7.1)
	}
	length := uint32(len(data))
	if s.flags&(flagSYN|flagFIN) != 0 {
		length++
	}
	if length > 0 && !again {
		there.last, there.next = s.seq, s.seq+length
	}
	return s, nil
}

func (m *maker) course(from, to netip.AddrPort) *course {
	key := [2]netip.AddrPort{from, to}
	if m.flows[key] == nil {
		m.flows[key] = &course{}
	}
	return m.flows[key]
}

// options are TCP options by their names, in the order in which Linux has them; next is
// the other end's next sequence number.
func (m *maker) options(names string, next uint32) []byte {
	var b []byte
	for name := range strings.SplitSeq(names, ",") {
		switch name {
		case "mss":
			b = append(b, 2, 4, 0x05, 0xb4) // 1,460 bytes
		case "sack":
			b = append(b, 4, 2)
		case "ts":
			if len(b) == 0 {
				b = append(b, 1, 1) // NOP
			}
			b = binary.BigEndian.AppendUint32(append(b, 8, 10), uint32(int64(m.now-madeAt)/int64(time.Millisecond))+1)
			b = append(b, 0, 0, 0, 1)
		case "sacks": // that the last byte came twice (RFC 2883)
			b = binary.BigEndian.AppendUint32(append(b, 1, 1, 5, 10), next-1)
			b = binary.BigEndian.AppendUint32(b, next)
		case "ws":
			b = append(b, 1, 3, 3, 10) // NOP and a shift of 10 bits
		}
	}
	for len(b)%4 != 0 {
		b = append(b, 1)
	}
	return b
}
