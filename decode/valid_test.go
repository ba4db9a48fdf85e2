package decode

import (
	"testing"

	"sockscope/capture"

	"github.com/google/go-cmp/cmp"
)

// valid is p with all fields zero that p says hold nothing: what Packet's comments promise, as code.
func (p Packet) valid() Packet {
	for i := int(p.NumVLANs); i < len(p.VLANs); i++ {
		p.VLANs[i] = 0
	}
	for i := int(p.NumTunnels); i < len(p.Tunnels); i++ {
		p.Tunnels[i] = Tunnel{}
	}
	if p.Class < IP {
		return Packet{Class: p.Class, Err: p.Err, EtherType: p.EtherType, NumVLANs: p.NumVLANs, VLANs: p.VLANs,
			NumTunnels: p.NumTunnels, Tunnels: p.Tunnels, Version: p.Version}
	}
	if len(p.Payload) == 0 {
		p.Payload = nil
	}
	if p.Class != TCP && p.Class != UDP && p.Class != SCTP {
		p.SrcPort, p.DstPort = 0, 0
	}
	if p.Class != TCP {
		p.TCPHeader, p.Seq, p.Ack, p.Flags, p.Window = false, 0, 0, 0, 0
		p.Options = TCPOptions{}
	}
	p.Options = p.Options.valid()
	if p.Class != ICMP {
		p.ICMPType, p.ICMPCode, p.Quoted = 0, 0, Quoted{}
	}
	if !p.Quoted.Valid {
		p.Quoted = Quoted{}
	}
	if p.Class != SCTP {
		p.SCTPChunk, p.SCTPChunkBits, p.SCTPTag, p.SCTPInitTag = 0, 0, 0, 0
	}
	return p
}

func (o TCPOptions) valid() TCPOptions {
	v := TCPOptions{Has: o.Has}
	if o.Has&OptMSS != 0 {
		v.MSS = o.MSS
	}
	if o.Has&OptWindowScale != 0 {
		v.WindowScale = o.WindowScale
	}
	if o.Has&OptFastOpen != 0 {
		v.CookieLen = o.CookieLen
	}
	if o.Has&OptMPTCP != 0 {
		v.MPTCP = o.MPTCP
	}
	if o.Has&OptSACK != 0 {
		v.SACKBlocks, v.SACKLeft, v.SACKRight = o.SACKBlocks, o.SACKLeft, o.SACKRight
	}
	if o.Has&OptTimestamps != 0 {
		v.TSVal, v.TSEcr = o.TSVal, o.TSEcr
	}
	return v
}

// dirty is a Packet as a frame with everything in it leaves it.
func dirty() Packet {
	addr := Addr{0xee, 15: 0xee}
	tunnel := Tunnel{Kind: AYIYA, Version: 6, HasID: true, ID: 0xeeee, Src: addr, Dst: addr}
	return Packet{
		Class: SCTP, Err: TooManyVLANs, EtherType: 0xeeee, NumVLANs: 7, NumTunnels: 4, Version: 6, Protocol: 0xee,
		TTL: 0xee, TOS: 0xee, MoreFrags: true, TCPHeader: true, FragOffset: 0xeee8, IPID: 0xeeee, IPLength: 0xeeee,
		Src: addr, Dst: addr, SrcPort: 0xeeee, DstPort: 0xeeee, Flags: 0x1ff, Window: 0xeeee, Seq: 0xeeee, Ack: 0xeeee,
		Payload: []byte("stale"), PayloadLength: 0xeeee,
		Options: TCPOptions{Has: 0xffff, MSS: 0xeeee, WindowScale: 0xee, CookieLen: 0xee, MPTCP: 0xee, SACKBlocks: 0xee,
			TSVal: 0xeeee, TSEcr: 0xeeee, SACKLeft: 0xeeee, SACKRight: 0xeeee},
		VLANs: [2]uint16{0xeee, 0xeee}, ICMPType: 0xee, ICMPCode: 0xee, SCTPChunk: 0xee, SCTPChunkBits: 0xeeee,
		SCTPTag: 0xeeee, SCTPInitTag: 0xeeee,
		Quoted: Quoted{Valid: true, Version: 6, Protocol: 0xee, HasSeq: true, HasFlags: true, SrcPort: 0xeeee,
			DstPort: 0xeeee, Flags: 0xee, Seq: 0xeeee, Src: addr, Dst: addr},
		Tunnels: [MaxTunnels]Tunnel{tunnel, tunnel, tunnel, tunnel},
	}
}

