package flow

import (
	"sockscope/capture"
	"sockscope/decode"
)

// A Recorder decodes frames into records. Each worker has its own; its Totals
// count the frames it saw.
type Recorder struct {
	Totals Totals

	seed   *Seed
	packet decode.Packet
}

// NewRecorder makes a Recorder for a run whose tables use seed.
func NewRecorder(seed *Seed) *Recorder {
	return &Recorder{seed: seed, Totals: newTotals()}
}

// Record decodes all frames of block and puts each one's record into the batch
// of its partition. The batches refer to block until they are applied.
func (r *Recorder) Record(block *capture.Block, parts []Batch) {
	for i := range parts {
		parts[i].reset(block)
	}
	links := linkRun{totals: &r.Totals}
	for i := range block.Frames {
		f := &block.Frames[i]
		r.Totals.frame(f)
		links.count(f.Link)
		p := &r.packet
		p.Decode(f.Data, f.Length, f.Link)
		if p.Err != decode.None {
			r.Totals.Problems[p.Err]++
		}
		switch p.Class {
		case decode.TCP, decode.UDP, decode.SCTP:
			r.Totals.Connections.Add(f.Length)
		case decode.ICMP:
			r.Totals.ICMP.Add(f.Length)
			if p.Quoted.Valid {
				r.quote(f, uint32(i), parts)
			}
		case decode.IP:
			if hasPorts(p.Protocol) || isICMP(p.Protocol) { // its header is not there
				r.Totals.undecoded(p.Err, f)
				continue
			}
			r.Totals.OtherIP[p.Protocol].Add(f.Length)
		case decode.Fragment:
			// The table knows whether the first fragment was seen.
		case decode.NonIP:
			v := r.Totals.NonIP[p.EtherType]
			v.Add(f.Length)
			r.Totals.NonIP[p.EtherType] = v
			continue
		default:
			r.Totals.undecoded(p.Err, f)
			continue
		}
		r.packetRecord(f, uint32(i), parts)
	}
	links.flush()
}

// packetRecord adds the record of the decoded packet, which has IP addresses.
func (r *Recorder) packetRecord(f *capture.Frame, frame uint32, parts []Batch) {
	p := &r.packet
	k := key{proto: p.Protocol, version: p.Version}
	var sport, dport uint16
	what := datagram
	switch p.Class {
	case decode.TCP:
		what, sport, dport = segment, p.SrcPort, p.DstPort
	case decode.UDP:
		sport, dport = p.SrcPort, p.DstPort
	case decode.SCTP:
		what, sport, dport = sctp, p.SrcPort, p.DstPort
	case decode.Fragment:
		what = fragment
	}
	if p.NumTunnels != 0 {
		k.tunnel, k.vni = network(p)
	}
	dir := r.seed.orient(&k, &p.Src, &p.Dst, sport, dport)
	b := &parts[r.seed.partition(&k, len(parts))]
	rec := b.add()
	rec.key, rec.hash, rec.time, rec.frame = k, r.seed.hash(&k), f.Time, frame
	rec.wire, rec.ip, rec.kind, rec.dir, rec.ttl = f.Length, uint32(p.IPLength), what, dir, p.TTL
	if what != fragment && len(p.Payload) > 0 {
		rec.offset = uint32(cap(f.Data) - cap(p.Payload)) // Payload is a part of Data
		rec.captured = uint16(min(len(p.Payload), 65535))
	}
	simple := true
	switch what {
	case segment:
		rec.payload = uint32(p.PayloadLength)
		rec.seq, rec.ack = p.Seq, p.Ack
		rec.window, rec.flags, rec.cut = p.Window, p.Flags, !p.TCPHeader
		simple = p.Flags&decode.SYN == 0
	case datagram:
		rec.payload = uint32(p.PayloadLength)
		if p.Class == decode.ICMP {
			rec.flags, rec.window = uint16(p.ICMPType), uint16(p.ICMPCode)
		}
	case sctp:
		rec.payload = uint32(p.PayloadLength)
		rec.flags, rec.seq = p.SCTPChunkBits, p.SCTPInitTag
	case fragment:
		simple = false
	}
	if p.Version == 6 {
		pair := addressPair{p.Src, p.Dst}
		if dir == 1 {
			pair = addressPair{p.Dst, p.Src}
		}
		b.wide = append(b.wide, pair)
		rec.wide = uint32(len(b.wide))
	}
	for i := range min(int(p.NumVLANs), len(p.VLANs)) {
		if id := p.VLANs[i]; id != 0 { // 0 is a priority tag, not a network (IEEE 802.1Q)
			rec.vlan, rec.hasVLAN = id, true
			break
		}
	}
	if simple && p.NumTunnels == 0 && !p.MoreFrags {
		return
	}
	b.extras = append(b.extras, extra{})
	rec.extra = uint32(len(b.extras))
	x := &b.extras[len(b.extras)-1]
	if what == segment && !simple {
		x.options = p.Options
	}
	x.nTunnels = p.NumTunnels
	copy(x.tunnels[:], p.Tunnels[:p.NumTunnels])
	if p.MoreFrags || what == fragment {
		x.first, x.id = what != fragment, p.IPID
	}
}

// quote adds a record for the connection that the decoded ICMP error is about.
func (r *Recorder) quote(f *capture.Frame, frame uint32, parts []Batch) {
	p := &r.packet
	q := &p.Quoted
	k := key{proto: q.Protocol, version: q.Version}
	if p.NumTunnels != 0 {
		k.tunnel, k.vni = network(p)
	}
	var sport, dport uint16
	if hasPorts(q.Protocol) {
		sport, dport = q.SrcPort, q.DstPort
	}
	dir := r.seed.orient(&k, &q.Src, &q.Dst, sport, dport)
	b := &parts[r.seed.partition(&k, len(parts))]
	rec := b.add()
	rec.key, rec.hash, rec.time, rec.frame = k, r.seed.hash(&k), f.Time, frame
	rec.kind, rec.dir, rec.seq = quote, dir, q.Seq
	if q.Version == 6 {
		pair := addressPair{q.Src, q.Dst}
		if dir == 1 {
			pair = addressPair{q.Dst, q.Src}
		}
		b.wide = append(b.wide, pair)
		rec.wide = uint32(len(b.wide))
	}
	b.extras = append(b.extras, extra{
		icmpType: p.ICMPType, icmpCode: p.ICMPCode, hasSeq: q.HasSeq,
		from: p.Src, fromVersion: p.Version,
	})
	rec.extra = uint32(len(b.extras))
}

// hasPorts reports whether a protocol's conversations are told apart by ports.
func hasPorts(protocol uint8) bool {
	switch protocol {
	case protoTCP, protoUDP, protoSCTP, protoUDPLite:
		return true
	}
	return false
}

// IP protocol numbers.
const (
	protoICMP    = 1
	protoTCP     = 6
	protoUDP     = 17
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// network is the virtual network that p's innermost packet is in: kind and id of the
// innermost tunnel that keeps tenants apart, or zeros.
func network(p *decode.Packet) (tunnel uint16, vni uint32) {
	for i := int(p.NumTunnels) - 1; i >= 0; i-- {
		t := &p.Tunnels[i]
		switch t.Kind {
		case decode.VXLAN, decode.Geneve, decode.NVGRE:
			return uint16(t.Kind), t.ID
		}
	}
	return 0, 0
}
