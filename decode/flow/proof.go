package flow

import "strings"

// A Finding is what one payload proves, before anything is kept of it: an Evidence whose names
// are part of the payload, or of Room.
type Finding struct {
	Service                string // "" when nothing is proved
	FromClient, FromServer bool
	ServerName, ALPN       []byte
	Room                   []byte // 255 bytes
}

// A proof is an Evidence in twelve bytes without pointers, so that the garbage
// collector does not look into hundreds of thousands of them.
type proof struct {
	name, alpn             uint32 // where in texts, valid when the length is not 0
	nameLength, alpnLength uint8
	service                uint8 // number in proofs.services
	bySides                uint8 // bit 0: the key's first end is the client; bit 1: it is the server
}

// proofs keeps what payloads proved.
type proofs struct {
	arena[proof]
	services []string // few; number 0 is none
	texts    texts
	finding  Finding // of the latest payload
}

func newProofs() proofs {
	return proofs{services: []string{""}, finding: Finding{Room: make([]byte, 255)}}
}

// note adds what e says to p. What is known stays.
func (s *proofs) note(p *proof, e *Finding) {
	if p.service == 0 {
		p.service = s.number(e.Service)
	}
	if p.nameLength == 0 {
		p.name, p.nameLength = s.texts.keep(e.ServerName)
	}
	if p.alpnLength == 0 {
		p.alpn, p.alpnLength = s.texts.keep(e.ALPN)
	}
	if p.bySides == 0 {
		p.bySides = bit(e.FromClient) | bit(e.FromServer)<<1
	}
}

// drop gives up a proof by 1 + its number; 0 is none.
func (s *proofs) drop(i uint32) {
	if i != 0 {
		p := s.at(i - 1)
		s.texts.drop(p.name, p.nameLength)
		s.texts.drop(p.alpn, p.alpnLength)
		s.arena.drop(i)
	}
}

// evidence is p as an Evidence, whose FromClient and FromServer are about the key's
// first end.
func (s *proofs) evidence(p *proof) Evidence {
	return Evidence{
		Service:    s.services[p.service],
		ServerName: s.texts.at(p.name, p.nameLength),
		ALPN:       s.texts.at(p.alpn, p.alpnLength),
		FromClient: p.bySides&1 != 0,
		FromServer: p.bySides&2 != 0,
	}
}

// number is the number of a service, a new one when it has none. There are fewer
// services that a payload can prove than numbers.
func (s *proofs) number(service string) uint8 {
	for n, known := range s.services {
		if known == service {
			return uint8(n)
		}
	}
	if len(s.services) == 256 {
		return 0
	}
	s.services = append(s.services, service)
	return uint8(len(s.services) - 1)
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// texts are short strings, one behind the other in chunks. A chunk never outgrows the room
// that it is made with: what was taken from it stays valid.
type texts struct {
	chunks []*strings.Builder // the last one used is that being filled
	live   []int32            // of each chunk: bytes that were not given up
	filled int                // 1 + the chunk that is being filled, or 0
	free   []int              // chunks that are not there: all of their texts were given up

	apart  bool // texts are given up all the time: each is kept for itself
	single arena[string]
	bytes  int64 // of those
}

const textChunk = 1 << 16

// keep stores up to 255 bytes of s and tells where.
func (t *texts) keep(s []byte) (at uint32, length uint8) {
	s = s[:min(len(s), 255)]
	if t.apart {
		if len(s) > 0 {
			var text *string
			at, text = t.single.add()
			*text = string(s)
			t.bytes += int64(len(s))
		}
		return at, uint8(len(s))
	}
	if t.filled == 0 || t.chunks[t.filled-1].Len()+len(s) > textChunk {
		t.filled = 1 + t.chunk()
	}
	last := t.filled - 1
	at = uint32(last*textChunk + t.chunks[last].Len())
	t.chunks[last].Write(s)
	t.live[last] += int32(len(s))
	return at, uint8(len(s))
}

// chunk begins a chunk.
func (t *texts) chunk() (number int) {
	chunk := new(strings.Builder)
	chunk.Grow(textChunk)
	if last := len(t.free) - 1; last >= 0 {
		number, t.free = t.free[last], t.free[:last]
		t.chunks[number] = chunk
		return number
	}
	t.chunks, t.live = append(t.chunks, chunk), append(t.live, 0)
	return len(t.chunks) - 1
}

// used is what the texts take, in bytes.
func (t *texts) used() int64 {
	var live int64
	for _, n := range t.live {
		live += int64(n)
	}
	return live + t.bytes + t.single.used()
}

// at is the string at a place. It is part of its chunk, so none is made.
func (t *texts) at(at uint32, length uint8) string {
	switch {
	case length == 0:
		return ""
	case t.apart:
		return *t.single.at(at)
	}
	return t.chunks[at/textChunk].String()[at%textChunk:][:length]
}

// drop gives up the string at a place.
func (t *texts) drop(at uint32, length uint8) {
	switch {
	case length == 0:
	case t.apart:
		t.bytes -= int64(length)
		t.single.drop(at + 1)
	default:
		chunk := int(at / textChunk)
		t.live[chunk] -= int32(length)
		if t.live[chunk] == 0 && t.filled != chunk+1 {
			t.chunks[chunk] = nil
			t.free = append(t.free, chunk)
		}
	}
}
