package decode

import (
	"net"
	"testing"

	"sockscope/capture"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// An opinion is what gopacket says of a frame, as far as Decode says it too.
type opinion struct {
	src, dst                       []byte
	srcPort, dstPort               uint16
	ttl                            uint8
	seq, ack                       uint32
	window                         uint16
	fin, syn, rst, psh, ackf, urg  bool
	ece, cwr, ae                   bool
	hasMSS, hasScale, hasTS, hasOK bool
	mss                            uint16
	scale                          uint8
	tsVal, tsEcr                   uint32
	payload                        []byte
}

// ours is the opinion of Decode.
func (p *Packet) opinion() opinion {
	src, dst := p.Src.Netip(p.Version), p.Dst.Netip(p.Version)
	o := opinion{src: src.AsSlice(), dst: dst.AsSlice(), srcPort: p.SrcPort, dstPort: p.DstPort, ttl: p.TTL, payload: p.Payload}
	if p.Class == TCP {
		o.seq, o.ack, o.window = p.Seq, p.Ack, p.Window
		has := func(flag uint16) bool { return p.Flags&flag != 0 }
		o.fin, o.syn, o.rst, o.psh, o.ackf, o.urg = has(FIN), has(SYN), has(RST), has(PSH), has(ACK), has(URG)
		o.ece, o.cwr, o.ae = has(ECE), has(CWR), has(AE)
		v := p.Options.valid()
		o.hasMSS, o.mss = v.Has&OptMSS != 0, v.MSS
		o.hasScale, o.scale = v.Has&OptWindowScale != 0, v.WindowScale
		o.hasTS, o.tsVal, o.tsEcr = v.Has&OptTimestamps != 0, v.TSVal, v.TSEcr
		o.hasOK = v.Has&OptSACKPermitted != 0
	}
	return o
}

// secondOpinion asks gopacket. It is there when all of Ethernet, IP without fragments,
// and TCP or UDP decode without complaint and nothing else is between them.
func secondOpinion(frame []byte) (opinion, bool) {
	packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{NoCopy: true}) // it recovers its panics
	all := packet.Layers()
	if len(all) < 3 || packet.ErrorLayer() != nil || packet.Metadata().Truncated {
		return opinion{}, false
	}
	var o opinion
	switch ip := all[1].(type) {
	case *layers.IPv4:
		o.src, o.dst, o.ttl = ip.SrcIP.To4(), ip.DstIP.To4(), ip.TTL
	case *layers.IPv6:
		if ip.HopByHop != nil {
			return opinion{}, false
		}
		o.src, o.dst, o.ttl = ip.SrcIP, ip.DstIP, ip.HopLimit
	default:
		return opinion{}, false
	}
	switch l := all[2].(type) {
	case *layers.UDP:
		o.srcPort, o.dstPort, o.payload = uint16(l.SrcPort), uint16(l.DstPort), l.Payload
		if IsTunnelPort(o.srcPort) || IsTunnelPort(o.dstPort) || l.Length < 8 {
			return opinion{}, false
		}
	case *layers.TCP:
		o.srcPort, o.dstPort, o.payload = uint16(l.SrcPort), uint16(l.DstPort), l.Payload
		o.seq, o.ack, o.window = l.Seq, l.Ack, l.Window
		o.fin, o.syn, o.rst, o.psh, o.ackf, o.urg = l.FIN, l.SYN, l.RST, l.PSH, l.ACK, l.URG
		o.ece, o.cwr, o.ae = l.ECE, l.CWR, l.NS
		for _, option := range l.Options {
			o.option(option)
		}
	default:
		return opinion{}, false
	}
	return o, true
}

// option takes the first of each kind.
func (o *opinion) option(option layers.TCPOption) {
	d := option.OptionData
	switch kind := option.OptionType; {
	case kind == layers.TCPOptionKindMSS && len(d) == 2 && !o.hasMSS:
		o.hasMSS, o.mss = true, be16(d)
	case kind == layers.TCPOptionKindWindowScale && len(d) == 1 && !o.hasScale:
		o.hasScale, o.scale = true, d[0]
	case kind == layers.TCPOptionKindTimestamps && len(d) == 8 && !o.hasTS:
		o.hasTS, o.tsVal, o.tsEcr = true, be32(d), be32(d[4:])
	case kind == layers.TCPOptionKindSACKPermitted && len(d) == 0:
		o.hasOK = true
	}
}

