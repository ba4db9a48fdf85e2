package pcapfile

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// Parts of the .xz file format 1.2.1.
const (
	xzStreamHeader = 12
	xzFooter       = 12
	xzFilterLZMA2  = 0x21
	xzCheckNone    = 0
	xzCheckCRC32   = 1
	xzCheckCRC64   = 4
	xzCheckSHA256  = 10
)

var (
	xzMagic       = []byte("\xfd7zXZ\x00")
	xzFooterMagic = []byte("YZ")
	crc64ECMA     = crc64.MakeTable(crc64.ECMA)
)

// An unxz reads the streams of an .xz file as one. The container is taken apart
// here and not by the library, which allocates the dictionary that a header asks
// for, up to 4 GiB.
type unxz struct {
	in     *bufio.Reader
	check  byte // of the current stream
	stream bool // inside a stream
	block  io.Reader
	count  *byteCount // compressed bytes of the block
	hash   hash.Hash  // of the block, or nil
	blocks uint64     // of the current stream
	begun  bool
	cost   *int64 // grows by the largest dictionary
	dict   int64  // that one
}

// A byteCount counts what is read through it.
type byteCount struct {
	r io.Reader
	n int64
}

func (c *byteCount) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

func (x *unxz) Read(p []byte) (int, error) {
	for {
		if x.block == nil {
			if err := x.next(); err != nil {
				return 0, err
			}
			continue
		}
		n, err := x.block.Read(p)
		if x.hash != nil {
			x.hash.Write(p[:n])
		}
		switch {
		case err == io.EOF:
			x.block = nil
			err = x.endBlock()
		case err != nil && err != io.ErrUnexpectedEOF:
			err = x.library(err)
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// library is an error of the LZMA2 decoder: the file's own or a broken stream.
func (x *unxz) library(err error) error {
	var f *fault
	if errors.As(err, &f) || errors.Is(err, errStopped) {
		return err
	}
	return errCorrupt
}

// next begins a stream or a block. At the end it returns io.EOF.
func (x *unxz) next() error {
	if !x.stream {
		return x.beginStream()
	}
	size, err := x.in.ReadByte()
	if err != nil {
		return cutShort(err)
	}
	if size == 0 {
		return x.endStream()
	}
	header := make([]byte, 4*(int(size)+1))
	header[0] = size
	if _, err := io.ReadFull(x.in, header[1:]); err != nil {
		return cutShort(err)
	}
	return x.beginBlock(header)
}

func (x *unxz) beginStream() error {
	if x.begun { // stream padding, §2.2
		n, err := skipZeros(x.in)
		if err != nil {
			return err
		}
		if n%4 != 0 {
			return errTrailing
		}
	}
	head, err := x.in.Peek(len(xzMagic))
	if len(head) == 0 {
		return err
	}
	if !bytes.HasPrefix(xzMagic, head) {
		return errTrailing
	}
	header := make([]byte, xzStreamHeader)
	if _, err := io.ReadFull(x.in, header); err != nil {
		return cutShort(err)
	}
	if crc32.ChecksumIEEE(header[6:8]) != binary.LittleEndian.Uint32(header[8:]) || header[6] != 0 || header[7] > 15 {
		return errCorrupt
	}
	x.check, x.stream, x.begun, x.blocks = header[7], true, true, 0
	return nil
}

// beginBlock reads a block header (§3.1). Filters besides LZMA2 are for programs,
// not for captures.
func (x *unxz) beginBlock(header []byte) error {
	end := len(header) - 4
	if crc32.ChecksumIEEE(header[:end]) != binary.LittleEndian.Uint32(header[end:]) {
		return errCorrupt
	}
	flags, fields := header[1], bytes.NewReader(header[2:end])
	if flags&0x3c != 0 { // reserved
		return errCorrupt
	}
	if flags&3 != 0 { // more than one
		return errFilter
	}
	for _, bit := range [...]byte{0x40, 0x80} { // compressed and uncompressed size
		if flags&bit != 0 {
			if _, err := binary.ReadUvarint(fields); err != nil {
				return errCorrupt
			}
		}
	}
	var filter [3]byte // id, size of properties, dictionary size
	if _, err := io.ReadFull(fields, filter[:]); err != nil {
		return errCorrupt
	}
	if filter[0] != xzFilterLZMA2 {
		return errFilter
	}
	if filter[1] != 1 || filter[2] > 40 {
		return errCorrupt
	}
	dictionary := int64(2|filter[2]&1) << (filter[2]/2 + 11)
	if dictionary > maxWindow {
		return errWindow
	}
	*x.cost += max(dictionary-x.dict, 0)
	x.dict = max(dictionary, x.dict)
	x.blocks++
	x.count = &byteCount{r: x.in, n: int64(len(header))}
	block, err := lzma.Reader2Config{DictCap: int(dictionary)}.NewReader2(x.count)
	if err != nil {
		return x.library(err)
	}
	x.block, x.hash = block, newCheck(x.check)
	return nil
}

func newCheck(kind byte) hash.Hash {
	switch kind {
	case xzCheckCRC32:
		return crc32.NewIEEE()
	case xzCheckCRC64:
		return crc64.New(crc64ECMA)
	case xzCheckSHA256:
		return sha256.New()
	}
	return nil
}

// endBlock reads the padding and the check of a block (§3.3, §3.4).
func (x *unxz) endBlock() error {
	size := checkSize(x.check)
	tail := make([]byte, int(-x.count.n&3)+size)
	if _, err := io.ReadFull(x.in, tail); err != nil {
		return cutShort(err)
	}
	if x.hash == nil {
		return nil
	}
	want, got := tail[len(tail)-size:], x.hash.Sum(nil)
	if x.check != xzCheckSHA256 {
		reverse(got) // CRCs are stored in little endian
	}
	if !bytes.Equal(want, got) {
		return errChecksum
	}
	return nil
}

func reverse(b []byte) {
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
}

// checkSize is the size of a check in bytes (§2.1.1.2).
func checkSize(kind byte) int {
	if kind == xzCheckNone {
		return 0
	}
	return 4 << ((kind - 1) / 3)
}

// endStream passes the index and the footer (§4, §2.1.2): they serve readers that
// seek.
func (x *unxz) endStream() error {
	index := &byteCount{r: x.in, n: 1}
	one := byteReader{index}
	records, err := binary.ReadUvarint(one)
	if err == nil && records != x.blocks {
		return errCorrupt // §4.2; a hole in the file would be very many
	}
	for i := uint64(0); err == nil && i < 2*records; i++ {
		_, err = binary.ReadUvarint(one)
	}
	if err != nil {
		return cutShort(err)
	}
	tail := make([]byte, int(-index.n&3)+4+xzFooter)
	if _, err := io.ReadFull(x.in, tail); err != nil {
		return cutShort(err)
	}
	if !bytes.Equal(tail[len(tail)-2:], xzFooterMagic) {
		return errCorrupt
	}
	x.stream = false
	return nil
}

// A byteReader reads single bytes.
type byteReader struct{ io.Reader }

func (r byteReader) ReadByte() (byte, error) {
	var b [1]byte
	_, err := io.ReadFull(r, b[:])
	return b[0], err
}

// cutShort is err where the data must go on.
func cutShort(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
