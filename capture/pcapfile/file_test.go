package pcapfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func newBlock() *capture.Block { return new(capture.Block) }

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	good := path("good")
	os.WriteFile(good, plain(5), 0o600)
	os.WriteFile(path("denied"), plain(5), 0)
	os.Symlink(path("loop"), path("loop"))
	os.Mkdir(path("empty"), 0o700)
	os.MkdirAll(path("nested/inner"), 0o700)
	tests := map[string]string{
		path("missing"):         "no such file or directory",
		path("*.nothing"):       "no such file or directory",
		path("[x"):              "no such file or directory",
		path("loop"):            "too many levels of symbolic links",
		path("empty"):           "is a directory without files",
		path("nested"):          "is a directory without files",
		path("nest*"):           "is a directory",
		path("good/x"):          "not a directory",
		"/dev/null":             "empty file, not a capture",
		"/dev/zero":             "not pcap, pcapng or gzip (first bytes 00 00 00 00)",
		path("a\x1b[31m\n\xff"): "no such file or directory",
	}
	if os.Getuid() != 0 {
		tests[path("denied")] = "permission denied"
	}
	for name, want := range tests {
		t.Run(want, func(t *testing.T) {
			frames, s := readFiles(t, Config{}, name, good)
			in := s.Inputs[0]
			if diff := cmp.Diff([]string{want}, messages(in)); diff != "" || !in.Damage[0].Unread {
				t.Errorf("damage (-want +got):\n%s", diff)
			}
			if len(frames) != 1 || len(s.Inputs[1].Damage) > 0 {
				t.Errorf("the other input gave %d frames, damage %q", len(frames), messages(s.Inputs[1]))
			}
			if alone, _ := readFiles(t, Config{}, name); len(alone) != 0 {
				t.Errorf("%d frames", len(alone))
			}
		})
	}
}

func TestOpenWithoutNames(t *testing.T) {
	if _, err := Open(context.Background(), nil, Config{}); !errors.Is(err, ErrNoInput) {
		t.Errorf("error %v, want %v", err, ErrNoInput)
	}
}

// TestNames: directories and patterns stand for their files, sorted; a file whose
// name looks like a pattern is itself.
func TestNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.pcap", "a.pcap", "c.txt", "sub/d.pcap", "[a].pcap"} {
		os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
		os.WriteFile(filepath.Join(dir, name), plain(), 0o600)
	}
	syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600)
	for pattern, want := range map[string][]string{
		"":         {"[a].pcap", "a.pcap", "b.pcap", "c.txt"},
		"?.pcap":   {"a.pcap", "b.pcap"},
		"[a].pcap": {"[a].pcap"},
		"*/*":      {"sub/d.pcap"},
	} {
		_, s := readFiles(t, Config{}, filepath.Join(dir, pattern))
		var got []string
		for _, in := range s.Inputs {
			rel, _ := filepath.Rel(dir, in.Name)
			got = append(got, rel)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", pattern, diff)
		}
	}
}

