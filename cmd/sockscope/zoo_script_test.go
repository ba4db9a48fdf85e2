package main

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Scenarios are written in words, one packet a line:
//
//	tcp 192.0.2.10:40000 198.51.100.80:80 at=1s     an exchange: client and server
//	= outcome=complete close=fin flags=-            what its next record must say
//	c S                                             the client sends a SYN
//	+30ms s SA mss=1200                             30 ms later the server answers
//	lost c A                                        sent, but not captured
//	c PA get=www.example.com/
//	s A 1400 seq=-1400                              the 1400 bytes before again
//	router icmp:3/1 quotes=c                        an ICMP error quoting the client's last packet
//	c 3000 mtu=1500 drop                            in fragments, the first of them not captured
//	c A twice                                       captured twice, as by a mirror of two ports
//
// The first word after delay and "lost" is the sender: c, s or router. Of UDP and ESP
// there is only a payload. TCP flags
// are F S R P A U E W (CWR), "-" for none. A number is a payload length.
// seq and ack take absolute numbers, or +n and -n relative to what RFC 9293 would
// send. A bare SYN has the ISN again; "isn=n" on it begins a new connection.
// Without a delay the server answers after 20 ms and the client after 200 µs:
// the capture is taken near the client.

// play turns a script into frames, in the order of the script.
func play(script string, link linkLayer) (*recording, error) {
	p := player{link: link}
	lines := bufio.NewScanner(strings.NewReader(script))
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if err := p.line(words); err != nil {
			return nil, fmt.Errorf("line %d %q: %w", n, lines.Text(), err)
		}
	}
	return &p.rec, nil
}

// A player plays a script line by line.
type player struct {
	link linkLayer
	x    *exchange
	rec  recording
}

func (p *player) line(words []string) error {
	switch words[0] {
	case "tcp", "udp", "sctp", "icmp", "esp":
		return p.open(words)
	}
	if p.x == nil {
		return fmt.Errorf("no exchange yet")
	}
	if words[0] == "=" {
		p.x.expect = append(p.x.expect, strings.Join(words[1:], " "))
		return nil
	}
	return p.packet(words)
}

// open begins an exchange: protocol, client, server, settings.
func (p *player) open(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("want protocol, client and server")
	}
	x := &exchange{proto: words[0]}
	for i, e := range []*end{&x.client, &x.server} {
		addr, err := parseEndpoint(words[1+i])
		if err != nil {
			return err
		}
		h := fnv.New32a()
		fmt.Fprint(h, words[0], words[1+i], i)
		*e = end{addr: addr, isn: h.Sum32(), ipID: uint16(h.Sum32()), ttl: 64, stamp: h.Sum32() >> 8}
		e.next = e.isn
	}
	x.server.ttl = 57 // seven hops away
	x.router = netip.MustParseAddr("203.0.113.1")
	if x.client.addr.Addr().Is6() {
		x.router = netip.MustParseAddr("2001:db8:ffff::1")
	}
	for _, word := range words[3:] {
		name, value, _ := strings.Cut(word, "=")
		var err error
		switch name {
		case "at":
			x.clock, err = time.ParseDuration(value)
		case "vlan":
			var n uint64
			n, err = strconv.ParseUint(value, 10, 12)
			x.path.vlan = uint16(n)
		case "if":
			x.path.iface, err = strconv.Atoi(value)
		case "router":
			x.router, err = netip.ParseAddr(value)
		case "ts":
			x.timestamps = true
		case "over":
			for kind := range strings.SplitSeq(value, ",") {
				kind, id, _ := strings.Cut(kind, ":")
				n, _ := strconv.ParseUint(id, 10, 32)
				x.path.over = append(x.path.over, encapsulation{kind, uint32(n)})
			}
		default:
			return fmt.Errorf("unknown setting %q", word)
		}
		if err != nil {
			return err
		}
	}
	p.x = x
	return nil
}

func parseEndpoint(s string) (netip.AddrPort, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(addr, 0), nil // ICMP
	}
	return netip.ParseAddrPort(s)
}

// A shot is one packet line: what to send where it differs from the rule.
type shot struct {
	from     *end // nil: the router
	lost     bool
	what     string // flags, chunk or message
	payload  []byte
	settings map[string]string
}

func (s *shot) has(name string) bool { _, ok := s.settings[name]; return ok }

