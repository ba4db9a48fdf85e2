package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkRates sends b.N frames over a pair of interfaces while tcpdump that keeps
// nothing, and then the report, capture from its other end. For both it tells the
// processor time for each frame that they got, without that of their start, and what share they lost.
//
// SOCKSCOPE_RATES lists frames per second, as in 300000,600000,0; 0, which is tried when
// it is not set, is what the sender can. SOCKSCOPE_PINNED=1 gives the sender one core
// and the capture the other. SOCKSCOPE_LOCAL=1 makes the servers' addresses this host's, so
// that whose the connections are is looked for. SOCKSCOPE_FLAGS are more flags of the report.
//
//	go test -run '^$' -bench Rates -benchtime 2000000x -count 5 ./cmd/sockscope
func BenchmarkRates(b *testing.B) {
	needs(b, "ip", "taskset", "tcpdump")
	rates := strings.Split(os.Getenv("SOCKSCOPE_RATES"), ",")
	name := filepath.Join(b.TempDir(), "sockscope")
	if out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	captures := [][]string{
		{"tcpdump", "-i", "in", "-B", "65536", "-w", "/dev/null", "-Z", "root"},
		append([]string{name, "report", "-i", "in"}, strings.Fields(os.Getenv("SOCKSCOPE_FLAGS"))...),
	}
	for _, length := range []int{60, 700, 1400} {
		for _, shape := range []struct {
			name           string
			parallel, life int
		}{
			{"one", 1, 0},
			{"many", 10_000, 0},
			{"short", 1000, 20},
		} {
			for _, rate := range rates {
				rate, _ := strconv.Atoi(rate)
				b.Run(fmt.Sprintf("%d/%s/%d", length, shape.name, rate), func(b *testing.B) {
					newPairOfInterfaces(b)
					if os.Getenv("SOCKSCOPE_LOCAL") != "" {
						for i := range 16 {
							command(b, fmt.Sprintf("ip address add 192.0.2.%d/32 dev lo", i))
						}
					}
					for _, c := range captures {
						r := race(b, c, "out", b.N, rate, length, shape.parallel, shape.life)
						what := filepath.Base(c[0])
						b.ReportMetric(float64(r.cpu.Nanoseconds())/float64(max(r.captured, 1)), what+"-ns/frame")
						b.ReportMetric(100*float64(r.dropped)/float64(b.N), what+"-%lost")
						b.ReportMetric(float64(b.N)/r.took.Seconds()/1e6, what+"-Mframes/s")
					}
					b.ReportMetric(0, "ns/op")
				})
			}
		}
	}
}

// newPairOfInterfaces puts the benchmark's thread, which ends with it, and what it starts
// into a network namespace with a pair of interfaces, in and out.
func newPairOfInterfaces(t testing.TB) {
	t.Helper()
	needs(t, "ip")
	if os.Geteuid() != 0 {
		t.Skip("a network namespace needs root")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Fatal("a new network namespace: ", err)
	}
	for _, words := range []string{"link set lo up", "link add out type veth peer name in", "link set out up", "link set in up"} {
		command(t, "ip "+words)
	}
	for _, which := range []string{"all", "in", "out"} { // nothing talks by itself
		name := "/proc/sys/net/ipv6/conf/" + which + "/disable_ipv6"
		if err := os.WriteFile(name, []byte("1"), 0); err != nil {
			t.Fatal(err)
		}
	}
}

// needs skips a test where a program is missing.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			t.Skip(err)
		}
	}
}

// command runs a program with arguments.
func command(t testing.TB, words string) string {
	t.Helper()
	list := strings.Fields(words)
	out, err := exec.Command(list[0], list[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", words, err, out)
	}
	return string(out)
}

// A lap is what a capture took of what was sent.
type lap struct {
	captured, dropped uint64
	cpu, took         time.Duration
}

// race sends frames while a program captures.
func race(t testing.TB, capture []string, name string, numbers ...int) lap {
	t.Helper()
	send := []string{"blast", name}
	for _, n := range numbers {
		send = append(send, strconv.Itoa(n))
	}
	if os.Getenv("SOCKSCOPE_PINNED") != "" {
		send = slices.Concat([]string{"taskset", "-c", "0"}, send)
		capture = slices.Concat([]string{"taskset", "-c", "1"}, capture)
	}
	cmd := exec.Command(capture[0], capture[1:]...)
	said := startRated(t, cmd)
	before := cpuTime(t, cmd.Process.Pid)
	out, err := exec.Command(send[0], send[1:]...).Output()
	if err != nil {
		t.Fatal("blast: ", err)
	}
	if strings.Contains(strings.Join(capture, " "), "tcpdump") {
		time.Sleep(1200 * time.Millisecond) // it loses what its last second brings
	}
	text := said(os.Interrupt)
	var l lap
	l.captured, l.dropped = counted(t, text, "captured"), counted(t, text, "dropped by kernel")
	l.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime() - before
	_, took, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if l.took, err = time.ParseDuration(took); err != nil {
		t.Fatal(err)
	}
	return l
}

// cpuTime is the processor time that the threads of a process have had. Clearing the
// ring's memory takes most of what a program needs until it listens.
func cpuTime(t testing.TB, pid int) (sum time.Duration) {
	t.Helper()
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, name := range names {
		text, err := os.ReadFile(name)
		var d time.Duration
		if err == nil {
			_, err = fmt.Sscan(string(text), &d)
		}
		if err != nil {
			t.Fatal(err)
		}
		sum += d
	}
	return sum
}

// startRated starts a capturing program and waits until it listens. The function
// it returns sends it a signal, waits for its end, and tells what it said on stderr.
func startRated(t testing.TB, cmd *exec.Cmd) (end func(os.Signal) string) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	var text bytes.Buffer
	buffer := make([]byte, 4096)
	for !strings.Contains(text.String(), "listening on ") {
		n, err := stderr.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			t.Fatalf("%s: %v: %s", cmd, err, &text)
		}
	}
	return func(s os.Signal) string {
		t.Helper()
		if err := cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
		io.Copy(&text, stderr)
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%s: %v: %s", cmd, err, &text)
		}
		return text.String()
	}
}

// counted is the number of packets that a program says were what.
func counted(t testing.TB, text, what string) uint64 {
	t.Helper()
	m := regexp.MustCompile(`(\d+) packets? ` + what).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no packets %s in %q", what, text)
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