func TestSameFileTwice(t *testing.T) {
	name := write(t, "input", plain(5))
	link := name + "2"
	if err := os.Link(name, link); err != nil {
		t.Fatal(err)
	}
	frames, s := readFiles(t, Config{}, name, link)
	if len(frames) != 2 || len(s.Inputs[0].Notes) > 0 {
		t.Errorf("%d frames, notes %q", len(frames), s.Inputs[0].Notes)
	}
	if diff := cmp.Diff([]string{"the same file as " + name + ": read again"}, s.Inputs[1].Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestStdin(t *testing.T) {
	content := plain(60, 0, 70000, 9)
	want, _, _ := read(t, content)
	for name, r := range map[string]io.Reader{
		"whole":        bytes.NewReader(content),
		"single bytes": iotest.OneByteReader(bytes.NewReader(content)),
		"compressed":   bytes.NewReader(pack(t, "zstd", content)),
	} {
		frames, s := readFiles(t, Config{Stdin: r}, "-")
		if diff := cmp.Diff(want, frames); diff != "" || s.Inputs[0].Name != "-" {
			t.Errorf("%s: input %q, frames (-want +got):\n%s", name, s.Inputs[0].Name, diff)
		}
	}
}

// TestReadError: what was read before the error counts.
func TestReadError(t *testing.T) {
	r := io.MultiReader(bytes.NewReader(plain(60, 70)[:102]), iotest.ErrReader(syscall.EIO))
	frames, s := readFiles(t, Config{Stdin: r}, "-")
	if diff := cmp.Diff([]string{"input/output error at offset 102; 1 record kept"}, messages(s.Inputs[0])); diff != "" || len(frames) != 1 {
		t.Errorf("%d frames, damage (-want +got):\n%s", len(frames), diff)
	}
}

// TestFileShrinksOrGrows between being found and its end.
func TestFileShrinksOrGrows(t *testing.T) {
	for name, test := range map[string]struct {
		before, after []byte
		frames        int
		damage        []string
	}{
		"shrank":         {plain(60, 70, 80), plain(60, 70, 80)[:120], 1, []string{"file shrank while being read at offset 120; 1 record kept"}},
		"grew":           {plain(60), plain(60, 70), 2, nil},
		"is growing":     {plain(60), plain(60, 70)[:120], 1, []string{"record 2, offset 100: data cut short (have 4 of 70 bytes), still being written?; 1 record kept"}},
		"became nothing": {plain(60), nil, 0, []string{"file shrank while being read at offset 0"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, "input", test.before)
			r, err := Open(context.Background(), []string{path}, Config{})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, test.after, 0o600); err != nil {
				t.Fatal(err)
			}
			frames, s := drain(t, r)
			if diff := cmp.Diff(test.damage, messages(s.Inputs[0])); diff != "" || len(frames) != test.frames {
				t.Errorf("%d frames, damage (-want +got):\n%s", len(frames), diff)
			}
		})
	}
}

// TestFIFO: a FIFO is waited for; when the context is done the wait ends, before
// a writer comes and after.
func TestFIFO(t *testing.T) {
	content := plain(60, 70)
	for _, writer := range []string{"none", "silent", "stalled", "complete"} {
		t.Run(writer, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fifo")
			if err := syscall.Mkfifo(path, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			r, err := Open(ctx, []string{path}, Config{})
			if err != nil {
				t.Fatal(err)
			}
			var w *os.File
			switch writer {
			case "none":
				time.AfterFunc(50*time.Millisecond, cancel)
			default:
				if w, err = os.OpenFile(path, os.O_RDWR, 0); err != nil {
					t.Fatal(err)
				}
				defer w.Close()
				if writer == "stalled" {
					w.Write(content[:110])
				}
				if writer == "complete" {
					w.Write(content)
				}
				time.AfterFunc(50*time.Millisecond, cancel)
			}
			frames, s := drain(t, r)
			want := map[string]int{"stalled": 1, "complete": 2}[writer]
			if len(frames) != want || len(s.Inputs[0].Damage) > 0 {
				t.Errorf("%d frames, want %d; damage %q", len(frames), want, messages(s.Inputs[0]))
			}
		})
	}
}

// TestFIFOEnds: the end of the writer is the end of the capture.
func TestFIFOEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		time.Sleep(30 * time.Millisecond)
		os.WriteFile(path, plain(60, 70), 0)
	}()
	frames, s := readFiles(t, Config{}, path)
	if len(frames) != 2 || len(s.Inputs[0].Damage) > 0 {
		t.Errorf("%d frames, damage %q", len(frames), messages(s.Inputs[0]))
	}
}

func TestProgress(t *testing.T) {
	content := plain(slices.Repeat([]int{1000}, 1000)...)
	paths := []string{write(t, "plain", content), write(t, "packed", pack(t, "gzip", content))}
	r, err := Open(context.Background(), paths, Config{})
	if err != nil {
		t.Fatal(err)
	}
	if done, total := r.Progress(); done != 0 || total <= int64(len(content)) {
		t.Errorf("at the beginning %d of %d", done, total)
	}
	drain(t, r)
	if done, total := r.Progress(); done != total {
		t.Errorf("at the end %d of %d", done, total)
	}
	if r, err = Open(context.Background(), append(paths, "-"), Config{Stdin: bytes.NewReader(content)}); err != nil {
		t.Fatal(err)
	}
	drain(t, r)
	if done, total := r.Progress(); total != 0 || done < 2*int64(len(content)) {
		t.Errorf("with a stream %d of %d, want the total unknown", done, total)
	}
}

// TestCloseEarly: Close in the middle ends the goroutines that read ahead and
// closes the files.
func TestCloseEarly(t *testing.T) {
	content := plain(slices.Repeat([]int{1000}, 5000)...)
	paths := []string{write(t, "plain", content)}
	for _, name := range compressions {
		paths = append(paths, write(t, name, pack(t, name, content)))
	}
	for n := range paths {
		r, err := Open(context.Background(), paths[:n+1], Config{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Next(newBlock()); err != nil {
			t.Fatal(err)
		}
		r.Close()
		r.Close()
		if err := r.Next(newBlock()); err == nil {
			t.Error("Next after Close gives frames")
		}
		if left := readersLeft(); left != "" {
			t.Errorf("%d inputs: after Close runs\n%s", n+1, left)
		}
		if open := stillOpen(paths); len(open) > 0 {
			t.Errorf("%d inputs: after Close open: %q", n+1, open)
		}
	}
}

// TestCloseWhileStopping: Close, right when the context's end is ending the reads
// of a pipe, neither hangs nor leaves a goroutine.
func TestCloseWhileStopping(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for range 200 {
		ctx, cancel := context.WithCancel(context.Background())
		r, err := Open(ctx, []string{path}, Config{})
		if err != nil {
			t.Fatal(err)
		}
		w.Write(plain(60))
		if err := r.Next(newBlock()); err != nil {
			t.Fatal(err)
		}
		cancel()
		r.Close()
		if left := readersLeft(); left != "" {
			t.Fatalf("after Close runs\n%s", left)
		}
	}
}

// readersLeft is the stacks of the goroutines that read for this package, "" when
// there are none. One that was waited for may still be in its last steps: only
// what stays counts.
func readersLeft() string {
	var left string
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		left = ""
		stacks := make([]byte, 1<<20)
		for stack := range strings.SplitSeq(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
			if strings.Contains(stack, "pcapfile.(*ahead).") || strings.Contains(stack, "pcapfile.(*file).") || strings.Contains(stack, "klauspost") {
				left += stack + "\n\n"
			}
		}
		if left == "" {
			break
		}
	}
	return left
}

// stillOpen is which of the files the process has open, where the system tells.
func stillOpen(paths []string) []string {
	var open []string
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		if target, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && slices.Contains(paths, target) {
			open = append(open, filepath.Base(target))
		}
	}
	return open
}

// openFiles counts the process's descriptors, where the system tells.
func openFiles() int {
	entries, _ := os.ReadDir("/proc/self/fd")
	return len(entries)
}

// TestNamesStayRaw: what a file is called is for the printer to escape.
func TestNamesStayRaw(t *testing.T) {
	for _, name := range []string{"-dash", "new\nline", "esc\x1b[31m", "bad\xff"} {
		_, s := readFiles(t, Config{}, write(t, name, plain(1)))
		if in := s.Inputs[0]; filepath.Base(in.Name) != name || strings.Contains(fmt.Sprint(in.Damage, in.Notes), name) {
			t.Errorf("%q became %q", name, in.Name)
		}
	}
}

// TestPipeEndsWithContext: a pipe as standard input does not hold the reader
// after the context is done, and what came before is given.
func TestPipeEndsWithContext(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := Open(ctx, []string{"-"}, Config{Stdin: in})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(plain(60, 70)[:110])
	time.AfterFunc(50*time.Millisecond, cancel)
	frames, s := drain(t, r)
	if len(frames) != 1 || len(s.Inputs[0].Damage) > 0 {
		t.Errorf("%d frames, damage %q", len(frames), messages(s.Inputs[0]))
	}
}
