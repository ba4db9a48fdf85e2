package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"
)

// A progresser tells how far reading has come. Any goroutine may ask.
type progresser interface {
	Progress() (done, total int64)
}

const (
	progressDelay = 400 * time.Millisecond // short reads show no bar at all
	progressEvery = 100 * time.Millisecond
)

// showProgress draws a bar on standard error, when that is a terminal, until
// stop is called, which also takes the bar away.
func (p *program) showProgress(src progresser) (stop func()) {
	if !isTerminal(p.stderr) || !capable(os.Getenv) {
		return func() {}
	}
	file := p.stderr.(*os.File)
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { drawProgress(file, int(file.Fd()), src, done) })
	return func() {
		close(done)
		wg.Wait()
	}
}

func drawProgress(w io.Writer, fd int, src progresser, done <-chan struct{}) {
	start := time.Now()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	drawn := false
	for {
		select {
		case <-done:
			if drawn {
				io.WriteString(w, "\r\x1b[K")
			}
			return
		case now := <-tick.C:
			elapsed := now.Sub(start)
			if elapsed < progressDelay {
				continue
			}
			width, _, err := term.GetSize(fd)
			if err != nil || width < 1 {
				width = 80
			}
			read, total := src.Progress()
			io.WriteString(w, "\r"+progressLine(read, total, elapsed, width-1)+"\x1b[K")
			drawn = true
		}
	}
}

// progressLine is one state of the bar in at most width ASCII characters: what
// has been read, and, when the total is known, a bar and the time to go.
func progressLine(done, total int64, elapsed time.Duration, width int) string {
	rate := float64(done) / max(elapsed.Seconds(), 1e-3)
	line := fmt.Sprintf("%s  %s/s", bytesText(done), bytesText(int64(rate)))
	if total > 0 {
		share := min(float64(done)/float64(total), 1)
		eta := "--:--"
		if rate >= 1 {
			eta = clockText(time.Duration(float64(max(total-done, 0)) / rate * float64(time.Second)))
		}
		line = fmt.Sprintf("%3.0f %%  %s of %s  %s/s  ETA %s", share*100,
			bytesText(done), bytesText(total), bytesText(int64(rate)), eta)
		if room := min(width-len(line)-4, 40); room >= 8 {
			full := int(share * float64(room))
			line = "[" + strings.Repeat("#", full) + strings.Repeat(".", room-full) + "]  " + line
		}
	}
	return line[:max(0, min(len(line), width))]
}

// bytesText is n with three digits and a unit: "999 B", "1.50 kB", "12.3 GB".
func bytesText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n)/1000, 0
	for v >= 999.5 && unit < len("kMGTPE")-1 {
		v, unit = v/1000, unit+1
	}
	digits := 2
	if v >= 99.95 {
		digits = 0
	} else if v >= 9.995 {
		digits = 1
	}
	return fmt.Sprintf("%.*f %cB", digits, v, "kMGTPE"[unit])
}

// clockText is d as m:ss or h:mm:ss.
func clockText(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