// A decodeTest is a frame and all that Decode must say of it.
type decodeTest struct {
	name  string
	link  capture.LinkType // LinkEthernet when 0, which is NULL's number: see null
	null  bool
	frame []byte
	cut   int // bytes of frame that the snap length cut off
	want  Packet
}

func runTests(t *testing.T, tests []decodeTest) {
	t.Helper()
	for _, tt := range tests {
		tt.run(t)
	}
}

func (tt decodeTest) run(t *testing.T) {
	t.Run(tt.name, func(t *testing.T) {
		t.Helper()
		got := tt.decode(len(tt.frame)-tt.cut, len(tt.frame))
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("Decode (-want +got):\n%s", diff)
		}
	})
}

// decode is what a dirty Packet says of the first n bytes of the frame.
func (tt decodeTest) decode(n, wire int) Packet {
	link := tt.link
	if link == 0 && !tt.null {
		link = capture.LinkEthernet
	}
	p := dirty()
	p.Decode(tt.frame[:n:n], uint32(wire), link)
	return p.valid()
}

func addr(s string) (a Addr) {
	copy(a[:], join(s))
	return a
}

// tcp4 is what the headers around payload say that ip4(6, hello.bytes()) has, changed
// by edits.
func tcp4(edits ...func(*Packet)) Packet {
	p := Packet{
		Class: TCP, EtherType: 0x0800, Version: 4, Protocol: 6, TTL: 64, IPID: 7, IPLength: 45,
		Src: addr(client4), Dst: addr(server4), SrcPort: 40000, DstPort: 443, TCPHeader: true,
		Seq: 0x01020304, Ack: 0x05060708, Flags: PSH | ACK, Window: 1000, Payload: []byte("hello"), PayloadLength: 5,
	}
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

// tcp6 is tcp4 for ip6(6, hello.bytes()).
func tcp6(edits ...func(*Packet)) Packet {
	p := tcp4()
	p.EtherType, p.Version, p.IPID, p.IPLength = 0x86dd, 6, 0, 65
	p.Src, p.Dst = addr(client6), addr(server6)
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

// udp4 is what there is to say of ip4(17, udpBytes(src, dst, payload)).
func udp4(src, dst int, payload []byte, edits ...func(*Packet)) Packet {
	p := Packet{
		Class: UDP, EtherType: 0x0800, Version: 4, Protocol: 17, TTL: 64, IPID: 7, IPLength: 28 + len(payload),
		Src: addr(client4), Dst: addr(server4), SrcPort: uint16(src), DstPort: uint16(dst),
		Payload: payload, PayloadLength: len(payload),
	}
	if len(payload) == 0 {
		p.Payload = nil
	}
	for _, edit := range edits {
		edit(&p)
	}
	return p
}

// hello is the segment that most tests carry.
var hello = segment{src: 40000, dst: 443, seq: 0x01020304, ack: 0x05060708, flags: PSH | ACK, payload: []byte("hello")}

// through adds a tunnel whose outer addresses are those of ip4.
func through(t Tunnel) func(*Packet) {
	if t.Kind != PBB && t.Kind != MACsec && t.Kind != NSH && t.Version == 0 {
		t.Version, t.Src, t.Dst = 4, addr(client4), addr(server4)
	}
	return func(p *Packet) {
		p.Tunnels[p.NumTunnels] = t
		p.NumTunnels++
	}
}

// tagged adds VLAN ids.
func tagged(ids ...uint16) func(*Packet) {
	return func(p *Packet) {
		p.NumVLANs = uint8(len(ids))
		copy(p.VLANs[:], ids)
	}
}

// failed sets the problem.
func failed(err Error) func(*Packet) { return func(p *Packet) { p.Err = err } }
