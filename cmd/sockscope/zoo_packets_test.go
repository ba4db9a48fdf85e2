package main

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// serialize puts layers together with right lengths and checksums.
func serialize(stack ...gopacket.SerializableLayer) ([]byte, error) {
	buf := gopacket.NewSerializeBuffer()
	opts := gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}
	if err := gopacket.SerializeLayers(buf, opts, stack...); err != nil {
		return nil, err
	}
	return append([]byte(nil), buf.Bytes()...), nil
}

// An ipHeader is a layer that also gives checksums their pseudo-header.
type ipHeader interface {
	gopacket.SerializableLayer
	gopacket.NetworkLayer
}

func newIP(src, dst netip.Addr, ttl uint8, id uint16, proto layers.IPProtocol) ipHeader {
	if src.Is4() {
		return &layers.IPv4{Version: 4, IHL: 5, TTL: ttl, Id: id, Flags: layers.IPv4DontFragment, Protocol: proto,
			SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
	}
	return &layers.IPv6{Version: 6, HopLimit: ttl, NextHeader: proto, SrcIP: src.AsSlice(), DstIP: dst.AsSlice()}
}

// ip is the IP header of s, from its sender to the peer.
func (x *exchange) ip(s *shot, proto layers.IPProtocol) (ipHeader, error) {
	from, to := s.from, x.peer(s.from)
	ttl, err := s.number("ttl", uint32(from.ttl))
	if err != nil {
		return nil, err
	}
	id, err := s.number("id", uint32(from.ipID))
	from.ipID++
	h := newIP(from.addr.Addr(), to.addr.Addr(), uint8(ttl), uint16(id), proto)
	if v4, ok := h.(*layers.IPv4); ok && s.has("mtu") {
		v4.Flags = 0
	}
	return h, err
}

// segment builds a TCP segment and moves its sender's sequence number.
func (x *exchange) segment(s *shot) ([]byte, error) {
	from, to := s.from, x.peer(s.from)
	tcp := &layers.TCP{SrcPort: layers.TCPPort(from.addr.Port()), DstPort: layers.TCPPort(to.addr.Port()), Window: 502}
	for _, c := range s.what {
		switch c {
		case 'F':
			tcp.FIN = true
		case 'S':
			tcp.SYN = true
		case 'R':
			tcp.RST = true
		case 'P':
			tcp.PSH = true
		case 'A':
			tcp.ACK = true
		case 'U':
			tcp.URG = true
		case 'E':
			tcp.ECE = true
		case 'W':
			tcp.CWR = true
		case '-':
		default:
			return nil, fmt.Errorf("unknown TCP flag %q", c)
		}
	}
	if s.has("isn") {
		isn, err := s.number("isn", from.isn)
		if err != nil {
			return nil, err
		}
		if from == &x.client && !tcp.ACK {
			x.restart(isn)
		} else {
			from.isn, from.next = isn, isn
		}
	}
	base := from.next
	if tcp.SYN {
		base, tcp.Window = from.isn, 64240
	}
	if tcp.RST {
		tcp.Window = 0
		if from.next == from.isn {
			base = 0 // it never sent anything: RFC 9293 §3.10.7.1
		}
	}
	var err error
	if tcp.Seq, err = s.number("seq", base); err != nil {
		return nil, err
	}
	if tcp.ACK {
		if tcp.Ack, err = s.number("ack", to.next); err != nil {
			return nil, err
		}
	}
	window, err := s.number("win", uint32(tcp.Window))
	if err != nil {
		return nil, err
	}
	tcp.Window = uint16(window)
	if tcp.Options, err = x.options(s, tcp); err != nil {
		return nil, err
	}
	if !tcp.RST {
		end := tcp.Seq + uint32(len(s.payload))
		if tcp.SYN {
			end++
		}
		if tcp.FIN {
			end++
		}
		from.advance(end)
	}
	ip, err := x.ip(s, layers.IPProtocolTCP)
	if err != nil {
		return nil, err
	}
	if err := tcp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	return serialize(ip, tcp, gopacket.Payload(s.payload))
}

// options builds a segment's options in the order Linux sends them.
func (x *exchange) options(s *shot, tcp *layers.TCP) ([]layers.TCPOption, error) {
	var list []layers.TCPOption
	add := func(kind layers.TCPOptionKind, data ...byte) {
		list = append(list, layers.TCPOption{OptionType: kind, OptionLength: uint8(2 + len(data)), OptionData: data})
	}
	nop := func() {
		list = append(list, layers.TCPOption{OptionType: layers.TCPOptionKindNop, OptionLength: 1})
	}
	chosen := s.has("mss") || s.has("ws") || s.has("sackok") || s.has("noopts")
	if tcp.SYN && (s.has("mss") || !chosen) {
		mss, err := s.number("mss", x.mss())
		if err != nil {
			return nil, err
		}
		add(layers.TCPOptionKindMSS, byte(mss>>8), byte(mss))
	}
	if tcp.SYN && (s.has("sackok") || !chosen) {
		add(layers.TCPOptionKindSACKPermitted)
		if !x.timestamps {
			nop()
			nop()
		}
	}
	if x.timestamps && !tcp.RST {
		s.from.stamp++
		echo := uint32(0)
		if tcp.ACK {
			echo = x.peer(s.from).stamp
		}
		if !tcp.SYN {
			nop()
			nop()
		}
		add(layers.TCPOptionKindTimestamps, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, s.from.stamp), echo)...)
	}
	if tcp.SYN && (s.has("ws") || !chosen) {
		ws, err := s.number("ws", 7)
		if err != nil {
			return nil, err
		}
		nop()
		add(layers.TCPOptionKindWindowScale, byte(ws))
	}
	if s.has("tfo") { // RFC 7413 §4.1.1; an empty cookie is a request
		cookie, err := unhex(s.settings["tfo"])
		if err != nil {
			return nil, err
		}
		nop()
		nop()
		add(34, cookie...)
	}
	if s.settings["mptcp"] == "join" {
		add(30, joins(tcp)...)
	} else if s.has("mptcp") { // MP_CAPABLE version 1, RFC 8684 §3.1: the SYN has no key yet
		data := []byte{0x01, 0x01}
		if tcp.ACK {
			data = append(data, "zoo key!"...)
		}
		if tcp.ACK && !tcp.SYN {
			data = append(data, "zoo peer"...)
		}
		add(30, data...)
	}
	return list, nil
}

