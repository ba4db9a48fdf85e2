package flow

import (
	"sockscope/capture"
	"sockscope/decode"
)

// A kind says how a record is applied to the table.
type kind uint8

const (
	segment  kind = iota // TCP
	datagram             // UDP, ICMP and all other conversations
	sctp
	fragment // a later fragment, to be attributed
	quote    // not a packet of the connection, but an ICMP error about it
)

// A record is what the table needs of one frame. Records of one partition are
// applied in the order of the frames.
type record struct {
	key      key
	hash     uint32
	time     capture.Timestamp
	frame    uint32 // index into the block's frames
	wire     uint32 // bytes on the wire
	ip       uint32 // bytes of the IP packet
	payload  uint32 // bytes of transport payload, as the headers say
	seq, ack uint32 // SCTP: seq is the initiate tag of INIT and INIT ACK
	wide     uint32 // 1 + index into Batch.wide: IPv6 addresses
	extra    uint32 // 1 + index into Batch.extras
	offset   uint32 // of the captured payload in the frame
	captured uint16 // bytes of captured payload, at most 65535
	window   uint16 // ICMP: code
	flags    uint16 // TCP flags; SCTP: set of chunk types; ICMP: type
	kind     kind
	dir      uint8 // 0: sent by the key's first endpoint
	ttl      uint8
	cut      bool // TCP: the snap length left the ports alone
	hasVLAN  bool
	vlan     uint16 // outermost id
}

// extra is what few records need.
type extra struct {
	options  decode.TCPOptions
	tunnels  [decode.MaxTunnels]decode.Tunnel
	nTunnels uint8
	first    bool   // first of several fragments
	id       uint32 // of the fragments
	// quote: the ICMP error
	icmpType, icmpCode uint8
	hasSeq             bool
	from               decode.Addr
	fromVersion        uint8
}

// A Batch holds one block's records of one partition.
type Batch struct {
	block   *capture.Block
	records []record
	wide    []addressPair
	extras  []extra
}

// reset empties b for block.
func (b *Batch) reset(block *capture.Block) {
	b.block = block
	b.records = b.records[:0]
	b.wide = b.wide[:0]
	b.extras = b.extras[:0]
}

// add appends an empty record.
func (b *Batch) add() *record {
	n := len(b.records)
	if n == cap(b.records) {
		b.records = append(b.records, record{})
	} else {
		b.records = b.records[:n+1]
		b.records[n] = record{}
	}
	return &b.records[n]
}

// Len is the number of records.
func (b *Batch) Len() int { return len(b.records) }

// payload is what was captured of r's transport payload.
func (b *Batch) payload(r *record) []byte {
	return b.block.Frames[r.frame].Data[r.offset:][:r.captured]
}

// number is the number of r's frame in the whole input.
func (b *Batch) number(r *record) uint64 { return b.block.First + uint64(r.frame) }
