package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
)

// All that was received until Ctrl-C is in the file.
func TestCaptureLive(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	d := newDatagrams(t, 500)
	for i, args := range []string{"-i lo -w %s.pcapng", "-i any -w %s.pcapng udp", "-i lo -w %s.pcap", "-i lo -w %s.pcap --time-stamp-precision nano -U udp"} {
		out := strings.Fields(fmt.Sprintf(args, filepath.Join(t.TempDir(), "out")))
		path := out[3]
		c := startCapture(t, nil, out...)
		n := 1 + 700*i
		d.send(n)
		c.Process.Signal(os.Interrupt)
		status, stderr := c.end()
		if want := fmt.Sprintf("%s captured\n", packets(uint64(n))); status != exitDone || !strings.Contains(stderr, want) || !strings.Contains(stderr, "0 packets dropped by kernel\n") {
			t.Errorf("%s: status %d: %s", args, status, stderr)
		}
		if got := tcpdumpReads(t, path); got != n {
			t.Errorf("%s: tcpdump reads %d packets, want %d", args, got, n)
		}
		if got, _, damage := framesIn(t, path); got != n || len(damage) > 0 {
			t.Errorf("%s: %d packets, want %d; %v", args, got, n, damage)
		}
		if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", args, info, err)
		}
	}
}

// A file ends with its period although nothing is received any more.
func TestCaptureLivePeriods(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	dir := t.TempDir()
	d := newDatagrams(t, 500)
	c := startCapture(t, nil, "-i", "lo", "-w", filepath.Join(dir, "%s"), "-G", "1", "-W", "1")
	d.send(10)
	status, stderr := c.end()
	names := strings.Fields(listing(t, dir))
	if status != exitDone || len(names) != 1 || !strings.Contains(stderr, "the limit of files is reached: 1") {
		t.Fatalf("status %d, files %v: %s", status, names, stderr)
	}
	if n := tcpdumpReads(t, filepath.Join(dir, names[0])); n != told(t, stderr, "captured") {
		t.Errorf("%d packets: %s", n, stderr)
	}
}

// Killed at any moment, the program leaves whole files, and one that is read to its last
// whole record, with all that is older than a second.
func TestCaptureKilled(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	times := 12
	if n, err := strconv.Atoi(os.Getenv("SOCKSCOPE_TEST_KILLS")); err == nil {
		times = n
	}
	d := newDatagrams(t, 1200)
	stop := d.until()
	defer stop()
	finished, torn, packets := 0, 0, 0
	for i := range times {
		dir := t.TempDir()
		args := []string{"-i", "lo", "-w", filepath.Join(dir, "out.pcapng"), "-C", "1"}
		if i%3 == 1 {
			args = append(args, "--format", "pcap")
		}
		c := startCapture(t, nil, args...)
		time.Sleep(time.Duration(rand.IntN(400)) * time.Millisecond)
		now := time.Now()
		c.Process.Kill()
		c.end()
		newest := capture.Timestamp(0)
		for _, name := range strings.Fields(listing(t, dir)) {
			path := filepath.Join(dir, name)
			n, last, damage := framesIn(t, path)
			newest = max(newest, last)
			packets += n
			if !strings.HasSuffix(name, partSuffix) {
				finished++
				if got := tcpdumpReads(t, path); got != n || len(damage) > 0 {
					t.Errorf("%s: %d packets, tcpdump reads %d: %v", name, n, got, damage)
				}
				continue
			}
			for _, d := range damage {
				torn++
				if !strings.HasSuffix(d.Code, "cut-short") && d.Code != "empty" {
					t.Errorf("%s: %v", name, d)
				}
			}
		}
		if age := now.Sub(newest.Time()); newest > 0 && age > 1500*time.Millisecond {
			t.Errorf("the last %v are missing", age)
		}
	}
	t.Logf("%d kills: %d finished files, %d unfinished ones cut in a record or empty, %d packets", times, finished, torn, packets)
}

