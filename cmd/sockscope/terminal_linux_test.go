package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openTerminal makes a pseudo terminal of so many columns: the program's end, and
// the end that sees what is shown.
func openTerminal(t *testing.T, columns uint16) (terminal, screen *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals:", err)
	}
	t.Cleanup(func() { screen.Close() })
	raw, err := screen.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var name string
	raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err != nil {
			return
		}
		var n int
		if n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN); err != nil {
			return
		}
		name = fmt.Sprintf("/dev/pts/%d", n)
		err = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	})
	if err != nil {
		t.Skip("no pseudo terminals:", err)
	}
	terminal, err = os.OpenFile(name, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no pseudo terminals:", err)
	}
	t.Cleanup(func() { terminal.Close() })
	return terminal, screen
}

// onTerminal runs the program with all its streams on a terminal and gives what
// is shown there.
func onTerminal(t *testing.T, columns uint16, args ...string) (status int, shown string) {
	t.Helper()
	terminal, screen := openTerminal(t, columns)
	text := make(chan string)
	go func() {
		var b strings.Builder
		buf := make([]byte, 4096)
		for {
			n, err := screen.Read(buf)
			b.Write(buf[:n])
			if err != nil {
				text <- b.String()
				return
			}
		}
	}()
	status = run(context.Background(), args, terminal, terminal, terminal)
	terminal.Close() // ends the screen's reads with EIO once all is read
	return status, strings.ReplaceAll(<-text, "\r\n", "\n")
}

func writeGood(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "good.pcap")
	if err := os.WriteFile(name, pcapFile(synFrame()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestColourOnATerminal(t *testing.T) {
	name := writeGood(t)
	tests := []struct {
		name, term, noColor string
		args                []string
		want                bool
	}{
		{"a terminal has colour", "xterm", "", nil, true},
		{"NO_COLOR takes it away", "xterm", "1", nil, false},
		{"a flag is stronger than NO_COLOR", "xterm", "1", []string{"--color", "always"}, true},
		{"a dumb terminal has none", "dumb", "", nil, false},
		{"nor one that is not known", "", "", nil, false},
		{"never means never", "xterm", "", []string{"--color", "never"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TERM", tt.term)
			t.Setenv("NO_COLOR", tt.noColor)
			status, shown := onTerminal(t, 80, append([]string{"report", "-r", name}, tt.args...)...)
			if status != exitDone || shown == "" {
				t.Fatalf("exit status %d, %q", status, shown)
			}
			if got := strings.Contains(shown, "\x1b["); got != tt.want {
				t.Errorf("colour %v, want %v:\n%q", got, tt.want, shown)
			}
		})
	}
}

func TestTextFitsTheTerminal(t *testing.T) {
	name := writeGood(t)
	t.Setenv("TERM", "dumb")
	t.Setenv("LC_ALL", "C.UTF-8")
	for _, columns := range []uint16{60, 80, 132} {
		status, shown := onTerminal(t, columns, "report", "-r", name)
		if status != exitDone {
			t.Fatalf("exit status %d, %q", status, shown)
		}
		if err := fitsScreen(shown, fmt.Sprint(columns), "200"); err != nil {
			t.Errorf("terminal of %d columns: %v", columns, err)
		}
	}
}

func TestNoCaptureFromATerminal(t *testing.T) {
	status, shown := onTerminal(t, 80, "report", "-r", "-")
	if want := "sockscope: refusing to read a capture from a terminal\n"; status != exitUsage || shown != want {
		t.Errorf("exit status %d, %q", status, shown)
	}
}

// fakeProgress is half way through.
type fakeProgress struct{}

func (fakeProgress) Progress() (done, total int64) { return 500e6, 1000e6 }

func TestProgressBarComesAndGoes(t *testing.T) {
	terminal, screen := openTerminal(t, 60)
	t.Setenv("TERM", "xterm")
	p := newProgram(nil, terminal, terminal)
	stop := p.showProgress(fakeProgress{})
	time.Sleep(progressDelay + 3*progressEvery)
	stop()
	terminal.Close()
	var shown strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := screen.Read(buf)
		shown.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if !strings.Contains(shown.String(), "50 %  500 MB of 1.00 GB") || !strings.HasSuffix(shown.String(), "\r\x1b[K") {
		t.Errorf("%q", shown.String())
	}
}