func diffOpinions(theirs, ours opinion) string {
	if len(theirs.payload) == 0 && len(ours.payload) == 0 {
		theirs.payload, ours.payload = nil, nil
	}
	return cmp.Diff(theirs, ours, cmp.AllowUnexported(opinion{}))
}

// Packets that gopacket builds are decoded as they were meant.
func TestAgainstGopacket(t *testing.T) {
	mac := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0, 0, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0, 0, 0, 2}}
	ip4 := &layers.IPv4{Version: 4, TTL: 57, TOS: 3, Id: 99, SrcIP: net.IP{192, 0, 2, 1}, DstIP: net.IP{198, 51, 100, 2}}
	ip6 := &layers.IPv6{Version: 6, HopLimit: 58, SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("::ffff:192.0.2.1")}
	option := func(kind layers.TCPOptionKind, data string) layers.TCPOption {
		d := join(data)
		return layers.TCPOption{OptionType: kind, OptionLength: uint8(2 + len(d)), OptionData: d}
	}
	nop := layers.TCPOption{OptionType: layers.TCPOptionKindNop, OptionLength: 1}
	timestamps := option(layers.TCPOptionKindTimestamps, "0102030405060708")
	tcp := []*layers.TCP{
		{SrcPort: 1, DstPort: 65535, Seq: 1 << 31, Window: 1, SYN: true, ECE: true, CWR: true, Options: []layers.TCPOption{
			option(layers.TCPOptionKindMSS, "05b4"), option(layers.TCPOptionKindSACKPermitted, ""), timestamps, nop,
			option(layers.TCPOptionKindWindowScale, "0e")}},
		{SrcPort: 443, DstPort: 50000, Seq: 1, Ack: 2, Window: 65535, ACK: true, PSH: true, Options: []layers.TCPOption{nop, nop, timestamps}},
		{SrcPort: 443, DstPort: 50000, Seq: 1, Ack: 2, ACK: true, FIN: true},
		{SrcPort: 443, DstPort: 50000, RST: true, URG: true, NS: true},
	}
	payload := gopacket.Payload("payload")
	check := func(what string, parts ...gopacket.SerializableLayer) {
		t.Helper()
		buffer := gopacket.NewSerializeBuffer()
		if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...); err != nil {
			t.Fatal(err)
		}
		frame := buffer.Bytes()
		theirs, ok := secondOpinion(frame)
		if !ok {
			t.Fatalf("%s: gopacket does not read what it wrote", what)
		}
		p := dirty()
		p.Decode(frame, uint32(len(frame)), capture.LinkEthernet)
		if p.Err != None {
			t.Errorf("%s: error %v", what, p.Err)
		}
		if diff := diffOpinions(theirs, p.opinion()); diff != "" {
			t.Errorf("%s (-gopacket +ours):\n%s", what, diff)
		}
	}
	for _, l := range tcp {
		mac.EthernetType, ip4.Protocol, ip6.NextHeader = layers.EthernetTypeIPv4, layers.IPProtocolTCP, layers.IPProtocolTCP
		l.SetNetworkLayerForChecksum(ip4)
		check("TCP over IPv4", mac, ip4, l, payload)
		mac.EthernetType = layers.EthernetTypeIPv6
		l.SetNetworkLayerForChecksum(ip6)
		check("TCP over IPv6", mac, ip6, l, payload)
	}
	udp := &layers.UDP{SrcPort: 5353, DstPort: 53001}
	mac.EthernetType, ip4.Protocol, ip6.NextHeader = layers.EthernetTypeIPv4, layers.IPProtocolUDP, layers.IPProtocolUDP
	udp.SetNetworkLayerForChecksum(ip4)
	check("UDP over IPv4", mac, ip4, udp, payload)
	mac.EthernetType = layers.EthernetTypeIPv6
	udp.SetNetworkLayerForChecksum(ip6)
	check("UDP over IPv6", mac, ip6, udp, payload)
}
