package flow

import (
	"encoding/binary"
	"math"
	"slices"

	"sockscope/capture"
	"sockscope/decode"
)

// A Recorder decodes frames into records. Each worker has its own; its Totals
// count the frames it saw.
type Recorder struct {
	Totals Totals
	Filter func(*capture.Frame) bool // frames that it refuses are only counted; nil means none

	seed   *Seed
	packet decode.Packet
	record record // see divided
}

// NewRecorder makes a Recorder for a run whose tables use seed.
func NewRecorder(seed *Seed) *Recorder {
	return &Recorder{seed: seed, Totals: NewTotals()}
}

// Record decodes all frames of block and puts each one's record into the batch
// of its partition. The batches refer to block until they are applied. It gives the latest
// time of a frame, or Unknown.
func (r *Recorder) Record(block *capture.Block, parts []Batch) capture.Timestamp {
	frames := block.Frames
	for i := range parts {
		parts[i].reset(block)
		parts[i].reserve(len(frames) / len(parts)) // about
	}
	all, last := r.Totals.read(frames)
	var others Volume // others are not common ones
	links := linkRun{totals: &r.Totals}
	for i := 0; i < len(frames); i++ {
		f := &frames[i]
		run := frames[i:]
		if r.Filter != nil {
			if !r.Filter(f) {
				others.Add(f.Length)
				links.count(f.Link)
				r.Totals.Filtered.Add(f.Length)
				continue
			}
			run = run[:1]
		}
		if f.Link == capture.LinkEthernet { // others need not ask
			if n := r.commons(run, uint32(i), parts); n > 0 {
				i += n - 1
				continue
			}
		}
		others.Add(f.Length)
		links.count(f.Link)
		r.frame(f, uint32(i), parts)
	}
	links.flush()
	r.Totals.common(Volume{all.Frames - others.Frames, all.Bytes - others.Bytes})
	return last
}

// commons adds the records of the common frames at the start of frames, of which the first
// has a number in the block, and says how many these are.
func (r *Recorder) commons(frames []capture.Frame, number uint32, parts []Batch) int {
	if len(parts) > 1 {
		return r.divided(frames, number, parts)
	}
	b := &parts[0]
	room := b.reserve(len(frames))
	n := 0
	for ; n < len(frames); n++ {
		f, rec := &frames[n], &room[n]
		version := common(f, rec, r.seed)
		if version == 0 {
			break
		}
		rec.frame = number + uint32(n)
		if version == 6 {
			r.commonWide(f, rec, parts)
		}
	}
	b.n += n
	return n
}

// divided is commons where there are several partitions: only when a record is made it is
// known where it belongs.
func (r *Recorder) divided(frames []capture.Frame, number uint32, parts []Batch) int {
	rec := &r.record
	for i := range frames {
		f := &frames[i]
		version := common(f, rec, r.seed)
		if version == 0 {
			return i
		}
		rec.frame = number + uint32(i)
		if version == 6 {
			r.commonWide(f, rec, parts)
		}
		*parts[r.seed.partition(rec.key, len(parts))].add() = *rec
	}
	return len(frames)
}

// commonWide completes the record of f, which is a common frame over IPv6, and adds its
// network to the record's partition.
func (r *Recorder) commonWide(f *capture.Frame, rec *record, parts []Batch) {
	ip := macLen
	if rec.what&surrounded != 0 {
		ip += tagLen
	}
	h := (*[ipv6Len + 4]byte)(f.Data[ip:])
	src, dst := (*decode.Addr)(h[8:24]), (*decode.Addr)(h[24:40])
	ports := binary.BigEndian.Uint32(h[40:])
	k, dir := r.seed.between(src, dst, 0, uint16(ports>>16), uint16(ports), h[6], 6)
	rec.key, rec.hash, rec.dir = k, r.seed.hash(k), dir
	b := &parts[r.seed.partition(k, len(parts))]
	if len(b.wide) == cap(b.wide) {
		b.wide = slices.Grow(b.wide, 1)
	}
	b.wide = b.wide[:len(b.wide)+1]
	n := &b.wide[len(b.wide)-1]
	// Source and destination in the key's order, again without a branch.
	first := 8 + 16*uint(dir&1)
	n.a, n.b = decode.Addr(h[first:]), decode.Addr(h[32-first:])
	n.tunnel, n.id = 0, 0
	rec.wide = uint32(len(b.wide))
}

