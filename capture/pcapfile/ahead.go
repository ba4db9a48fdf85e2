package pcapfile

import (
	"sync"
)

const aheadBuffers = 4 // of blockSize

// An ahead decompresses in its own goroutine while what it gave before is looked
// at. Close ends the goroutine and waits for it.
type ahead struct {
	src   source
	stop  func() // makes src's reads end
	free  chan []byte
	full  chan chunk
	quit  chan struct{}
	owner sync.WaitGroup
	cur   chunk
	left  []byte // of cur
}

// A chunk is what one read gave.
type chunk struct {
	buffer []byte // whole
	n      int
	err    error
}

// readAhead reads src ahead until stop is called. src belongs to it.
func readAhead(src source, stop func()) *ahead {
	a := &ahead{
		src:  src,
		stop: stop,
		free: make(chan []byte, aheadBuffers),
		full: make(chan chunk, aheadBuffers),
		quit: make(chan struct{}),
	}
	for range aheadBuffers {
		a.free <- nil // made when needed
	}
	a.owner.Go(a.run)
	return a
}

func (a *ahead) run() {
	for {
		var c chunk
		select {
		case c.buffer = <-a.free:
		case <-a.quit:
			return
		}
		c.buffer = grow(c.buffer, 0, blockSize)
		for c.n < len(c.buffer) && c.err == nil {
			var n int
			n, c.err = a.src.Read(c.buffer[c.n:])
			c.n += n
		}
		a.full <- c // has room for all buffers
		if c.err != nil {
			return
		}
	}
}

func (a *ahead) Read(p []byte) (int, error) {
	for len(a.left) == 0 {
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		if a.cur.buffer != nil {
			a.free <- a.cur.buffer
		}
		a.cur = <-a.full
		a.left = a.cur.buffer[:a.cur.n]
	}
	n := copy(p, a.left)
	a.left = a.left[n:]
	return n, nil
}

func (a *ahead) Close() error {
	a.stop()
	close(a.quit)
	a.owner.Wait()
	return a.src.Close()
}