// What the kernel had to drop is in the file, too: together all are accounted for.
func TestCaptureTellsDropsInTheFile(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const sent = 8000
	d := newDatagrams(t, 700)
	for _, name := range []string{"lo", "any"} {
		path := filepath.Join(t.TempDir(), "out.pcapng")
		c := startCapture(t, nil, "-i", name, "-B", "2048", "-w", path)
		c.Process.Signal(syscall.SIGSTOP)
		d.send(sent)
		c.Process.Signal(syscall.SIGCONT)
		c.Process.Signal(os.Interrupt)
		status, stderr := c.end()
		captured, dropped := told(t, stderr, "captured"), told(t, stderr, "dropped by kernel")
		if status != exitDone || captured+dropped != sent || dropped == 0 {
			t.Errorf("%s: status %d: %s", name, status, stderr)
		}
		r, err := pcapfile.Open(context.Background(), []string{path}, pcapfile.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var b capture.Block
		for r.Next(&b) == nil {
		}
		inFile := uint64(0)
		for _, i := range r.Stats().Interfaces {
			inFile += i.Drops
		}
		r.Close()
		if inFile != uint64(dropped) || tcpdumpReads(t, path) != captured {
			t.Errorf("%s: the file tells of %d drops: %s", name, inFile, stderr)
		}
	}
}

// Few packets do not wait until there are many.
func TestCaptureFlushes(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	path := filepath.Join(t.TempDir(), "out.pcapng")
	c := startCapture(t, nil, "-i", "lo", "-w", path)
	newDatagrams(t, 100).send(5)
	n := 0
	for began := time.Now(); n < 5 && time.Since(began) < 20*time.Second; time.Sleep(50 * time.Millisecond) {
		n, _, _ = framesIn(t, path+partSuffix)
	}
	if n != 5 {
		t.Errorf("%d packets of 5 are written", n)
	}
	c.Process.Kill()
	c.end()
}

var savedAndNot = regexp.MustCompile(`; (\d+) packets? saved, (\d+) not\n`)

// checkFailed checks what a capture left whose disk took no more.
func checkFailed(t *testing.T, path string, status int, stderr, want string) {
	t.Helper()
	m := savedAndNot.FindStringSubmatch(stderr)
	if status != exitOutput || m == nil || !strings.Contains(stderr, want) {
		t.Fatalf("status %d: %s", status, stderr)
	}
	saved, _ := strconv.Atoi(m[1])
	not, _ := strconv.Atoi(m[2])
	if n, _, damage := framesIn(t, path); n != saved || len(damage) > 0 {
		t.Errorf("%d packets in the file, %d are said to be: %v", n, saved, damage)
	}
	if n := tcpdumpReads(t, path); n != saved {
		t.Errorf("tcpdump reads %d packets of %d", n, saved)
	}
	if all := fmt.Sprintf("%d packets captured\n", saved+not); not == 0 || !strings.Contains(stderr, all) {
		t.Errorf("%d saved and %d not:\n%s", saved, not, stderr)
	}
	if strings.Contains(listing(t, filepath.Dir(path)), partSuffix) {
		t.Errorf("files %s", listing(t, filepath.Dir(path)))
	}
}

// A full disk ends the capture at once, with whole records and exact numbers.
func TestCaptureDiskFull(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	runtime.LockOSThread() // for good: the thread has a mount namespace of its own and dies with the test
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	d := newDatagrams(t, 700)
	for _, test := range []struct{ size, name string }{{"64k", "out.pcapng"}, {"1m", "out.pcapng"}, {"300k", "out.pcap"}} {
		dir := t.TempDir()
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+test.size); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, test.name)
		c := startCapture(t, nil, "-i", "lo", "-w", path)
		stop := d.until()
		began := time.Now()
		status, stderr := c.end()
		t.Logf("tmpfs of %s: exit after %v", test.size, time.Since(began))
		stop()
		checkFailed(t, path, status, stderr, test.name+": no space left on device")
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	}
}

func TestCaptureFileSizeLimit(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	d := newDatagrams(t, 700)
	path := filepath.Join(t.TempDir(), "out.pcapng")
	c := startCapture(t, nil, "-i", "lo", "-w", path)
	limit := unix.Rlimit{Cur: 123_457, Max: 123_457}
	if err := unix.Prlimit(c.Process.Pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Fatal(err)
	}
	stop := d.until()
	status, stderr := c.end()
	stop()
	checkFailed(t, path, status, stderr, "out.pcapng: file too large")
}