// frame decodes any frame, counts it when it is no packet of a connection or
// conversation, and adds its record when it is.
func (r *Recorder) frame(f *capture.Frame, number uint32, parts []Batch) {
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
		if p.Quoted.Valid && isError(p.Version, p.ICMPType, p.ICMPCode) {
			r.quote(f, number, parts)
		}
	case decode.IP:
		if hasPorts(p.Protocol) || isICMP(p.Protocol) { // its header is not there
			r.Totals.undecoded(p.Err, f)
			return
		}
		r.Totals.OtherIP[p.Protocol].Add(f.Length)
	case decode.Fragment:
		// The table knows whether the first fragment was seen.
	case decode.NonIP:
		v := r.Totals.NonIP[p.EtherType]
		v.Add(f.Length)
		r.Totals.NonIP[p.EtherType] = v
		return
	default:
		r.Totals.undecoded(p.Err, f)
		return
	}
	r.packetRecord(f, number, parts)
}

// packetRecord adds the record of the decoded packet, which has IP addresses.
func (r *Recorder) packetRecord(f *capture.Frame, frame uint32, parts []Batch) {
	p := &r.packet
	var sport, dport uint16
	switch p.Class {
	case decode.TCP, decode.UDP, decode.SCTP:
		sport, dport = p.SrcPort, p.DstPort
	}
	rec := r.add(parts, p, f, frame, &p.Src, &p.Dst, sport, dport, p.Protocol, p.Version)
	rec.wire, rec.payload, rec.ttl = f.Length, uint32(p.PayloadLength), p.TTL
	rec.ip = uint32(min(p.IPLength, math.MaxUint32)) // a jumbogram may be longer with its header
	switch p.Class {
	case decode.TCP:
		rec.what = segment
		rec.seq, rec.ack = p.Seq, p.Ack
		rec.window, rec.flags = p.Window, p.Flags
		if !p.TCPHeader {
			rec.what |= cut
		}
	case decode.SCTP:
		rec.what = sctp
		rec.flags, rec.seq = p.SCTPChunkBits, p.SCTPInitTag
	case decode.Fragment:
		rec.what, rec.payload = fragment, 0
	default:
		rec.what = datagram
		if p.Class == decode.ICMP {
			rec.flags, rec.window = uint16(p.ICMPType), uint16(p.ICMPCode)
		}
	}
	if p.MoreFrags && p.Class != decode.Fragment {
		rec.what |= firstOfMany
	}
	if p.NumTunnels != 0 || p.NumVLANs != 0 {
		rec.what |= surrounded
	}
	if f.Owner != 0 {
		rec.what |= owned
	}
}

// quote adds a record for the connection that the decoded ICMP error is about.
func (r *Recorder) quote(f *capture.Frame, frame uint32, parts []Batch) {
	p := &r.packet
	q := &p.Quoted
	var sport, dport uint16
	if hasPorts(q.Protocol) {
		sport, dport = q.SrcPort, q.DstPort
	}
	rec := r.add(parts, p, f, frame, &q.Src, &q.Dst, sport, dport, q.Protocol, q.Version)
	rec.what, rec.seq = quote, q.Seq
}

// add adds a record for a tuple that p has, in the virtual network that p is in.
func (r *Recorder) add(parts []Batch, p *decode.Packet, f *capture.Frame, frame uint32,
	src, dst *decode.Addr, sport, dport uint16, protocol, version uint8) *record {
	var k key
	var dir uint8
	n := network{a: *src, b: *dst}
	if p.NumTunnels != 0 {
		n.tunnel, n.id = virtual(p)
	}
	if version == 4 && n.tunnel == 0 {
		k, dir = narrow(endpoint(binary.BigEndian.Uint32(src[:]), sport), endpoint(binary.BigEndian.Uint32(dst[:]), dport), protocol)
	} else {
		k, dir = r.seed.wide(&n, sport, dport, protocol, version)
	}
	b := &parts[r.seed.partition(k, len(parts))]
	rec := b.add()
	*rec = record{key: k, time: f.Time, hash: r.seed.hash(k), frame: frame, dir: dir}
	if k.wide() {
		b.wide = append(b.wide, n)
		rec.wide = uint32(len(b.wide))
	}
	return rec
}

// virtual is the virtual network that p's innermost packet is in: kind and id of the
// innermost tunnel that keeps tenants apart, or zeros.
func virtual(p *decode.Packet) (tunnel, id uint32) {
	for i := int(p.NumTunnels) - 1; i >= 0; i-- {
		t := &p.Tunnels[i]
		switch t.Kind {
		case decode.VXLAN, decode.Geneve, decode.NVGRE:
			return uint32(t.Kind), t.ID
		}
	}
	return 0, 0
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
