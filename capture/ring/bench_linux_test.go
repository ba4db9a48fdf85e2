package ring

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkCapture takes b.N frames that a pair of interfaces carries at full rate.
// It tells the processor time of the capturing side alone, user's and system's; the
// copy into the ring is the sender's. tcpdump does the same for comparison.
func BenchmarkCapture(b *testing.B) {
	for _, length := range []int{60, 700} {
		b.Run(fmt.Sprintf("%d/ring", length), func(b *testing.B) { benchmarkRing(b, Config{}, length) })
		b.Run(fmt.Sprintf("%d/snap", length), func(b *testing.B) { benchmarkRing(b, Config{SnapLength: 96}, length) })
		b.Run(fmt.Sprintf("%d/tcpdump", length), func(b *testing.B) { benchmarkTcpdump(b, length) })
	}
}

func benchmarkRing(b *testing.B, cfg Config, length int) {
	newPair(b)
	cfg.Interfaces, cfg.RingSize = []string{"in"}, defaultRing
	p := newTap(b, cfg)
	s := newSender(b, "out")
	var before, after unix.Rusage
	unix.Getrusage(unix.RUSAGE_THREAD, &before)
	b.ResetTimer()
	go func() {
		s.many(b.N, length)
		p.stop()
	}()
	for {
		if err := p.source.Next(&p.block); err == io.EOF {
			break
		} else if err != nil {
			b.Fatal(err)
		}
		p.source.Release(&p.block)
	}
	b.StopTimer()
	unix.Getrusage(unix.RUSAGE_THREAD, &after)
	stats := p.source.Stats()
	report(b, time.Duration(after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano()),
		stats.Inputs[0].Frames, stats.Interfaces[0].Drops)
}

func benchmarkTcpdump(b *testing.B, length int) {
	newPair(b)
	cmd := exec.Command("tcpdump", "-i", "in", "-w", "/dev/null", "-B", "65536", "-Z", "root")
	said, err := cmd.StderrPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Skip(err)
	}
	if _, err := said.Read(make([]byte, 1000)); err != nil {
		b.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	s := newSender(b, "out")
	b.ResetTimer()
	s.many(b.N, length)
	b.StopTimer()
	time.Sleep(1200 * time.Millisecond)
	cmd.Process.Signal(os.Interrupt)
	text, _ := io.ReadAll(said)
	cmd.Wait()
	number := func(words string) uint64 {
		m := regexp.MustCompile(`(\d+) packets? ` + words).FindSubmatch(text)
		if m == nil {
			b.Fatalf("tcpdump says %q", text)
		}
		n, _ := strconv.ParseUint(string(m[1]), 10, 64)
		return n
	}
	report(b, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), number("captured"), number("dropped by kernel"))
}

func report(b *testing.B, cpu time.Duration, frames, drops uint64) {
	b.ReportMetric(float64(cpu.Nanoseconds())/float64(max(frames, 1)), "cpu-ns/frame")
	b.ReportMetric(float64(drops)/float64(b.N)*100, "%dropped")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
}

// many sends n frames.
func (s *sender) many(n, length int) {
	frame := numbered(0, length)
	for range n {
		s.send(frame)
	}
}
