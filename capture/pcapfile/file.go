package pcapfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"sockscope/capture"
)

// errStopped is a read's error after the context was done: an end, not damage.
var errStopped = errors.New("pcapfile: stopped")

// open opens the input, decompressing if need be, at the given place of its
// decompressed bytes. Only a file on a disk can be opened twice.
func (in *input) open(at int64) (source, error) {
	if in.err != nil {
		return nil, openFault(in.err)
	}
	if in.ctx.Err() != nil {
		return nil, errStopped
	}
	f, err := in.openFile()
	if err != nil {
		return nil, err
	}
	if at > 0 && in.info.Compression == "" {
		if err := f.seek(at); err != nil {
			f.Close()
			return nil, openFault(err)
		}
		return f, nil
	}
	if !in.sniffed {
		if err := f.peek(); err != nil {
			f.Close()
			return nil, err
		}
		in.info.Compression = compressionOf(f.head)
		in.sniffed = true
	}
	if in.info.Compression == "" {
		return f, nil
	}
	src, err := decompress(f, in.info.Compression)
	if err != nil {
		f.Close()
		return nil, err
	}
	if at > 0 {
		if _, err := io.CopyN(io.Discard, src, at); err != nil {
			src.Close()
			if errors.Is(err, errStopped) {
				return nil, err
			}
			return nil, &fault{code: "file-changed", what: "file changed while being read"}
		}
	}
	if in.ahead && in.size >= 0 {
		return readAhead(src, func() { f.unwanted.Store(true) }), nil
	}
	return src, nil
}

// A file is an open input as it is stored.
type file struct {
	in      *input
	r       io.Reader
	close   func() error
	pos     int64
	head    []byte // peeked at and not yet read
	waiting bool   // a FIFO without a writer so far

	unwanted atomic.Bool // nobody wants what Read would give
}

func (in *input) openFile() (*file, error) {
	if in.name == "-" {
		return in.openStdin(), nil
	}
	// Without O_NONBLOCK the opening of a FIFO waits for a writer, and nothing
	// could end that.
	f, err := os.OpenFile(in.name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, openFault(err)
	}
	src := &file{in: in, r: f, close: f.Close}
	if in.size < 0 {
		src.waiting = in.stat != nil && in.stat.Mode()&fs.ModeNamedPipe != 0
		src.endWith(in.ctx, f)
	}
	return src, nil
}

// openStdin gives standard input. A pipe is opened once more where the system
// can: reads of the process's own descriptor cannot be ended.
func (in *input) openStdin() *file {
	r := in.reader.cfg.Stdin
	if r == nil {
		r = os.Stdin
	}
	src := &file{in: in, r: r, close: func() error { return nil }}
	f, ok := r.(*os.File)
	if !ok {
		return src
	}
	if info, err := f.Stat(); f == os.Stdin && runtime.GOOS == "linux" && err == nil && info.Mode()&fs.ModeNamedPipe != 0 {
		if again, err := os.OpenFile("/dev/stdin", os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
			src.r, src.close = again, again.Close
			f = again
		}
	}
	src.endWith(in.ctx, f)
	return src
}

// endWith makes reads end when ctx is done, where f can.
func (f *file) endWith(ctx context.Context, file *os.File) {
	closeFile := f.close
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		file.SetReadDeadline(time.Unix(1, 0))
	})
	f.close = func() error {
		if !stop() {
			<-ended // it was begun: nothing of it may be left after this
		}
		return closeFile()
	}
}

func (f *file) Read(p []byte) (int, error) {
	if len(f.head) > 0 {
		n := copy(p, f.head)
		f.head = f.head[n:]
		if n == len(p) || f.in.size < 0 {
			return n, nil
		}
		m, err := f.readFile(p[n:])
		return n + m, err
	}
	return f.readFile(p)
}

// ended reports whether reads are to end. Between two frames there can be much to
// skip, in a file with holes without end.
func (f *file) ended() bool { return f.unwanted.Load() || f.in.ctx.Err() != nil }

func (f *file) readFile(p []byte) (int, error) {
	for {
		if f.ended() {
			return 0, errStopped
		}
		n, err := f.r.Read(p)
		f.pos += int64(n)
		f.in.read(f.pos)
		if n > 0 {
			f.waiting = false
		}
		switch {
		case err == nil:
			return n, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n, errStopped
		case errors.Is(err, syscall.EAGAIN), err == io.EOF && f.waiting:
			if !f.wait() {
				return n, errStopped
			}
		case err == io.EOF:
			return n, f.atEnd()
		default:
			return n, &fault{code: "read-error", what: fmt.Sprintf("%v at offset %d", systemError(err), f.pos), cause: err}
		}
	}
}

// wait lets a moment go by; false says that the context is done.
func (f *file) wait() bool {
	t := time.NewTimer(20 * time.Millisecond)
	defer t.Stop()
	select {
	case <-f.in.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// atEnd finds out whether the end is where it was when the file was opened.
func (f *file) atEnd() error {
	if f.in.size > f.pos {
		return &fault{code: "file-shrank", what: fmt.Sprintf("file shrank while being read at offset %d", f.pos)}
	}
	if f.in.size >= 0 && f.in.size < f.pos && f.in.size > 0 {
		f.in.growing = true
	}
	return io.EOF
}

// seek goes to a place of a plain file that was read up to there before.
func (f *file) seek(at int64) error {
	_, err := f.r.(io.Seeker).Seek(at, io.SeekStart)
	f.pos = at
	return err
}

// peek reads the first bytes, which Read gives again.
func (f *file) peek() error {
	var head [6]byte
	n := 0
	for n < len(head) {
		m, err := f.readFile(head[n:])
		n += m
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	f.head = bytes.Clone(head[:n])
	return nil
}

func (f *file) Close() error { return f.close() }

// openFault is err as the operating system's words, without the file's name.
func openFault(err error) *fault {
	code := "cannot-open"
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = "missing"
	case errors.Is(err, fs.ErrPermission):
		code = "permission"
	case errors.Is(err, errDirectory), errors.Is(err, errNoFiles):
		code = "directory"
	}
	return &fault{code: code, what: systemError(err), cause: err}
}

func systemError(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err.Error()
}

var _ source = (*file)(nil)
var _ capture.Source = (*Reader)(nil)
