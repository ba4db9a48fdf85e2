package decode

import "encoding/binary"

// A header says what begins at the walk's position.
type header uint8

const (
	done header = iota
	unknownLink
	notNetwork // a link type whose frames hold no packets
	ethernetHeader
	ipv4Header
	ipv6Header
	ipHeader // of version 4 or 6, as its first four bits say
	llcHeader
	snapHeader
	nullHeader
	sllHeader
	sll2Header
	nflogHeader
	wifiHeader
	wifiSwappedHeader
	radiotapHeader
	prismHeader
	avsHeader
	ppiHeader
	pppHeader
	pppDirectionHeader
	pppoeHeader
	chdlcHeader
	chdlcDirectionHeader
	frameRelayHeader
	frameRelayDirectionHeader
	pflogHeader
	encHeader
	tokenRingHeader
	fddiHeader
	arcnetHeader
	arcnetLinuxHeader
	sunATMHeader
	slipHeader
	ieee1394Header
	ipnetHeader
	ipoibHeader
	mplsHeader
	netAnalyzerHeader
	preambleHeader
	pktapHeader
	rawHeader
	clipHeader
	juniperEthernetHeader
	juniperPPPHeader
	juniperFrameRelayHeader
	juniperCHDLCHeader
	juniperOtherHeader
	pbbHeader
	macsecHeader
	nshHeader
	trillHeader
	fabricPathHeader
	greHeader
)

// A walk goes through a frame's headers, one step a header.
//
// What a header says is written into p when it becomes part of the answer: the
// fields of an IP header only once that header is known to be good, so that a
// tunnel with other content leaves its carrier's fields as they are.
type walk struct {
	p       *Packet
	b       []byte // captured, from the next header on, without what follows the enclosing packet
	missing int    // bytes of the enclosing packet after b, cut off by the snap length

	layers, extensions uint8
	tunnels            uint8 // in p.Tunnels; p.NumTunnels follows when the content is IP
	vlans              uint8 // likewise of p.VLANs
	partial            bool  // inside a first fragment: lengths reach beyond it
	padded             bool  // the 802.11 header is padded to 32 bits
}

// run takes one step for each header until one of them is the last. It is a switch because a walk
// that is handed to a function value would be allocated.
func (w *walk) run(next header) {
	for next != done {
		if w.layers++; w.layers > MaxLayers {
			w.note(TooManyLayers)
			return
		}
		switch next {
		case ethernetHeader:
			next = w.ethernet()
		case ipv4Header:
			next = w.ipv4()
		case ipv6Header:
			next = w.ipv6()
		case ipHeader:
			next = w.ip()
		case llcHeader:
			next = w.llc()
		case snapHeader:
			next = w.snap()
		case nullHeader:
			next = w.null()
		case sllHeader:
			next = w.sll()
		case sll2Header:
			next = w.sll2()
		case nflogHeader:
			next = w.nflog()
		case wifiHeader:
			next = w.wifi()
		case wifiSwappedHeader:
			next = w.wifiSwapped()
		case radiotapHeader:
			next = w.radiotap()
		case prismHeader:
			next = w.prism()
		case avsHeader:
			next = w.avs()
		case ppiHeader:
			next = w.ppi()
		case pppHeader:
			next = w.ppp()
		case pppDirectionHeader:
			next = w.pppDirection()
		case pppoeHeader:
			next = w.pppoe()
		case chdlcHeader:
			next = w.chdlc()
		case chdlcDirectionHeader:
			next = w.chdlcDirection()
		case frameRelayHeader:
			next = w.frameRelay()
		case frameRelayDirectionHeader:
			next = w.frameRelayDirection()
		case pflogHeader:
			next = w.pflog()
		case encHeader:
			next = w.enc()
		case tokenRingHeader:
			next = w.tokenRing()
		case fddiHeader:
			next = w.fddi()
		case arcnetHeader:
			next = w.arcnet()
		case arcnetLinuxHeader:
			next = w.arcnetLinux()
		case sunATMHeader:
			next = w.sunATM()
		case slipHeader:
			next = w.slip()
		case ieee1394Header:
			next = w.ieee1394()
		case ipnetHeader:
			next = w.ipnet()
		case ipoibHeader:
			next = w.ipoib()
		case mplsHeader:
			next = w.mpls()
		case netAnalyzerHeader:
			next = w.netAnalyzer()
		case preambleHeader:
			next = w.preamble()
		case rawHeader:
			next = w.raw()
		case clipHeader:
			next = w.clip()
		case juniperEthernetHeader:
			next = w.juniper(ethernetHeader)
		case juniperPPPHeader:
			next = w.juniper(pppHeader)
		case juniperFrameRelayHeader:
			next = w.juniper(frameRelayHeader)
		case juniperCHDLCHeader:
			next = w.juniper(chdlcHeader)
		case juniperOtherHeader:
			next = w.juniper(unknownLink) // a cookie of the interface comes first
		case pktapHeader:
			next = w.pktap()
		case pbbHeader:
			next = w.pbb()
		case macsecHeader:
			next = w.macsec()
		case nshHeader:
			next = w.nsh()
		case trillHeader:
			next = w.trill()
		case fabricPathHeader:
			next = w.fabricPath()
		case greHeader:
			next = w.gre()
		case notNetwork:
			next = w.nonIP(0)
		default:
			next = w.fail(UnknownLinkType)
		}
	}
}

// note keeps the first problem of the frame.
func (w *walk) note(err Error) {
	if w.p.Err == None {
		w.p.Err = err
	}
}

// fail notes err and ends the walk.
func (w *walk) fail(err Error) header {
	w.note(err)
	return done
}

// short ends the walk because w.b ends within a header.
func (w *walk) short() header { return w.fail(cut(w.missing)) }

// cut is the Error of a header that is not whole, with missing bytes cut off.
func cut(missing int) Error {
	if missing > 0 {
		return Truncated
	}
	return Short
}

// tunnel notes an encapsulation by the innermost IP packet, and whether there may be one more.
// The walk goes on behind the encapsulation's header, with its content.
func (w *walk) tunnel(t Tunnel) bool {
	p := w.p
	if w.tunnels == MaxTunnels {
		w.note(TooManyTunnels)
		return false
	}
	if t.Kind != PBB && t.Kind != MACsec && p.Class >= IP {
		t.Version, t.Src, t.Dst = p.Version, p.Src, p.Dst
	}
	p.Tunnels[w.tunnels] = t
	w.tunnels++
	return true
}

// trim cuts what follows the n bytes from w.b on: padding, check sequences. With
// fewer bytes there, the rest counts as missing.
func (w *walk) trim(n int) {
	if n < len(w.b) {
		w.b = w.b[:n]
	}
	w.missing = n - len(w.b)
}

// wire is the length on the wire of what begins at w.b, in bytes.
func (w *walk) wire() int { return len(w.b) + w.missing }

// nonIP ends the walk at content that is not IP. It describes the frame unless a
// carrier already does.
func (w *walk) nonIP(etherType uint16) header {
	if p := w.p; p.Class == Undecoded {
		p.Class, p.EtherType = NonIP, etherType
	}
	return done
}

func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
func le16(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }
func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }
