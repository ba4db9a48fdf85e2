package filter

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
)

var update = flag.Bool("update", false, "ask tcpdump again and rewrite testdata/filters.tsv; its first two columns and the reasons stay")

const agreementHead = `# What tcpdump 4.99 with libpcap 1.10 and this package say to an expression: how many frames
# of a mix of captures match, or why it is refused. Where the two differ there is a reason.
# link type	expression	tcpdump	ours	reason
`

// An agreement is a line of testdata/filters.tsv.
type agreement struct{ link, text, theirs, ours, reason string }

func readAgreements(t testing.TB) []agreement {
	t.Helper()
	b, err := os.ReadFile("testdata/filters.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var all []agreement
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); strings.HasPrefix(line, "#") {
			continue
		}
		columns := append(strings.Split(line, "\t"), "", "", "")
		all = append(all, agreement{columns[0], columns[1], columns[2], columns[3], columns[4]})
	}
	return all
}

// TestAgreement compares with what tcpdump says to the same expressions.
func TestAgreement(t *testing.T) {
	all := readAgreements(t)
	frames := mixedFrames(t)
	if *update {
		ask := newTcpdump(t, frames)
		for i := range all {
			all[i].theirs = ask.verdict(t, all[i])
			all[i].ours = verdict(all[i], frames)
		}
		writeAgreements(t, all)
	}
	equal, explained, refused := 0, 0, 0
	for _, a := range all {
		if ours := verdict(a, frames); ours != a.ours {
			t.Errorf("%s %q: %s, want %s", a.link, a.text, ours, a.ours)
		}
		if isRefusal(a.ours) {
			refused++
		}
		same := a.ours == a.theirs || isRefusal(a.ours) && isRefusal(a.theirs)
		switch {
		case same && a.reason == "":
			equal++
		case same:
			t.Errorf("%s %q: a reason, and nothing to explain", a.link, a.text)
		case a.reason == "":
			t.Errorf("%s %q: tcpdump says %s, we %s, and no reason", a.link, a.text, a.theirs, a.ours)
		default:
			explained++
		}
	}
	t.Logf("%d expressions: %d equal, %d explained, %d refused", len(all), equal, explained, refused)
}

func isRefusal(verdict string) bool { return strings.HasPrefix(verdict, "refused: ") }

// verdict is the number of frames that match, or why the expression is refused.
func verdict(a agreement, frames map[capture.LinkType][]capture.Frame) string {
	link := linkNamed(a.link)
	f, err := Parse(a.text)
	if err != nil {
		return "refused: " + err.Error()
	}
	p, err := f.Compile(Config{Link: link, Service: someServices})
	if err != nil {
		return "refused: " + err.Error()
	}
	n := 0
	for _, frame := range frames[link] {
		if p.Match(frame.Data, frame.Length) {
			n++
		}
	}
	return strconv.Itoa(n)
}

// linkNamed is the link type with a name of tcpdump's, or a number.
func linkNamed(name string) capture.LinkType {
	if n, err := strconv.Atoi(name); err == nil {
		return capture.LinkType(n)
	}
	for l := range capture.LinkType(300) {
		if l.String() == name {
			return l
		}
	}
	panic("no link type " + name)
}

// someServices are services as Debian's /etc/services has them.
func someServices(name, transport string) (uint16, bool) {
	port, ok := map[string]uint16{
		"http/tcp": 80, "https/tcp": 443, "https/udp": 443, "domain/tcp": 53, "domain/udp": 53, "ssh/tcp": 22,
		"tftp/udp": 69, "ftp/tcp": 21, "ftp-data/tcp": 20, "smtp/tcp": 25, "ntp/udp": 123, "bootps/udp": 67,
	}[name+"/"+transport]
	return port, ok
}

// mixedFrames are frames of testdata's captures and built ones, by link type.
func mixedFrames(t testing.TB) map[capture.LinkType][]capture.Frame {
	t.Helper()
	frames := builtFrames()
	const most = 100 // of a file
	for _, pattern := range []string{"corpus/*.pcap*", "zoo/*.pcap", "handshakes.pcap"} {
		names, err := filepath.Glob("../../testdata/" + pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("no captures %s: %v", pattern, err)
		}
		for _, name := range names {
			r, err := pcapfile.Open(context.Background(), []string{name}, pcapfile.Config{})
			if err != nil {
				t.Fatal(err)
			}
			var b capture.Block
			for n := 0; n < most && r.Next(&b) == nil; {
				for _, f := range b.Frames {
					if n++; n <= most {
						f.Data = bytes.Clone(f.Data)
						frames[f.Link] = append(frames[f.Link], f)
					}
				}
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return frames
}

// A tcpdump asks the real one about frames in files, one of each link type.
type tcpdump struct{ folder string }

func newTcpdump(t *testing.T, frames map[capture.LinkType][]capture.Frame) tcpdump {
	t.Helper()
	d := tcpdump{t.TempDir()}
	for link, list := range frames {
		b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
		b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
		b = binary.LittleEndian.AppendUint32(b, maxSnapLength)
		b = binary.LittleEndian.AppendUint32(b, uint32(link))
		for _, f := range list {
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0)
			b = binary.LittleEndian.AppendUint32(b, uint32(len(f.Data)))
			b = binary.LittleEndian.AppendUint32(b, f.Length)
			b = append(b, f.Data...)
		}
		if err := os.WriteFile(d.file(link), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func (d tcpdump) file(link capture.LinkType) string {
	return filepath.Join(d.folder, fmt.Sprintf("%d.pcap", link))
}

func (d tcpdump) verdict(t *testing.T, a agreement) string {
	t.Helper()
	cmd := exec.Command("tcpdump", "-r", d.file(linkNamed(a.link)), "-w", "-", "--", a.text)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		for line := range strings.Lines(stderr.String()) {
			if m, ok := strings.CutPrefix(line, "tcpdump: "); ok {
				return "refused: " + strings.TrimSpace(m)
			}
		}
		t.Fatalf("%s %q: %v: %s", a.link, a.text, err, &stderr)
	}
	n := 0
	for out = out[24:]; len(out) > 0; n++ {
		out = out[16+binary.LittleEndian.Uint32(out[8:]):]
	}
	return strconv.Itoa(n)
}

func writeAgreements(t *testing.T, all []agreement) {
	t.Helper()
	var b strings.Builder
	b.WriteString(agreementHead)
	for _, a := range all {
		b.WriteString(strings.TrimRight(strings.Join([]string{a.link, a.text, a.theirs, a.ours, a.reason}, "\t"), "\t") + "\n")
	}
	if err := os.WriteFile("testdata/filters.tsv", []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
