package ring

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/privilege"
)

// unprivileged is set, to the interfaces, in the process that captures without any.
const unprivileged = "RING_TEST_UNPRIVILEGED"

// captureUnprivileged gives up its privileges once the source is open, and writes a
// line for each note and for the number of each frame, until standard input ends.
func captureUnprivileged(t *testing.T, names string) {
	ctx, cancel := context.WithCancel(context.Background())
	src, err := Open(ctx, Config{Interfaces: strings.Split(names, ","), Follow: true, RingSize: leastRing})
	if err != nil {
		t.Fatal(err)
	}
	// Linked with C, as for the race detector, it cannot, and captures as it is.
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	if _, err := privilege.Drop(privilege.Config{}); err != nil && errno != unix.ENOTSUP {
		t.Fatal(err)
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println("ready")
	var block capture.Block
	for told := 0; ; {
		if err := src.Next(&block); err != nil {
			fmt.Println(err)
			break
		}
		for i := range block.Frames {
			if f := &block.Frames[i]; len(f.Data) >= 22 {
				fmt.Println("frame", number(f))
			}
		}
		src.Release(&block)
		for _, n := range src.Stats().Inputs[0].Notes[told:] {
			fmt.Println(n)
			told++
		}
	}
	stats := src.Stats()
	fmt.Println("frames", stats.Inputs[0].Frames, "drops", stats.Interfaces[0].Drops)
	if err := src.Close(); err != nil {
		t.Error(err)
	}
}

// Without any privilege the sockets that are open do all that they did: the one of the
// ring is bound to another interface, joins it and gets another filter.
func TestUnprivileged(t *testing.T) {
	if names := os.Getenv(unprivileged); names != "" {
		captureUnprivileged(t, names)
		return
	}
	for _, names := range []string{"in", "in,lo"} {
		t.Run(names, func(t *testing.T) {
			newPair(t)
			cmd := exec.Command("/proc/self/exe", "-test.run", "^TestUnprivileged$")
			cmd.Env = append(os.Environ(), unprivileged+"="+names)
			cmd.Stderr = os.Stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			stop := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
			defer stop.Stop()
			lines := bufio.NewScanner(out)
			said := func(words string) {
				t.Helper()
				var others []string
				for lines.Scan() {
					if strings.HasSuffix(lines.Text(), words) {
						return
					}
					others = append(others, lines.Text())
				}
				t.Fatalf("it did not say %q but %q", words, others)
			}
			said("ready")
			newSender(t, "out").send(numbered(1, 60))
			said("frame 1")
			for n := range uint64(2) {
				ip(t, "link del in")
				said("in is gone: deleted or moved to another network namespace")
				ip(t, "link add out type veth peer name in")
				up(t, "in", "out")
				said("in is up")
				newSender(t, "out").send(numbered(10+n, 60))
				said(fmt.Sprintf("frame %d", 10+n))
				if !promiscuous(t, "in") {
					t.Error("not promiscuous any more")
				}
			}
			if err := in.Close(); err != nil {
				t.Fatal(err)
			}
			said(io.EOF.Error())
			said("frames 3 drops 0")
			said("PASS")
			if err := cmd.Wait(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		})
	}
}
