package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sockscope/capture/pcapfile"
)

// summaryOf is what report says about a file, without the file itself.
func summaryOf(t *testing.T, path string) map[string]any {
	t.Helper()
	_, stdout, stderr := runProgram(t, "report", "-q", "-r", path, "--all", "--format", "json")
	var all map[string]any
	if err := json.Unmarshal([]byte(stdout), &all); err != nil {
		t.Fatalf("%s: %v\n%s", path, err, stderr)
	}
	delete(all, "input")
	delete(all, "trouble") // has the damage, with the file's name
	delete(all, "listing") // counts it
	return all
}

// A file that was written again as pcapng says the same.
func TestCaptureOfAFileIsTheSame(t *testing.T) {
	// What pcapng files have and ours don't.
	differs := map[string]string{
		"gopacket-be-902.pcapng":         "interfaces", // times in units of 2^-8 s
		"pcapng-generator-be-102.pcapng": "capture",    // packets without a time
		"pcapng-generator-be-202.pcapng": "capture",
	}
	dir := t.TempDir()
	for _, path := range captures(t) {
		out := filepath.Join(dir, filepath.Base(path)+".pcapng")
		status, _, stderr := runProgram(t, "capture", "-q", "-r", path, "-w", out)
		if status != exitDone && status != exitDamaged {
			t.Errorf("%s: status %d: %s", path, status, stderr)
			continue
		}
		want, got := summaryOf(t, path), summaryOf(t, out)
		if section := differs[filepath.Base(path)]; section != "" {
			if reflect.DeepEqual(want[section], got[section]) {
				t.Errorf("%s: %s does not differ", path, section)
			}
			continue
		}
		for section := range want {
			if !reflect.DeepEqual(want[section], got[section]) {
				t.Errorf("%s: %s differs\n%v\n%v", path, section, want[section], got[section])
			}
		}
	}
}

// The plain format of our own captures is what the zoo's scripts write: so is a copy.
func TestCaptureAsPCAPCopiesBytes(t *testing.T) {
	path := filepath.Join(testdata, "handshakes.pcap")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	status, stdout, stderr := runProgram(t, "capture", "-r", path, "--format", "pcap", "-w", "-")
	if status != exitDone || stdout != string(want) || stderr != "" {
		t.Errorf("status %d, %d bytes of %d: %s", status, len(stdout), len(want), stderr)
	}
}

func TestCaptureFilters(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out.pcapng")
	status, _, stderr := runProgram(t, "capture", "-r", filepath.Join(testdata, "handshakes.pcap"), "-w", out, "-c", "20", "tcp", "port", "443")
	if status != exitDone || stderr != "" {
		t.Fatalf("status %d: %s", status, stderr)
	}
	_, stdout, _ := runProgram(t, "report", "-r", out)
	if !strings.Contains(stdout, "\n20 frames (EN10MB)") {
		t.Errorf("%s", stdout)
	}
	content, err := os.ReadFile(out)
	if err != nil || !bytes.Contains(content, []byte("\x00tcp port 443")) {
		t.Errorf("the filter is not in the file: %v", err)
	}
}