// number is the setting of that name: absolute, or relative to base; base without it.
func (s *shot) number(name string, base uint32) (uint32, error) {
	value, ok := s.settings[name]
	if !ok {
		return base, nil
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, err
	}
	if value[0] == '+' || value[0] == '-' {
		return base + uint32(n), nil
	}
	return uint32(n), nil
}

// packet plays one packet line.
func (p *player) packet(words []string) error {
	x := p.x
	s := shot{settings: map[string]string{}}
	var wait time.Duration // negative for a packet that was captured before the one it follows
	given := false
	for ; len(words) > 0; words = words[1:] {
		if words[0] == "lost" {
			s.lost = true
		} else if d, ok := strings.CutPrefix(words[0], "+"); ok {
			var err error
			if wait, err = time.ParseDuration(d); err != nil {
				return err
			}
			given = true
		} else {
			break
		}
	}
	bare := x.proto == "udp" || x.proto == "esp"
	if len(words) < 2 && !bare || len(words) < 1 {
		return fmt.Errorf("want a sender and what it sends")
	}
	switch words[0] {
	case "c":
		s.from = &x.client
	case "s":
		s.from = &x.server
	case "router":
	default:
		return fmt.Errorf("unknown sender %q", words[0])
	}
	words = words[1:]
	if !given {
		wait = x.delay(s.from)
	}
	x.clock += wait
	if !bare || strings.HasPrefix(words[0], "icmp") {
		s.what, words = words[0], words[1:]
	}
	for _, word := range words {
		if err := p.word(&s, word); err != nil {
			return err
		}
	}
	packets, err := p.build(&s)
	if err != nil {
		return err
	}
	x.last = s.from
	if s.lost {
		return nil
	}
	if s.has("drop") {
		packets = packets[1:]
	}
	if s.has("twice") {
		packets = append(packets, packets...)
	}
	vlan, err := s.number("vlan", uint32(x.path.vlan))
	if err != nil {
		return err
	}
	for _, packet := range packets {
		for i := len(x.path.over) - 1; i >= 0; i-- {
			if packet, err = encapsulate(x.path.over[i], packet, s.from == &x.server); err != nil {
				return err
			}
		}
		data, err := p.link(packet, uint16(vlan), s.from == &x.client)
		if err != nil {
			return err
		}
		p.rec.frames = append(p.rec.frames, recorded{x.clock, x.path.iface, data, x.expect})
		x.expect = nil
		x.clock += time.Microsecond // fragments follow each other
	}
	x.clock -= time.Microsecond * time.Duration(len(packets))
	return nil
}

// word adds one word of a packet line to s.
func (p *player) word(s *shot, word string) error {
	if n, err := strconv.Atoi(word); err == nil {
		s.payload = filler(n)
		return nil
	}
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "get", "ok", "hello", "tls", "serverhello", "appdata", "ssh", "query", "answer", "nxdomain", "rest":
		if s.from == nil {
			return fmt.Errorf("the router sends no %s", name)
		}
		payload, err := message(name, value, s.from, p.x.peer(s.from))
		if err != nil {
			return err
		}
		s.payload = payload
	case "seq", "ack", "isn", "mss", "ws", "sackok", "noopts", "tfo", "mptcp", "win", "ttl", "quotes", "quote", "mtu", "drop", "id", "vlan", "twice":
		s.settings[name] = value
	default:
		return fmt.Errorf("unknown word %q", word)
	}
	return nil
}

// build gives the IP packets of s: several when it is fragmented.
func (p *player) build(s *shot) ([][]byte, error) {
	x := p.x
	if strings.HasPrefix(s.what, "icmp:") {
		return p.icmpError(s)
	}
	if s.from == nil {
		return nil, fmt.Errorf("the router only sends icmp")
	}
	var packet []byte
	var err error
	switch x.proto {
	case "tcp":
		packet, err = x.segment(s)
	case "udp":
		packet, err = x.datagram(s)
	case "sctp":
		packet, err = x.chunk(s)
	case "icmp":
		packet, err = x.echo(s)
	case "esp":
		packet, err = x.sealed(s)
	}
	if err != nil {
		return nil, err
	}
	s.from.packet = packet
	if s.has("mtu") {
		mtu, err := s.number("mtu", 0)
		if err != nil {
			return nil, err
		}
		return fragment(packet, int(mtu))
	}
	return [][]byte{packet}, nil
}

// filler is n bytes that look like no protocol.
func filler(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = "sockscope zoo. "[i%15]
	}
	return b
}

func unhex(s string) ([]byte, error) { return hex.DecodeString(s) }
