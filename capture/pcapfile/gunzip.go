package pcapfile

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// Parts of a gzip member (RFC 1952 §2.3).
const (
	gzipHeader  = 10
	gzipTrailer = 8
	gzipDeflate = 8

	gzipHeaderCRC = 1 << 1
	gzipExtra     = 1 << 2
	gzipName      = 1 << 3
	gzipComment   = 1 << 4
	gzipReserved  = 0xe0
)

// A gunzip reads the members of a gzip file as one stream (RFC 1952 §2.2). Headers
// are taken apart here and not by the library, which refuses long names and
// comments.
type gunzip struct {
	in     *bufio.Reader
	data   io.ReadCloser // of the member, decompressed; nil before the first
	digest uint32        // CRC-32 of what the member gave
	size   uint32        // of the same, modulo 2^32
	inside bool          // in a member
}

func (g *gunzip) Read(p []byte) (int, error) {
	for {
		if !g.inside {
			if err := g.nextMember(); err != nil {
				return 0, err
			}
		}
		n, err := g.data.Read(p)
		g.digest = crc32.Update(g.digest, crc32.IEEETable, p[:n])
		g.size += uint32(n)
		if err == io.EOF {
			g.inside = false
			err = g.trailer()
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// nextMember goes on to the next member. Zeros at the end are a tape's padding.
func (g *gunzip) nextMember() error {
	if g.data != nil {
		if _, err := skipZeros(g.in); err != nil {
			return err
		}
		head, err := g.in.Peek(2)
		switch {
		case len(head) == 0:
			return err // io.EOF or the file's own
		case compressionOf(head) != "gzip":
			return errTrailing
		}
	}
	if err := g.header(); err != nil {
		return cutShort(err)
	}
	if g.data == nil {
		g.data = flate.NewReader(g.in)
	} else if err := g.data.(flate.Resetter).Reset(g.in, nil); err != nil {
		return err
	}
	g.digest, g.size, g.inside = 0, 0, true
	return nil
}

// header passes a member's header (§2.3.1). Nothing in it is of use, whatever its
// length.
func (g *gunzip) header() error {
	var head [gzipHeader]byte
	if _, err := io.ReadFull(g.in, head[:]); err != nil {
		return err
	}
	flags := head[3]
	if head[2] != gzipDeflate || flags&gzipReserved != 0 {
		return errCorrupt
	}
	sum := crc32.NewIEEE()
	sum.Write(head[:])
	if flags&gzipExtra != 0 {
		var size [2]byte
		if _, err := io.ReadFull(g.in, size[:]); err != nil {
			return err
		}
		sum.Write(size[:])
		if _, err := io.CopyN(sum, g.in, int64(binary.LittleEndian.Uint16(size[:]))); err != nil {
			return err
		}
	}
	for _, text := range [...]byte{gzipName, gzipComment} {
		for more := flags&text != 0; more; {
			part, err := g.in.ReadSlice(0)
			sum.Write(part)
			if more = errors.Is(err, bufio.ErrBufferFull); err != nil && !more {
				return err
			}
		}
	}
	if flags&gzipHeaderCRC != 0 {
		var want [2]byte
		if _, err := io.ReadFull(g.in, want[:]); err != nil {
			return err
		}
		if binary.LittleEndian.Uint16(want[:]) != uint16(sum.Sum32()) {
			return errCorrupt
		}
	}
	return nil
}

// trailer compares what the member gave with its trailer.
func (g *gunzip) trailer() error {
	var tail [gzipTrailer]byte
	if _, err := io.ReadFull(g.in, tail[:]); err != nil {
		return cutShort(err)
	}
	if binary.LittleEndian.Uint32(tail[:]) != g.digest || binary.LittleEndian.Uint32(tail[4:]) != g.size {
		return errChecksum
	}
	return nil
}