func TestCaptureWrongUsage(t *testing.T) {
	t.Chdir(t.TempDir())
	in, err := filepath.Abs("in.pcap")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in, pcapFile(synFrame()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Link("in.pcap", "same.pcap"); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"-r in.pcap", exitUsage, "nowhere to write"},
		{"-w out.pcapng", exitUsage, "nothing to read"},
		{"-r in.pcap -i lo -w out.pcapng", exitUsage, "contradict"},
		{"-r in.pcap -w out.pcapng -W 3", exitUsage, "-W needs -C or -G"},
		{"-r in.pcap -w out.pcapng -C 1 -W 65537", exitUsage, "-W 65537: a ring of files has at most 65536"},
		{"-r in.pcap -w - -C 3", exitUsage, "-C and -G need a file"},
		{"-r in.pcap -w out -C 0", exitUsage, "must be a number from 1"},
		{"-i any -w out.pcap", exitUsage, "pcapng"},
		{"-i lo -i eth0 -w out --format pcap", exitUsage, "pcapng"},
		{"-r in.pcap -w %H%D -G 1", exitUsage, "slash"},
		{"-r in.pcap -w %Q -G 1", exitUsage, "unknown conversion %Q"},
		{"-r in.pcap -w a% -G 1", exitUsage, "at the end"},
		{"-r in.pcap -w %H/out -G 1", exitUsage, "not for directories"},
		{"-r in.pcap -w out -a filesize:0", exitUsage, "filesize:1000"},
		{"-r in.pcap -w in.pcap --force", exitUsage, "in.pcap is read and cannot be written to"},
		{"-r in.pcap -w same.pcap --force", exitUsage, "in.pcap is read and cannot be written to"},
		{"-r in.pcap -w in.pcap", exitUsage, "in.pcap is read and cannot be written to"},
		{"-r missing -w out.pcapng", exitNotStarted, "missing: no such file"},
		{"-r in.pcap -w nowhere/out.pcapng", exitNotStarted, "nowhere/out.pcapng: no such file or directory"},
		{"-r in.pcap -w ./", exitNotStarted, "directory"},
		{"-r in.pcap -w ..", exitNotStarted, "directory"},
		{"-r in.pcap -w out.pcapng prot 80", exitUsage, "filter"},
	} {
		status, _, stderr := runProgram(t, append([]string{"capture"}, strings.Fields(test.args)...)...)
		if status != test.status || !strings.Contains(stderr, test.want) {
			t.Errorf("%s: status %d, %q", test.args, status, stderr)
		}
	}
	if status, _, stderr := runProgram(t, "report", "-i", "lo", "-a", "filesize:1"); status != exitUsage || !strings.Contains(stderr, "capture") {
		t.Errorf("report -a filesize: status %d, %q", status, stderr)
	}
	if names := listing(t, "."); names != "in.pcap same.pcap" {
		t.Errorf("files %s: something was created", names)
	}
}

