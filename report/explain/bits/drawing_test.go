package bits

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/report/words"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// What is drawn of each sample, in both languages.
func TestGolden(t *testing.T) {
	for i, s := range samples() {
		t.Run(s.name, func(t *testing.T) {
			d := Of(&s.frame, uint64(i+1))
			check(t, d)
			for _, width := range []int{80, 120} {
				checkText(t, d, width)
			}
			for _, language := range []words.Language{words.English, words.Korean} {
				var text bytes.Buffer
				if err := d.WriteText(&text, Options{Language: language}); err != nil {
					t.Fatal(err)
				}
				golden(t, s.name+"."+language.String()+".txt", text.Bytes())
			}
			var b bytes.Buffer
			if err := d.WriteText(&b, Options{ASCII: true}); err != nil || strings.ContainsFunc(b.String(), func(r rune) bool { return r > '~' }) {
				t.Errorf("not ASCII, or %v", err)
			}
		})
	}
}

func TestGoldenFormats(t *testing.T) {
	syn := samples()[0]
	d := Of(&syn.frame, 7)
	for name, write := range map[string]func(*Drawing, *bytes.Buffer, Options) error{
		"md":   func(d *Drawing, b *bytes.Buffer, o Options) error { return d.WriteMarkdown(b, o) },
		"html": func(d *Drawing, b *bytes.Buffer, o Options) error { return d.WriteHTML(b, o) },
	} {
		for _, language := range []words.Language{words.English, words.Korean} {
			var b bytes.Buffer
			if err := write(d, &b, Options{Language: language}); err != nil {
				t.Fatal(err)
			}
			golden(t, "syn."+language.String()+"."+name, b.Bytes())
		}
	}
}

// names are the headers of a drawing, one word each; with what is not as it should be behind.
func names(d *Drawing) string {
	var all []string
	for i := range d.Headers {
		h := &d.Headers[i]
		name := [...]string{Fields: h.Name, Layer: "(" + h.Name + ")", Payload: "payload", Trailer: "trailer"}[h.Kind]
		switch h.End {
		case CaptureEnds:
			name += "[cut]"
		case PacketEnds:
			name += "[short]"
		case QuoteEnds:
			name += "[quote]"
		}
		all = append(all, name)
	}
	return strings.Join(all, " / ")
}

// Which headers a frame is taken apart into.
func TestHeaders(t *testing.T) {
	byName := map[string]capture.Frame{}
	for _, s := range samples() {
		byName[s.name] = s.frame
	}
	for _, test := range []struct {
		name  string
		frame capture.Frame
		want  string
	}{
		{"TCP", byName["syn"], "Ethernet / IPv4 / TCP"},
		{"the port leads to DNS", byName["dns"], "Ethernet / IPv4 / UDP / DNS / payload"},
		{"an extension header", byName["ipv6-extension"], "Ethernet / IPv6 / IPv6 Hop-by-Hop Options / TCP"},
		{"what follows is padding", byName["arp"], "Ethernet / ARP / trailer"},
		{"a tunnel", byName["vxlan"], "Ethernet / IPv4 / UDP / VXLAN / Ethernet / IPv4 / UDP / DNS / payload"},
		{"the snap length cuts options", byName["cut-options"], "Ethernet / IPv4 / TCP[cut]"},
		{"a header beyond its packet", byName["hostile"], "Ethernet / IPv4 / TCP[short]"},
		{"a tag", byName["vlan"], "Ethernet / 802.1Q / IPv4 / TCP"},
		{"an error quotes a packet", byName["icmp-quote"], "Ethernet / IPv4 / ICMP / IPv4 / UDP"},
		{"chunks", byName["sctp"], "Ethernet / IPv4 / SCTP / SCTP chunk"},
		{"a link type beyond 8 bits", byName["sll2"], "Linux cooked v2 / IPv4 / TCP"},
		{"a link type that nobody knows", capture.Frame{Data: []byte{1, 2, 3}, Link: 65000}, "payload"},
		{"LLDP is gopacket's", ethernetFrame(unhex("0180c200000e 00005e005301 88cc 0207 04 00005e005301 0403 05 7031 0602 0078 0000")),
			"Ethernet / (LinkLayerDiscovery)"},
		{"nothing", ethernetFrame(nil), "Ethernet[short]"},
		{"half of Ethernet", ethernetFrame(unhex("ffffffffffff 00")), "Ethernet[short]"},
		{"padding behind a packet", ethernetFrame(append(bytes.Clone(byName["syn"].Data), 0, 0)), "Ethernet / IPv4 / TCP / trailer"},
	} {
		d := Of(&test.frame, 1)
		check(t, d)
		checkText(t, d, 80)
		if got := names(d); got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.name, got, test.want)
		}
	}
}

// A flood of tags ends at the limit.
func TestTooManyHeaders(t *testing.T) {
	f := ethernetFrame(append(unhex("00005e005302 00005e005301 8100"), bytes.Repeat(unhex("0001 8100"), 15000)...))
	d := Of(&f, 1)
	check(t, d)
	checkText(t, d, 80)
	last := d.Headers[len(d.Headers)-1]
	if len(d.Headers) != maxHeaders+1 || last.Kind != Payload {
		t.Errorf("%d headers, the last one of kind %d", len(d.Headers), last.Kind)
	}
}

// No name, value or payload is taken for markup, and each place has one name.
func TestPageIsSafe(t *testing.T) {
	for i, s := range samples() {
		d := Of(&s.frame, uint64(i+1))
		html, err := d.HTML(Options{})
		if err != nil {
			t.Fatal(err)
		}
		text := string(html)
		for _, bad := range []string{"<script", "http:", "https:", "ZgotmplZ", "\x1b"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q in the page", s.name, bad)
			}
		}
		seen := map[string]bool{}
		for _, part := range strings.Split(text, ` id="`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			if seen[id] {
				t.Errorf("%s: %s twice", s.name, id)
			}
			seen[id] = true
		}
		for _, part := range strings.Split(text, `href="#`)[1:] {
			if id, _, _ := strings.Cut(part, `"`); !seen[id] {
				t.Errorf("%s: no place %s", s.name, id)
			}
		}
	}
}
