package pcapfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

const (
	maxWindow    = 128 << 20 // bytes a decompressor may look back
	bombRatio    = 10_000    // of decompressed to compressed bytes
	bombMinimum  = 1 << 30   // decompressed bytes, before the ratio matters
	inflateInput = 64 << 10
	mergeInflate = 16 << 10 // of an input among many
	maxPadding   = 1 << 20  // bytes of zeros after a gzip member or an xz stream
	maxSkipped   = 16 << 20 // bytes of skippable frames to look behind
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

// skippable recognizes the frames for other programs' data that zstd (RFC 8878
// §3.1.2) and lz4 have in common. Parallel compressors put them before zstd's own.
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
	cost  int64 // bytes of memory while it is open, about
	out   int64
	begun bool // some bytes were given
}

// decompress reads file as what name says. The file belongs to the source then,
// except when there is an error.
func decompress(f *file, name string) (source, error) {
	size := inflateInput
	if !f.in.ahead {
		size = mergeInflate
	}
	in := bufio.NewReaderSize(f, size)
	if name == "zstd" && skipFrames(in) {
		name = "lz4"
		f.in.info.Compression = name
	}
	e := &expander{name: name, file: f, in: in, free: func() {}}
	e.cost = decoderCost
	switch name {
	case "gzip":
		e.r = &gunzip{in: e.in}
	case "zstd":
		window, err := zstdWindow(e.in)
		if err != nil {
			return nil, err
		}
		e.cost += window
		d, err := zstd.NewReader(e.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderMaxMemory(maxWindow))
		if err != nil {
			return nil, e.explain(err)
		}
		e.r, e.free = d, d.Close
	case "lz4":
		e.r = lz4.NewReader(e.in)
		e.cost += lz4Blocks(e.in)
	case "xz":
		e.r = &unxz{in: e.in, cost: &e.cost}
	}
	return e, nil
}

func (e *expander) Read(p []byte) (int, error) {
	if e.file.ended() {
		return 0, errStopped // a few compressed bytes can give very many
	}
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
	if e.file.ended() {
		return errStopped // which some decoders take for the end
	}
	var f *fault
	if errors.As(err, &f) {
		return err // of the file below
	}
	_, atEnd := e.in.Peek(1) // decoders take a block that is too short for the end
	switch {
	case atEnd != nil && (errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF)):
		return &fault{code: e.name + "-cut-short", what: fmt.Sprintf("%s data cut short at compressed offset %d", e.name, e.file.pos)}
	case errors.Is(err, errTrailing), e.begun && (errors.Is(err, zstd.ErrMagicMismatch) || errors.Is(err, lz4.ErrInvalidFrame)):
		return &fault{code: e.name + "-trailing-garbage", stopped: true,
			what: fmt.Sprintf("garbage after the %s data at compressed offset %d", e.name, e.at())}
	case errors.Is(err, errPadding):
		return &fault{code: e.name + "-trailing-garbage", stopped: true,
			what: fmt.Sprintf("more than %d bytes of zeros after the %s data at compressed offset %d", maxPadding, e.name, e.at())}
	case errors.Is(err, errFilter):
		return &fault{code: e.name + "-filter", stopped: true, what: e.name + " filter not supported"}
	case errors.Is(err, zstd.ErrCRCMismatch), errors.Is(err, errChecksum),
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
	errPadding  = errors.New("pcapfile: too much padding after compressed data")
	errFilter   = errors.New("pcapfile: filter not supported")
)

// skipZeros passes the zeros that come next, up to the limit for padding, and
// returns how many there were. A file can have gigabytes of them that take no room
// on the disk.
func skipZeros(in *bufio.Reader) (int, error) {
	for n := 0; ; {
		in.Peek(1)
		b, _ := in.Peek(in.Buffered())
		zeros := len(b) - len(bytes.TrimLeft(b, "\x00"))
		in.Discard(zeros)
		if n += zeros; n > maxPadding {
			return n, errPadding
		}
		if zeros == 0 || zeros < len(b) {
			return n, nil
		}
	}
}

// skipFrames passes skippable frames at the beginning and reports whether lz4 is
// behind them. Behind too many bytes it does not look: what is left is zstd's.
func skipFrames(in *bufio.Reader) bool {
	for left := int64(maxSkipped); ; {
		head, _ := in.Peek(8)
		if len(head) < 8 || !skippable(head) {
			return compressionOf(head) == "lz4"
		}
		size := 8 + int64(binary.LittleEndian.Uint32(head[4:]))
		if left -= size; left < 0 {
			return false
		}
		in.Discard(int(size))
	}
}

// lz4Blocks is the memory for the blocks of the first frame: one as it is stored
// and one decompressed.
func lz4Blocks(in *bufio.Reader) int64 {
	head, _ := in.Peek(6)
	if len(head) < 6 || skippable(head) {
		return 2 * 4 << 20
	}
	return 2 << (8 + 2*(head[5]>>4&7)) // 4 is 64 KiB, 7 is 4 MiB
}

// zstdWindow is the window in bytes that the first frame of a zstd stream wants
// (RFC 8878 §3.1.1.1.2). One beyond the limit is refused here, with its size,
// which the decoder does not tell.
func zstdWindow(in *bufio.Reader) (int64, error) {
	head, _ := in.Peek(6)
	const singleSegment = 1 << 5
	if len(head) < 6 || skippable(head) || head[4]&singleSegment != 0 {
		return 0, nil // as long as its content
	}
	exponent, mantissa := 10+head[5]>>3, int64(head[5]&7)
	window := int64(1)<<exponent + int64(1)<<exponent/8*mantissa
	if window <= maxWindow {
		return window, nil
	}
	size := fmt.Sprint(window)
	if mantissa == 0 {
		size = fmt.Sprintf("2^%d", exponent)
	}
	return 0, &fault{code: "window-over-limit", stopped: true, what: "window " + size + " exceeds limit"}
}
