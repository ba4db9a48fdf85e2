package privilege

import (
	"encoding/binary"
	"errors"

	"sockscope/capture"
)

// The helper and the program speak in packets of little-endian numbers:
//
//	question: number uint32, PID uint32 (0: of all processes)
//	answer:   number of the question uint32, part uint16, kind uint16, then
//	          more, last: links, each PID uint32, network namespace uint32, inode uint64
//	          failed:     a text; it is the last part, and the links before it count
//
// The parts of an answer are numbered from 0.
const (
	questionSize = 8
	headerSize   = 8
	linkSize     = 16
	packetSize   = 32 << 10

	linksInPacket = (packetSize - headerSize) / linkSize
	maxLinks      = 1 << 20 // of an answer: 24 MiB
	maxText       = 512     // bytes
)

// Kinds of the parts of an answer.
const (
	more uint16 = iota
	last
	failed
)

// A part of an answer.
type part struct {
	question uint32
	number   uint16
	kind     uint16
	links    []byte
	text     string
}

var errBadMessage = errors.New("the helper does not speak as it should")

func appendQuestion(b []byte, number uint32, pid int) []byte {
	b = binary.LittleEndian.AppendUint32(b, number)
	return binary.LittleEndian.AppendUint32(b, uint32(pid))
}

// readQuestion takes a question apart, whose number 0 says that it is none.
func readQuestion(b []byte) (number uint32, pid int) {
	if len(b) != questionSize {
		return 0, 0
	}
	return binary.LittleEndian.Uint32(b), int(int32(binary.LittleEndian.Uint32(b[4:])))
}

// appendPart appends a part's header; what follows is the caller's.
func appendPart(b []byte, question uint32, number, kind uint16) []byte {
	b = binary.LittleEndian.AppendUint32(b, question)
	b = binary.LittleEndian.AppendUint16(b, number)
	return binary.LittleEndian.AppendUint16(b, kind)
}

func appendLink(b []byte, l capture.Link) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(l.PID))
	b = binary.LittleEndian.AppendUint32(b, l.Netns)
	return binary.LittleEndian.AppendUint64(b, l.Inode)
}

// readPart takes a packet apart.
func readPart(b []byte) (part, error) {
	if len(b) < headerSize || len(b) > packetSize {
		return part{}, errBadMessage
	}
	p := part{
		question: binary.LittleEndian.Uint32(b),
		number:   binary.LittleEndian.Uint16(b[4:]),
		kind:     binary.LittleEndian.Uint16(b[6:]),
	}
	switch rest := b[headerSize:]; {
	case p.kind == failed:
		p.text = string(rest)
	case p.kind > failed || len(rest)%linkSize != 0:
		return part{}, errBadMessage
	default:
		p.links = rest
	}
	return p, nil
}

// appendLinks appends the links of p, which hold no negative PID.
func (p *part) appendLinks(list []capture.Link) []capture.Link {
	for b := p.links; len(b) >= linkSize; b = b[linkSize:] {
		list = append(list, capture.Link{
			PID:   int(binary.LittleEndian.Uint32(b) & (1<<31 - 1)),
			Netns: binary.LittleEndian.Uint32(b[4:]),
			Inode: binary.LittleEndian.Uint64(b[8:]),
		})
	}
	return list
}