// listing is the names in a directory.
func listing(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// Nothing that is there is written to, and nothing behind a link.
func TestCaptureNeverOverwrites(t *testing.T) {
	in, err := filepath.Abs(filepath.Join(testdata, "handshakes.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	const precious = "do not touch"
	for _, test := range []struct {
		name  string
		make  func(target, name string) error
		force bool
		want  string // of the message; "": it works
	}{
		{"a file", func(_, name string) error { return os.WriteFile(name, []byte(precious), 0o644) }, false, "out.pcapng: exists already (--force"},
		{"a file, by force", func(_, name string) error { return os.WriteFile(name, []byte(precious), 0o644) }, true, ""},
		{"a hard link", os.Link, false, "out.pcapng: exists already (--force"},
		{"a hard link, by force", os.Link, true, ""},
		{"a symbolic link", os.Symlink, false, "out.pcapng: is a symbolic link"},
		{"a symbolic link, by force", os.Symlink, true, "out.pcapng: is a symbolic link"},
		{"a symbolic link to nothing", func(_, name string) error { return os.Symlink("nothing", name) }, true, "out.pcapng: is a symbolic link"},
		{"a FIFO", func(_, name string) error { return makeFIFO(name) }, true, "no regular file"},
		{"a directory", func(_, name string) error { return os.Mkdir(name, 0o700) }, true, "is a directory"},
		{"the unfinished file's name", func(_, name string) error { return os.WriteFile(name+partSuffix, []byte(precious), 0o644) }, false, "out.pcapng.part exists"},
		{"a link with the unfinished file's name", func(target, name string) error { return os.Symlink(target, name+partSuffix) }, true, "out.pcapng.part exists"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("target", []byte(precious), 0o644); err != nil {
				t.Fatal(err)
			}
			if err := test.make("target", "out.pcapng"); err != nil {
				t.Fatal(err)
			}
			before := listing(t, ".")
			args := []string{"capture", "-r", in, "-w", "out.pcapng"}
			if test.force {
				args = append(args, "--force")
			}
			status, _, stderr := runProgram(t, args...)
			if target, err := os.ReadFile("target"); err != nil || string(target) != precious {
				t.Errorf("the target is %q: %v", target, err)
			}
			if test.want == "" {
				info, err := os.Lstat("out.pcapng")
				if status != exitDone || err != nil || info.Mode() != 0o600 || info.Size() < 40_000 {
					t.Errorf("status %d: %s%v", status, stderr, info)
				}
				return
			}
			if status != exitNotStarted || !strings.Contains(stderr, test.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("status %d: %s", status, stderr)
			}
			if after := listing(t, "."); after != before {
				t.Errorf("%s before, %s after", before, after)
			}
		})
	}
}

// numberedFile is a file of n frames of a given size, per a second.
func numberedFile(t *testing.T, n, size, perSecond int) string {
	t.Helper()
	b := pcapHeader(littleEndian, microseconds, 2, 4, 262144, 1)
	for i := range n {
		data := make([]byte, size)
		littleEndian.PutUint32(data[14:], uint32(i))
		b = append(b, pcapRecord(littleEndian, 1_700_000_000+uint32(i/perSecond), uint32(i%perSecond), uint32(size), uint32(size), data)...)
	}
	path := filepath.Join(t.TempDir(), "in.pcap")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The names are those of tcpdump 4.99.
func TestCaptureNames(t *testing.T) {
	in := numberedFile(t, 4000, 1000, 1000) // 4 s, and 4,064,024 bytes as pcap
	for _, test := range []struct{ args, want string }{
		{"-w C -C 1", "C C1 C2 C3 C4"},
		{"-w o -C 1 -W 1", "o"},
		{"-w o -C 1 -W 2", "o0 o1"},
		{"-w o -C 1 -W 3", "o0 o1 o2"},
		{"-w o -C 1 -W 10", "o0 o1 o2 o3 o4"},
		{"-w o -C 1 -W 11", "o00 o01 o02 o03 o04"},
		{"-w %S -G 1", "20 21 22 23"},
		{"-w %S -G 2", "20 22"},
		{"-w %S -G 1 -W 2", "20 21"},
		{"-w o -G 1 -W 1", "o"},
		{"-w %S -G 2 -C 1", "20 201 202 22 221 222"},
		{"-w %S -G 2 -C 1 -W 12", "2000 2001 2002 2200 2201 2202"},
		{"-w o%%", "o%%"},
		{"-w a%%b-%Y%m%dT%H%M%S -G 9", "a%b-20231114T221320"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			status, _, stderr := runProgram(t, append([]string{"capture", "--format", "pcap", "-r", in}, strings.Fields(test.args)...)...)
			if status != exitDone || stderr != "" {
				t.Fatalf("status %d: %s", status, stderr)
			}
			if got := listing(t, "."); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

// A ring replaces its own files and stops before any other.
func TestCaptureRingTakesNoOthersPlace(t *testing.T) {
	in := numberedFile(t, 4000, 1000, 1000)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("o2", []byte("mine"), 0o644); err != nil {
		t.Fatal(err)
	}
	status, _, stderr := runProgram(t, "capture", "--format", "pcap", "-r", in, "-w", "o", "-C", "1", "-W", "3")
	if want := "o2: exists already (--force replaces it); 1970 packets saved, "; status != exitOutput || !strings.Contains(stderr, want) {
		t.Errorf("status %d: %s", status, stderr)
	}
	if content, err := os.ReadFile("o2"); err != nil || string(content) != "mine" || listing(t, ".") != "o0 o1 o2" {
		t.Errorf("%q, %v, files %s", content, err, listing(t, "."))
	}
}

func TestCaptureFileSize(t *testing.T) {
	in := numberedFile(t, 4000, 1000, 1000)
	out := filepath.Join(t.TempDir(), "out.pcap")
	status, _, stderr := runProgram(t, "capture", "-r", in, "-w", out, "-a", "filesize:100")
	info, err := os.Stat(out)
	if status != exitDone || err != nil || info.Size() < 100_000 || info.Size() >= 100_000+1016 {
		t.Errorf("status %d: %s%v", status, stderr, err)
	}
}

// A pcap file has one link type: what does not fit ends it, whole.
func TestCapturePCAPOfSeveralLinkTypes(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw.pcap")
	b := append(pcapHeader(littleEndian, microseconds, 2, 4, 262144, 101), pcapRecord(littleEndian, 1_800_000_000, 0, 20, 20, make([]byte, 20))...)
	if err := os.WriteFile(raw, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.pcap")
	status, _, stderr := runProgram(t, "capture", "-r", filepath.Join(testdata, "handshakes.pcap"), "-r", raw, "-w", out)
	if status != exitOutput || !strings.Contains(stderr, "link type RAW after EN10MB") || !strings.Contains(stderr, "pcapng") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if status, stdout, _ := runProgram(t, "report", "-r", out); status != exitDone || !strings.Contains(stdout, "\n259 frames (EN10MB)") {
		t.Errorf("status %d: %s", status, stdout)
	}
}

// A failingWriter takes some bytes and then no more.
type failingWriter struct {
	left int
	err  error
}

func (w *failingWriter) Write(b []byte) (int, error) {
	n := min(len(b), w.left)
	w.left -= n
	if n < len(b) {
		return n, w.err
	}
	return n, nil
}

func TestCaptureToStandardOutputThatFails(t *testing.T) {
	in := numberedFile(t, 4000, 1000, 1000)
	var errs bytes.Buffer
	broken := &failingWriter{500_000, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: os.ErrDeadlineExceeded}}
	status := run(context.Background(), []string{"capture", "-r", in, "--format", "pcap", "-w", "-"}, nil, broken, &errs)
	// (500,000 - 24) / 1016 is 492.
	if want := "standard output: i/o timeout; 492 packets saved, "; status != exitOutput || !strings.Contains(errs.String(), want) {
		t.Errorf("status %d: %s", status, &errs)
	}
}

func TestStrftime(t *testing.T) {
	// What date(1) says of these times in the locale C.
	const template = "%a %A %b %B %C %d %e %F %g %G %h %H %I %j %k %l %m %M %p %P %r %R %s %S %T %u %U %V %w %W %X %y %Y %z %Z %% %c"
	for _, test := range []struct {
		time time.Time
		want string
	}{
		{time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC),
			"Tue Tuesday Nov November 20 14 14 2023-11-14 23 2023 Nov 22 10 318 22 10 11 13 PM pm 10:13:20 PM 22:13 1700000000 20 22:13:20 2 46 46 2 46 22:13:20 23 2023 +0000 UTC % Tue Nov 14 22:13:20 2023"},
		{time.Date(2021, 1, 3, 0, 5, 9, 0, time.UTC),
			"Sun Sunday Jan January 20 03  3 2021-01-03 20 2020 Jan 00 12 003  0 12 01 05 AM am 12:05:09 AM 00:05 1609632309 09 00:05:09 7 01 53 0 00 00:05:09 21 2021 +0000 UTC % Sun Jan  3 00:05:09 2021"},
	} {
		got, err := strftime(template, test.time)
		if err != nil || got != test.want {
			t.Errorf("%v\n got %s\nwant %s", err, got, test.want)
		}
	}
}

// No input is replaced, by whatever name it would be: --force is about other files.
func TestCaptureSparesItsInputs(t *testing.T) {
	for _, test := range []struct{ input, args string }{
		{"o1", "-w o -C 1"},
		{"1700000000", "-w %s -G 1000"},
		{"o.part", "-w o"},
		{"o", "-w o"},
	} {
		t.Run(test.args, func(t *testing.T) {
			t.Chdir(t.TempDir())
			content, err := os.ReadFile(numberedFile(t, 4000, 1000, 1000))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(test.input, content, 0o600); err != nil {
				t.Fatal(err)
			}
			status, _, stderr := runProgram(t, append([]string{"capture", "--format", "pcap", "--force", "-r", test.input}, strings.Fields(test.args)...)...)
			if status == exitDone || strings.Count(stderr, "\n") != 1 {
				t.Errorf("status %d: %s", status, stderr)
			}
			if now, err := os.ReadFile(test.input); err != nil || !bytes.Equal(now, content) {
				t.Errorf("the input has %d bytes instead of %d: %v", len(now), len(content), err)
			}
		})
	}
}

// A file that another capture writes is not taken from it.
func TestCaptureSparesOthers(t *testing.T) {
	in := numberedFile(t, 10, 100, 1)
	t.Chdir(t.TempDir())
	other, err := os.Create("o.part")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	lock(other)
	if status, _, stderr := runProgram(t, "capture", "--force", "-r", in, "-w", "o"); status != exitNotStarted || !strings.Contains(stderr, "o.part exists: another capture writes it") {
		t.Errorf("status %d: %s", status, stderr)
	}
	other.Close()
	if status, _, stderr := runProgram(t, "capture", "--force", "-r", in, "-w", "o"); status != exitDone {
		t.Errorf("status %d: %s", status, stderr)
	}
}

// Packets of a file that somebody took away are not saved.
func TestFileTakenAway(t *testing.T) {
	into, name, err := openFolder(filepath.Join(t.TempDir(), "o"), false)
	if err != nil {
		t.Fatal(err)
	}
	defer into.root.Close()
	s := newSaver(pcapfile.NewEncoder(pcapfile.EncoderConfig{}), into, nil)
	if err := s.open(name); err != nil {
		t.Fatal(err)
	}
	if err := into.root.Remove(name + partSuffix); err != nil {
		t.Fatal(err)
	}
	<-s.free
	s.hand(chunk{data: []byte("packets"), packets: 7, begins: name, ends: true})
	if err := s.close(); !errors.Is(err, errTaken) || s.saved.Load() != 0 {
		t.Errorf("%v, %d packets saved", err, s.saved.Load())
	}
}
