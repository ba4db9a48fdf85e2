package flow

import (
	"slices"

	"sockscope/capture"
	"sockscope/decode"
)

// what says in its lowest bits how a record is applied to the table, and in the others
// what is unusual about its packet.
type what uint8

const (
	segment  what = iota // TCP
	datagram             // UDP, ICMP and all other conversations
	sctp
	fragment // a later fragment, to be attributed
	quote    // not a packet of the connection, but an ICMP error about it

	kinds       what = 7      // the bits of the above
	cut         what = 1 << 3 // TCP: the snap length left only the ports
	firstOfMany what = 1 << 4 // the first fragment of several
	surrounded  what = 1 << 5 // by VLAN tags or tunnels
	owned       what = 1 << 6 // the source knows whose it is
)

// A record is what each frame must tell the table: one cache line. What the table asks
// of few packets (options, payload, tunnels) it reads from the frame again; see
// Batch.packet. Records of one partition are applied in the order of the frames.
type record struct {
	key      key
	time     capture.Timestamp
	hash     uint32
	frame    uint32 // index into the block's frames
	wire     uint32 // bytes on the wire
	ip       uint32 // bytes of the IP packet
	payload  uint32 // bytes of transport payload, as the headers say
	seq, ack uint32 // SCTP: seq is the initiate tag of INIT and INIT ACK
	wide     uint32 // 1 + index into Batch.wide when key.wide, else 0
	window   uint16 // ICMP: code
	flags    uint16 // TCP flags; SCTP: set of chunk types; ICMP: type
	what     what
	dir      uint8 // 0: sent by the key's first endpoint
	ttl      uint8
	offset   uint8 // of the captured payload in the frame; 0 means that packet tells
}

// A Batch holds one block's records of one partition.
type Batch struct {
	block *capture.Block
	room  []record // of which the first n are in use
	n     int
	wide  []network

	decoded decode.Packet // of frame number latest
	latest  uint32        // 1 + index into the block's frames, or 0
}

// reset empties b for block.
func (b *Batch) reset(block *capture.Block) {
	b.block = block
	b.n = 0
	b.wide = b.wide[:0]
	b.latest = 0
}

// add appends a record, which may hold an older one's values.
func (b *Batch) add() *record {
	if b.n == len(b.room) {
		b.grow()
	}
	r := &b.room[b.n]
	b.n++
	return r
}

// grow makes room for more records.
func (b *Batch) grow() {
	b.room = append(b.room, record{})
	b.room = b.room[:cap(b.room)]
}

// reserve is room for n more records behind those in use.
func (b *Batch) reserve(n int) []record {
	if len(b.room)-b.n < n {
		b.room = slices.Grow(b.room[:b.n], n)
		b.room = b.room[:cap(b.room)]
	}
	return b.room[b.n:]
}

// records are all records.
func (b *Batch) records() []record { return b.room[:b.n] }

// Len is the number of records.
func (b *Batch) Len() int { return b.n }

// packet is all that r's frame says; it is valid until the next call.
func (b *Batch) packet(r *record) *decode.Packet {
	if b.latest != r.frame+1 {
		f := &b.block.Frames[r.frame]
		b.decoded.Decode(f.Data, f.Length, f.Link)
		b.latest = r.frame + 1
	}
	return &b.decoded
}

// kind is how r is applied.
func (r *record) kind() what { return r.what & kinds }

// payload is what was captured of r's transport payload.
func (b *Batch) payload(r *record) []byte {
	if r.offset == 0 {
		return b.packet(r).Payload
	}
	frame := b.block.Frames[r.frame].Data[r.offset:]
	return frame[:min(len(frame), int(r.payload))] // what follows is padding
}

// number is the number of r's frame in the whole input.
func (b *Batch) number(r *record) uint64 { return b.block.First + uint64(r.frame) }