var dropLine = regexp.MustCompile(`(\d+) packets? dropped because standard output could not be written fast enough\n`)

// told is the number of packets of a line of standard error.
func told(t *testing.T, stderr, what string) int {
	t.Helper()
	m := regexp.MustCompile(`(\d+) packets? ` + what + "\n").FindStringSubmatch(stderr)
	if m == nil {
		t.Fatalf("no line %q in %s", what, stderr)
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// A reader that stalls costs nothing until the queue is full, then what is lost is counted.
func TestCaptureStalledReader(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	d := newDatagrams(t, 30_000)
	for _, test := range []struct {
		name  string
		n     int // datagrams
		reads bool
	}{
		{"until 20 MB wait", 700, true},
		{"for ever", 3000, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, in, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer out.Close()
			c := startCapture(t, in, "-i", "lo", "-w", "-")
			in.Close()
			for range test.n / 100 {
				d.send(100)
				time.Sleep(2 * time.Millisecond)
			}
			time.Sleep(300 * time.Millisecond)
			c.Process.Signal(os.Interrupt)
			if test.reads {
				path := filepath.Join(t.TempDir(), "out.pcapng")
				all, _ := io.ReadAll(out)
				if err := os.WriteFile(path, all, 0o600); err != nil {
					t.Fatal(err)
				}
				status, stderr := c.end()
				if n, _, damage := framesIn(t, path); status != exitDone || n != test.n || len(damage) > 0 || dropLine.MatchString(stderr) {
					t.Errorf("status %d, %d packets of %d, %v: %s", status, n, test.n, damage, stderr)
				}
				return
			}
			began := time.Now()
			status, stderr := c.end()
			m := dropLine.FindStringSubmatch(stderr)
			if status != exitOutput || m == nil || time.Since(began) > 20*time.Second {
				t.Fatalf("status %d after %v: %s", status, time.Since(began), stderr)
			}
			captured, received, kernel := told(t, stderr, "captured"), told(t, stderr, "received by filter"), told(t, stderr, "dropped by kernel")
			if dropped, _ := strconv.Atoi(m[1]); captured+dropped+kernel != test.n || received != test.n || kernel == 0 && captured*30_000 < queueSize {
				t.Errorf("%d captured, %d dropped, %d by the kernel, %d received, %d sent", captured, dropped, kernel, received, test.n)
			}
		})
	}
}

// In a directory where others make and remove names all the time, nothing of theirs is
// written to.
func TestCaptureInAContestedDirectory(t *testing.T) {
	in, err := filepath.Abs(filepath.Join(testdata, "handshakes.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	const precious = "do not touch"
	target := filepath.Join(dir, "target")
	if err := os.WriteFile(target, []byte(precious), 0o644); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var rival sync.WaitGroup
	rival.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			name := filepath.Join(dir, []string{"out.pcapng", "out.pcapng" + partSuffix}[i%2])
			make := []func(string, string) error{os.Symlink, os.Link}[i/2%2]
			if make(target, name) == nil {
				runtime.Gosched()
				os.Remove(name)
			}
		}
	})
	times, whole := 300, 0
	for range times {
		var errs bytes.Buffer
		args := []string{"capture", "-r", in, "-w", filepath.Join(dir, "out.pcapng")}
		switch status := run(context.Background(), args, nil, io.Discard, &errs); status {
		case exitDone:
			whole++
		case exitNotStarted, exitOutput:
		default:
			t.Fatalf("status %d: %s", status, &errs)
		}
		for _, name := range []string{"out.pcapng", "out.pcapng" + partSuffix} {
			path := filepath.Join(dir, name)
			info, err := os.Lstat(path)
			if err != nil || !info.Mode().IsRegular() || info.Size() == int64(len(precious)) {
				continue
			}
			if info.Mode() != 0o600 {
				t.Fatalf("%s: %v", name, info.Mode())
			}
			os.Remove(path)
		}
		if content, err := os.ReadFile(target); err != nil || string(content) != precious {
			t.Fatalf("the target is %d bytes: %v", len(content), err)
		}
	}
	close(done)
	rival.Wait()
	t.Logf("%d of %d captures found their names free", whole, times)
}