// joins is MP_JOIN in a segment of the handshake (RFC 8684 §3.2): token and random number
// in the SYN, the halves of the proof in what follows.
func joins(tcp *layers.TCP) []byte {
	switch {
	case !tcp.ACK:
		return append([]byte{0x10, 1}, filler(8)...)
	case tcp.SYN:
		return append([]byte{0x10, 1}, filler(12)...)
	}
	return append([]byte{0x10, 0}, filler(20)...)
}

// mss is the maximum segment size that Ethernet gives.
func (x *exchange) mss() uint32 {
	if x.client.addr.Addr().Is4() {
		return 1460
	}
	return 1440
}

// datagram builds a UDP datagram.
func (x *exchange) datagram(s *shot) ([]byte, error) {
	from, to := s.from, x.peer(s.from)
	udp := &layers.UDP{SrcPort: layers.UDPPort(from.addr.Port()), DstPort: layers.UDPPort(to.addr.Port())}
	ip, err := x.ip(s, layers.IPProtocolUDP)
	if err != nil {
		return nil, err
	}
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	return serialize(ip, udp, gopacket.Payload(s.payload))
}

// sealed builds an ESP packet (RFC 4303 §2), which shows no ports.
func (x *exchange) sealed(s *shot) ([]byte, error) {
	ip, err := x.ip(s, layers.IPProtocolESP)
	if err != nil {
		return nil, err
	}
	s.from.next++
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, s.from.isn), s.from.next)
	return serialize(ip, gopacket.Payload(append(header, s.payload...)))
}

// echo builds an ICMP echo request or reply.
func (x *exchange) echo(s *shot) ([]byte, error) {
	v4 := map[string]uint8{"echo": layers.ICMPv4TypeEchoRequest, "reply": layers.ICMPv4TypeEchoReply}
	v6 := map[string]uint8{"echo": layers.ICMPv6TypeEchoRequest, "reply": layers.ICMPv6TypeEchoReply}
	if _, ok := v4[s.what]; !ok {
		return nil, fmt.Errorf("unknown ICMP message %q", s.what)
	}
	if s.from.addr.Addr().Is4() {
		ip, err := x.ip(s, layers.IPProtocolICMPv4)
		if err != nil {
			return nil, err
		}
		icmp := &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(v4[s.what], 0), Id: 7, Seq: 1}
		return serialize(ip, icmp, gopacket.Payload(filler(56)))
	}
	ip, err := x.ip(s, layers.IPProtocolICMPv6)
	if err != nil {
		return nil, err
	}
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(v6[s.what], 0)}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	return serialize(ip, icmp, &layers.ICMPv6Echo{Identifier: 7, SeqNumber: 1}, gopacket.Payload(filler(56)))
}

// icmpError builds an ICMP error "icmp:TYPE/CODE" that quotes the last packet of
// one end: the IPv4 header and 8 bytes (RFC 792) unless quote= says how many
// bytes, for IPv6 as much as there is (RFC 4443 §3.1).
func (p *player) icmpError(s *shot) ([][]byte, error) {
	x := p.x
	kind, code, err := parseICMP(strings.TrimPrefix(s.what, "icmp:"))
	if err != nil {
		return nil, err
	}
	quoted := &x.client
	if s.settings["quotes"] == "s" {
		quoted = &x.server
	}
	if len(quoted.packet) == 0 {
		return nil, fmt.Errorf("nothing to quote")
	}
	src, ttl := x.router, uint8(254)
	if s.from != nil {
		src, ttl = s.from.addr.Addr(), s.from.ttl
	}
	quote := quoted.packet
	if src.Is4() {
		n, err := s.number("quote", 28)
		if err != nil {
			return nil, err
		}
		quote = quote[:min(int(n), len(quote))]
		ip := newIP(src, quoted.addr.Addr(), ttl, 0, layers.IPProtocolICMPv4)
		packet, err := serialize(ip, &layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(kind, code)}, gopacket.Payload(quote))
		return [][]byte{packet}, err
	}
	ip := newIP(src, quoted.addr.Addr(), ttl, 0, layers.IPProtocolICMPv6)
	icmp := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(kind, code)}
	if err := icmp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, err
	}
	unused := make([]byte, 4)
	if kind == layers.ICMPv6TypePacketTooBig {
		binary.BigEndian.PutUint32(unused, 1280)
	}
	packet, err := serialize(ip, icmp, gopacket.Payload(append(unused, quote...)))
	return [][]byte{packet}, err
}

