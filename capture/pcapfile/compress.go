package pcapfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/bits"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	maxWindow    = 128 << 20 // bytes a decompressor may look back
	bombRatio    = 10_000    // of decompressed to compressed bytes
	bombMinimum  = 1 << 30   // decompressed bytes, before the ratio matters
	inflateInput = 64 << 10
)

// compressionOf names the compression that head, a file's first bytes, begins.
func compressionOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return "gzip"
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")), skippable(head):
		return "zstd"
	case bytes.HasPrefix(head, []byte("\x04\x22\x4d\x18")):
		return "lz4"
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return "xz"
	}
	return ""
}

// skippable recognizes the frames that parallel compressors put before zstd's own.
func skippable(head []byte) bool {
	return len(head) >= 4 && head[0]&0xf0 == 0x50 && head[1] == 0x2a && head[2] == 0x4d && head[3] == 0x18
}

// An expander gives the decompressed bytes of a file.
type expander struct {
	name  string
	file  *file
	in    *bufio.Reader
	r     io.Reader
	free  func()
	out   int64
	begun bool // some bytes were given
}

// decompress reads file as what name says. The file belongs to the source then,
// except when there is an error.
func decompress(f *file, name string) (source, error) {
	e := &expander{name: name, file: f, in: bufio.NewReaderSize(f, inflateInput), free: func() {}}
	switch name {
	case "gzip":
		e.r = &gunzip{in: e.in}
	case "zstd":
		if err := checkWindow(e.in); err != nil {
			return nil, err
		}
		d, err := zstd.NewReader(e.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
		if err != nil {
			return nil, e.explain(err)
		}
		e.r, e.free = d, d.Close
	case "lz4":
		e.r = lz4.NewReader(e.in)
	case "xz":
		e.r = &unxz{in: e.in}
	}
	return e, nil
}

func (e *expander) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.out += int64(n)
	e.begun = e.begun || n > 0
	if err != nil && err != io.EOF {
		return n, e.explain(err)
	}
	if e.out > bombMinimum && e.out/bombRatio > e.file.pos {
		return n, &fault{code: "compression-ratio", stopped: true,
			what: fmt.Sprintf("%s data expand more than %d:1 at compressed offset %d", e.name, bombRatio, e.at())}
	}
	return n, err
}

// at is the compressed offset of what comes next.
func (e *expander) at() int64 {
	return e.file.pos - int64(len(e.file.head)) - int64(e.in.Buffered())
}

func (e *expander) Close() error {
	e.free()
	return e.file.Close()
}

// explain is a decompressor's error as damage.
func (e *expander) explain(err error) error {
	var f *fault
	if errors.As(err, &f) || errors.Is(err, errStopped) {
		return err // of the file below
	}
	_, atEnd := e.in.Peek(1) // decoders take a block that is too short for the end
	switch {
	case atEnd != nil && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return &fault{code: e.name + "-cut-short", what: fmt.Sprintf("%s data cut short at compressed offset %d", e.name, e.file.pos)}
	case errors.Is(err, errTrailing), e.begun && (errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, lz4.ErrInvalidFrame)):
		return &fault{code: e.name + "-trailing-garbage", stopped: true,
			what: fmt.Sprintf("garbage after the %s data at compressed offset %d", e.name, e.at())}
	case errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, errChecksum),
		errors.Is(err, lz4.ErrInvalidBlockChecksum), errors.Is(err, lz4.ErrInvalidFrameChecksum):
		return &fault{code: e.name + "-checksum", what: fmt.Sprintf("%s checksum wrong at compressed offset %d", e.name, e.at())}
	case errors.Is(err, errWindow), errors.Is(err, zstd.ErrWindowSizeExceeded), errors.Is(err, zstd.ErrDecoderSizeExceeded):
		return &fault{code: "window-over-limit", stopped: true, what: fmt.Sprintf("%s window exceeds limit", e.name)}
	}
	return &fault{code: e.name + "-corrupt", stopped: true,
		what: fmt.Sprintf("%s data corrupt near compressed offset %d", e.name, e.at())}
}

// Errors of our own decompressors, with the same meanings for each.
var (
	errTrailing = errors.New("pcapfile: garbage after compressed data")
	errChecksum = errors.New("pcapfile: checksum wrong")
	errCorrupt  = errors.New("pcapfile: compressed data corrupt")
	errWindow   = errors.New("pcapfile: window exceeds limit")
)

// A gunzip reads the members of a gzip file as one stream (RFC 1952 §2.2).
type gunzip struct {
	in *bufio.Reader
	z  *gzip.Reader
}

func (g *gunzip) Read(p []byte) (int, error) {
	if g.z == nil {
		z, err := gzip.NewReader(g.in)
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		g.z = z
		z.Multistream(false)
	}
	for {
		n, err := g.z.Read(p)
		if n > 0 && err == io.EOF {
			err = nil // the next Read finds the end again
		}
		if n > 0 || err != io.EOF {
			return n, err
		}
		if err := g.nextMember(); err != nil {
			return 0, err
		}
	}
}

// nextMember goes on to the next member. Zeros at the end are a tape's padding.
func (g *gunzip) nextMember() error {
	for {
		b, err := g.in.Peek(2)
		switch {
		case len(b) == 0:
			return err // io.EOF or the file's own
		case b[0] == 0:
			g.in.Discard(1)
			continue
		case len(b) < 2 || b[0] != 0x1f || b[1] != 0x8b:
			return errTrailing
		}
		if err := g.z.Reset(g.in); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		g.z.Multistream(false)
		return nil
	}
}

// checkWindow refuses a zstd stream whose first frame wants a window beyond the
// limit (RFC 8878 §3.1.1.1.2), with its size, which the decoder does not tell.
func checkWindow(in *bufio.Reader) error {
	head, _ := in.Peek(6)
	const singleSegment = 1 << 5
	if len(head) < 6 || skippable(head) || head[4]&singleSegment != 0 {
		return nil
	}
	exponent, mantissa := 10+head[5]>>3, uint64(head[5]&7)
	window := uint64(1)<<exponent + uint64(1)<<exponent/8*mantissa
	if window <= maxWindow {
		return nil
	}
	size := fmt.Sprint(window)
	if bits.OnesCount64(window) == 1 {
		size = fmt.Sprintf("2^%d", exponent)
	}
	return &fault{code: "window-over-limit", stopped: true, what: "window " + size + " exceeds limit"}
}
