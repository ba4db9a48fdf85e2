package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	lang "sockscope/report/words"
)

// portHere is what is known of a port on a host that a test makes up.
func portHere(port uint16, change func(*portFacts)) *portFacts {
	f := newPortFacts(port)
	start := uint16(1024)
	f.Privileged, f.Ephemeral = &start, &portBounds{32768, 60999}
	f.InEphemeral = f.Ephemeral.Low <= port && port <= f.Ephemeral.High
	f.Listeners, f.Connected = &[]portListener{}, &[]portSocket{}
	if change != nil {
		change(f)
	}
	return f
}

func writtenPort(t *testing.T, f *portFacts, l lang.Language, width int, ascii bool) string {
	t.Helper()
	p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
	p.ascii = ascii
	var b bytes.Buffer
	if err := p.writePort(&b, f, lang.New(l), width); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// busy gives a port listeners, peers, clients and uses.
func busy(f *portFacts) {
	nginx := []portOwner{{812, "nginx"}, {813, "nginx"}}
	f.Listeners = &[]portListener{
		{"tcp", "0.0.0.0", 0, nginx, "", byProcess},
		{"tcp", "::", 0, nginx, "", byProcess},
		{"udp", "127.0.0.1", 7, nil, "no permission to look into 3 of 70 processes (try as root)", byHidden},
	}
	var list []portSocket
	for i := range 10 {
		list = append(list, portSocket{"tcp", "local", "ESTABLISHED", "192.0.2.10", f.Port, "198.51.100.7", uint16(50000 + i), nginx[1:], "", byProcess})
	}
	list[0].Processes, list[0].State, list[0].held = nil, "TIME-WAIT", byKernel
	list[1].Processes, list[1].held = nil, byKernel
	f.Connected = new([]portSocket)
	*f.Connected = append(list, portSocket{"tcp", "remote", "ESTABLISHED", "2001:db8:1111:2222:3333:4444:5555:6666", 41000,
		"2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff", f.Port, []portOwner{{2000, "curl"}}, "", byProcess})
	f.Uses = &[]portUse{
		{"tcp", "server", 19, map[string]uint64{"complete": 2, "refused": 1, "half-open": 16}, 86, 12_800, 17, 7},
		{"tcp", "client", 1, map[string]uint64{"unanswered": 1}, 1, 60, 1, 1},
	}
	f.OtherPorts = []uint16{8443, 9443}
}

func TestPortGolden(t *testing.T) {
	for _, l := range []lang.Language{lang.English, lang.Korean} {
		var all strings.Builder
		for _, f := range []*portFacts{
			portHere(80, nil), portHere(443, busy), portHere(51820, nil), portHere(0, func(f *portFacts) { f.Connected = nil }),
			portHere(49152, func(f *portFacts) { f.Reserved = true }), portHere(53, func(f *portFacts) { f.Unavailable = "unsupported operation on this system" }),
			portHere(8080, func(f *portFacts) { f.Uses = &[]portUse{} }),
			portHere(22, func(f *portFacts) { low := uint16(0); f.Privileged = &low }),
			portHere(6000, func(f *portFacts) { f.Incomplete = []string{"UDP over IPv6: not here"} }),
		} {
			all.WriteString(writtenPort(t, f, l, 80, false) + "\n")
		}
		golden(t, filepath.Join(testdata, "golden", fmt.Sprintf("port-%v.txt", l)), []byte(all.String()))
	}
}

// All ports fit, in both languages, whatever their descriptions are; and in ASCII.
func TestPortFits(t *testing.T) {
	for port := uint16(0); port < 65000; port += 101 {
		f := portHere(port, busy)
		for _, l := range []lang.Language{lang.English, lang.Korean} {
			for line := range strings.Lines(writtenPort(t, f, l, 80, false)) {
				if w := lang.Width(strings.TrimSuffix(line, "\n")); w > 80 {
					t.Fatalf("port %d, %v: %d columns: %s", port, l, w, line)
				}
			}
		}
	}
	for _, c := range writtenPort(t, portHere(443, busy), lang.English, 80, true) {
		if c >= 0x80 {
			t.Fatalf("%q is not ASCII", c)
		}
	}
}

// Whether a port is privileged or lent is said of this host, and nothing is said that is not known.
func TestPortRules(t *testing.T) {
	for _, tt := range []struct {
		name   string
		port   uint16
		change func(*portFacts)
		want   []string
		never  []string
	}{
		{"below the start", 80, nil, []string{"CAP_NET_BIND_SERVICE", "ports below 1024"}, []string{"Any user"}},
		{"the start itself is free", 1024, nil, []string{"Any user"}, []string{"CAP_NET_BIND_SERVICE"}},
		{"a lowered start", 80, func(f *portFacts) { low := uint16(80); f.Privileged = &low }, []string{"yet any user"}, []string{"CAP_NET_BIND_SERVICE"}},
		{"a raised start", 8080, func(f *portFacts) { high := uint16(9000); f.Privileged = &high }, []string{"ports below 9000 are for root"}, nil},
		{"no port is privileged", 80, func(f *portFacts) { low := uint16(0); f.Privileged = &low }, []string{"any port"}, []string{"below"}},
		{"not known", 80, func(f *portFacts) { f.Privileged = nil }, nil, []string{"bind "}},
		{"lent", 32768, nil, []string{"EADDRINUSE"}, nil},
		{"kept from being lent", 32768, func(f *portFacts) { f.Reserved = true }, []string{"never lent"}, []string{"EADDRINUSE"}},
		{"not lent", 32767, nil, []string{"Not in the range"}, nil},
		{"dynamic and yet not lent", 61000, nil, []string{"Dynamic port", "Not in the range"}, nil},
		{"the range is not known", 50000, func(f *portFacts) { f.Ephemeral = nil }, nil, []string{"clients"}},
		{"port 0", 0, nil, []string{"reserved"}, []string{"listens", "clients", "root"}},
		{"who waits for accept()", 443, busy, []string{"waits for accept()", "the kernel's", "and 2 more"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Join(strings.Fields(writtenPort(t, portHere(tt.port, tt.change), lang.English, 120, false)), " ")
			for _, want := range tt.want {
				if !strings.Contains(text, want) {
					t.Errorf("%q is missing in %s", want, text)
				}
			}
			for _, never := range tt.never {
				if strings.Contains(text, never) {
					t.Errorf("%q is in %s", never, text)
				}
			}
		})
	}
}