func parseICMP(s string) (kind, code uint8, err error) {
	t, c, _ := strings.Cut(s, "/")
	k, err := strconv.ParseUint(t, 10, 8)
	if err != nil {
		return 0, 0, err
	}
	d, err := strconv.ParseUint(c, 10, 8)
	return uint8(k), uint8(d), err
}

// SCTP chunk types (RFC 9260 §3.2).
var sctpChunks = map[string]uint8{"DATA": 0, "INIT": 1, "INIT-ACK": 2, "SACK": 3, "ABORT": 6,
	"SHUTDOWN": 7, "SHUTDOWN-ACK": 8, "COOKIE-ECHO": 10, "COOKIE-ACK": 11, "SHUTDOWN-COMPLETE": 14}

// chunk builds an SCTP packet with one chunk.
func (x *exchange) chunk(s *shot) ([]byte, error) {
	from, to := s.from, x.peer(s.from)
	kind, ok := sctpChunks[s.what]
	if !ok {
		return nil, fmt.Errorf("unknown SCTP chunk %q", s.what)
	}
	tag, flags := to.isn, uint8(0)
	var body []byte
	u32 := binary.BigEndian.AppendUint32
	u16 := binary.BigEndian.AppendUint16
	switch s.what {
	case "INIT", "INIT-ACK":
		body = u32(u16(u16(u32(u32(nil, from.isn), 106496), 10), 10), from.next)
		if s.what == "INIT" {
			tag = 0
		} else {
			body = append(u16(u16(body, 7), 4+8), "a cookie"...) // state cookie parameter
		}
	case "COOKIE-ECHO":
		body = []byte("a cookie")
	case "DATA":
		flags = 3 // a whole message
		body = append(u32(u16(u16(u32(nil, from.next), 0), 0), 0), s.payload...)
		from.next++
	case "SACK":
		body = u32(u32(u32(nil, to.next-1), 106496), 0)
	case "SHUTDOWN":
		body = u32(nil, to.next-1)
	}
	b := append(u16([]byte{kind, flags}, uint16(4+len(body))), body...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	header := u32(u32(u16(u16(nil, from.addr.Port()), to.addr.Port()), tag), 0)
	packet := append(header, b...)
	// CRC32c, stored low byte first (RFC 9260 appendix A).
	binary.LittleEndian.PutUint32(packet[8:], crc32.Checksum(packet, crc32.MakeTable(crc32.Castagnoli)))
	ip, err := x.ip(s, layers.IPProtocolSCTP)
	if err != nil {
		return nil, err
	}
	return serialize(ip, gopacket.Payload(packet))
}

// fragment cuts an IP packet into fragments of at most mtu bytes.
func fragment(packet []byte, mtu int) ([][]byte, error) {
	if packet[0]>>4 == 6 {
		return fragment6(packet, mtu)
	}
	const header = 20
	step := (mtu - header) &^ 7
	var out [][]byte
	for at := header; at < len(packet); at += step {
		stop := min(at+step, len(packet))
		ip := &layers.IPv4{Version: 4, IHL: 5, TTL: packet[8], Id: binary.BigEndian.Uint16(packet[4:]),
			Protocol: layers.IPProtocol(packet[9]), SrcIP: net.IP(packet[12:16]), DstIP: net.IP(packet[16:20]),
			FragOffset: uint16((at - header) / 8)}
		if stop < len(packet) {
			ip.Flags = layers.IPv4MoreFragments
		}
		b, err := serialize(ip, gopacket.Payload(packet[at:stop]))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// fragment6 cuts an IPv6 packet without extension headers (RFC 8200 §4.5).
func fragment6(packet []byte, mtu int) ([][]byte, error) {
	const header, extra, fragmentHeader = 40, 8, 44
	step := (mtu - header - extra) &^ 7
	var out [][]byte
	for at := header; at < len(packet); at += step {
		stop := min(at+step, len(packet))
		b := append([]byte(nil), packet[:header]...)
		b[6] = fragmentHeader
		binary.BigEndian.PutUint16(b[4:], uint16(extra+stop-at))
		offset := uint16(at - header)
		if stop < len(packet) {
			offset |= 1
		}
		b = append(b, packet[6], 0)
		b = binary.BigEndian.AppendUint16(b, offset)
		b = binary.BigEndian.AppendUint32(b, 0x5a5a0001)
		out = append(out, append(b, packet[at:stop]...))
	}
	return out, nil
}
