package main

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	lang "sockscope/report/words"
)

// A scene is a host that a test makes up.
type scene struct {
	host      capture.Host
	processes map[int]*capture.Process
}

func newScene() *scene {
	return &scene{capture.Host{EphemeralLow: 32768, EphemeralHigh: 60999, Netns: 4026531840}, map[int]*capture.Process{}}
}

func (s *scene) process(pid int, name, user string, uid uint32) {
	s.processes[pid] = &capture.Process{PID: pid, Name: name, User: user, HasUID: true, UID: uid}
}

// add adds a socket: its words are protocol, state, local end, remote end (- for none), then
// the processes that have it; without any it is the kernel's, and ? stands for one that is
// not known.
func (s *scene) add(line string) *capture.Socket {
	f := strings.Fields(line)
	socket := capture.Socket{State: f[1], Inode: uint64(len(s.host.Sockets) + 1), HasUID: true}
	protocols := map[string]uint8{"tcp": 6, "udp": 17, "icmp": 1, "sctp": 132}
	switch {
	case f[0] == "packet":
		socket.Type = capture.Packet
	case strings.HasPrefix(f[0], "raw/"):
		socket.Type, socket.Protocol = capture.RawSocket, protocols[f[0][4:]]
		socket.Local = netip.AddrPortFrom(netip.MustParseAddr(f[2]), 0)
		f[2] = "-"
	default:
		socket.Protocol = protocols[f[0]]
		if f[0] == "udp" || f[0] == "icmp" {
			socket.Type = capture.Datagram
		}
	}
	if f[2] != "-" {
		socket.Local = netip.MustParseAddrPort(f[2])
	}
	if f[3] != "-" {
		socket.Remote = netip.MustParseAddrPort(f[3])
	}
	socket.IPv6 = socket.Local.Addr().Is6()
	if len(f) == 4 {
		socket.Inode = 0
	}
	for _, word := range f[4:] {
		var pid int
		if word != "?" {
			fmt.Sscan(word, &pid)
			socket.Owners = append(socket.Owners, capture.Owner{Process: s.processes[pid], Basis: capture.BasisExact})
		}
	}
	s.host.Sockets = append(s.host.Sockets, socket)
	return &s.host.Sockets[len(s.host.Sockets)-1]
}

// webServer is a host with every kind of socket.
func webServer() *scene {
	s := newScene()
	s.process(700, "sshd", "root", 0)
	s.process(812, "nginx", "root", 0)
	s.process(813, "nginx", "www-data", 33)
	s.process(814, "nginx", "www-data", 33)
	s.process(900, "sshd", "student", 1000)
	s.process(2000, "curl", "student", 1000)
	s.process(2001, "dnsmasq", "nobody", 65534)
	s.process(2002, "ping", "student", 1000)
	s.process(2003, "tcpdump", "tcpdump", 100)
	s.process(2004, "python3", "student", 1000)
	s.process(3000, "app", "root", 0)
	for _, line := range []string{
		"tcp LISTEN 0.0.0.0:22 - 700",
		"tcp ESTABLISHED 192.0.2.10:22 198.51.100.7:50022 900",
		"tcp LISTEN 0.0.0.0:443 - 812 813 814",
		"tcp LISTEN [::]:443 - 812 813 814",
		"tcp ESTABLISHED 192.0.2.10:443 198.51.100.7:50100 813",
		"tcp ESTABLISHED 192.0.2.10:443 198.51.100.7:50101 814",
		"tcp ESTABLISHED 192.0.2.10:443 203.0.113.5:50100 813",
		"tcp ESTABLISHED 192.0.2.10:443 203.0.113.5:50102",
		"tcp SYN-RECEIVED 192.0.2.10:443 203.0.113.6:40000",
		"tcp TIME-WAIT 192.0.2.10:443 203.0.113.7:40001",
		"tcp ESTABLISHED [2001:db8:1111:2222:3333:4444:5555:6666]:443 [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:51515 814",
		"tcp LISTEN [::1]:8081 - 2004",
		"tcp CLOSED 127.0.0.1:7777 - 2004",
		"tcp ESTABLISHED 192.0.2.10:41000 198.51.100.80:443 2000",
		"tcp ESTABLISHED 192.0.2.10:41000 198.51.100.81:443 2000",
		"tcp SYN-SENT 192.0.2.10:41002 198.51.100.82:5432 2000",
		"tcp FIN-WAIT-2 192.0.2.10:42000 198.51.100.83:80",
		"udp CLOSED 127.0.0.1:53 - 2001",
		"udp ESTABLISHED 192.0.2.10:45000 198.51.100.53:53 2001",
		"icmp CLOSED 0.0.0.0:4711 - 2002",
		"raw/icmp RAW 0.0.0.0 - 2002",
		"tcp LISTEN 0.0.0.0:2049 - ?",
	} {
		s.add(line)
	}
	s.add("packet - - - 2003").Interface = "eth0"
	s.host.Sockets[len(s.host.Sockets)-1].EtherType = 3
	s.add("tcp LISTEN 0.0.0.0:8080 - 3000").Netns = 4026532201
	return s
}

// write is what the program writes for the host of s.
func (s *scene) write(t *testing.T, l lang.Language, width int, explain, ascii bool) string {
	t.Helper()
	p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
	p.ascii = ascii
	var b bytes.Buffer
	if err := p.writeSockets(&b, newSocketTree(&s.host), lang.New(l), width, explain); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSocketsGolden(t *testing.T) {
	s := webServer()
	s.host.Hidden = "no permission to look into 3 of 70 processes"
	s.host.Incomplete = []string{"TCP: the sockets kept changing while they were read"}
	file := func(name string) string { return filepath.Join(testdata, "golden", name) }
	for _, l := range []lang.Language{lang.English, lang.Korean} {
		for _, width := range []int{80, 120} {
			golden(t, file(fmt.Sprintf("sockets-%v-%d.txt", l, width)), []byte(s.write(t, l, width, true, false)))
		}
	}
	golden(t, file("sockets-ascii.txt"), []byte(s.write(t, lang.English, 80, false, true)))
	var b bytes.Buffer
	if err := writeSocketsJSON(&b, newSocketTree(&s.host)); err != nil {
		t.Fatal(err)
	}
	golden(t, file("sockets.json"), b.Bytes())
	b.Reset()
	if err := writeSocketsLines(&b, newSocketTree(&s.host)); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(b.Bytes(), []byte("\n")); n != len(s.host.Sockets) {
		t.Errorf("%d lines for %d sockets", n, len(s.host.Sockets))
	}
	golden(t, file("sockets.ndjson"), b.Bytes())
}

// Names are the processes' own words, addresses are long, and there are sockets without end:
// no line is wider than it may be, and nothing but text gets out.
func TestSocketsFit(t *testing.T) {
	s := newScene()
	for i, name := range []string{"\x1b[31m\x07\x08\r\n\t\x01", "소켓서버", "\u202egnp.exe", "\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x8a\x8b\x8c\x8d\x8e", ""} {
		pid := 4194300 + i
		s.process(pid, name, name, 0)
		s.add(fmt.Sprintf("tcp LISTEN [::]:65535 - %d", pid)).Interface = name
		for j := range 3 {
			s.add(fmt.Sprintf("tcp SYN-RECEIVED [2001:db8:1111:2222:3333:4444:5555:6666]:65535 [2001:db8:aaaa:bbbb:cccc:dddd:eeee:fff%d]:65535 %d", j, pid))
			s.add(fmt.Sprintf("tcp ESTABLISHED [2001:db8:1111:2222:3333:4444:5555:6666]:6000%d [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:62078 %d", j, pid))
		}
		s.add(fmt.Sprintf("udp CLOSED [::]:60999 - %d 4194300", pid))
	}
	for _, l := range []lang.Language{lang.English, lang.Korean} {
		for width := 80; width <= 200; width += 30 {
			for line := range strings.Lines(s.write(t, l, width, true, false)) {
				if w := lang.Width(strings.TrimSuffix(line, "\n")); w > width {
					t.Errorf("%v: %d columns, want at most %d: %s", l, w, width, line)
				}
				if strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\x1b\x07\x08\r\t\x01\u0080\u202e") {
					t.Errorf("unescaped: %q", line)
				}
			}
		}
	}
	for _, c := range s.write(t, lang.English, 80, true, true) {
		if c >= 0x80 {
			t.Errorf("%q is not ASCII", c)
		}
	}
}

func TestSocketsStandWhereTheyBelong(t *testing.T) {
	for _, tt := range []struct {
		name    string
		sockets []string
		want    []string // holder, port, waiting/connected
	}{
		{"a connection stands at the port of its listener", []string{
			"tcp LISTEN 0.0.0.0:80 - 1", "tcp ESTABLISHED 192.0.2.1:80 192.0.2.2:5000 1"}, []string{"a 80 1/1"}},
		{"also when another process serves it", []string{
			"tcp LISTEN 0.0.0.0:80 - 1", "tcp ESTABLISHED 192.0.2.1:80 192.0.2.2:5000 2"}, []string{"a 80 1/1"}},
		{"and when no process has it any more", []string{
			"tcp LISTEN 0.0.0.0:80 - 1", "tcp TIME-WAIT 192.0.2.1:80 192.0.2.2:5000"}, []string{"a 80 1/1"}},
		{"an IPv6 listener takes IPv4", []string{
			"tcp LISTEN [::]:80 - 1", "tcp ESTABLISHED 192.0.2.1:80 192.0.2.2:5000 2"}, []string{"a 80 1/1"}},
		{"the listener at the very address goes first", []string{
			"tcp LISTEN 0.0.0.0:80 - 1", "tcp LISTEN 192.0.2.1:80 - 2", "tcp TIME-WAIT 192.0.2.1:80 192.0.2.2:5000"},
			[]string{"a 80 1/0", "b 80 1/1"}},
		{"of two listeners at one address the process's own", []string{
			"tcp LISTEN 0.0.0.0:80 - 1", "tcp LISTEN 0.0.0.0:80 - 2", "tcp ESTABLISHED 192.0.2.1:80 192.0.2.2:5000 2"},
			[]string{"a 80 1/0", "b 80 1/1"}},
		{"a listener at another address has nothing to do with it", []string{
			"tcp LISTEN 127.0.0.1:40000 - 1", "tcp ESTABLISHED 192.0.2.1:40000 192.0.2.2:80 2"},
			[]string{"a 40000 1/0", "b 40000 0/1 lent"}},
		{"UDP has ports of its own", []string{
			"tcp LISTEN 0.0.0.0:53 - 1", "udp ESTABLISHED 192.0.2.1:53 192.0.2.2:53 2"}, []string{"a 53 1/0", "b 53 0/1"}},
		{"a client's port stands under its process", []string{
			"tcp ESTABLISHED 192.0.2.1:40000 192.0.2.2:80 1"}, []string{"a 40000 0/1 lent"}},
		{"a port outside of the range was not lent", []string{
			"tcp ESTABLISHED 192.0.2.1:1023 192.0.2.2:80 1"}, []string{"a 1023 0/1"}},
		{"a client's TIME-WAIT is the kernel's", []string{
			"tcp TIME-WAIT 192.0.2.1:40000 192.0.2.2:80"}, []string{"kernel 40000 0/1 lent"}},
		{"nobody is seen to have it", []string{"tcp LISTEN 0.0.0.0:80 - ?"}, []string{"unknown 80 1/0"}},
		{"the eldest process stands for those that share a socket", []string{"tcp LISTEN 0.0.0.0:80 - 2 1"}, []string{"b 80 1/0"}},
		{"a socket that is only bound is neither", []string{"tcp CLOSED 0.0.0.0:80 - 1"}, []string{"a 80 0/0"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newScene()
			s.process(1, "a", "", 0)
			s.process(2, "b", "", 0)
			for _, line := range tt.sockets {
				s.add(line)
			}
			var got []string
			for _, h := range newSocketTree(&s.host).holders {
				name := h.holding.String()
				if h.process != nil {
					name = h.process.Name
				}
				for _, d := range h.doors {
					text := fmt.Sprintf("%s %d %d/%d", name, d.number, d.waiting, d.connected)
					if d.lent {
						text += " lent"
					}
					got = append(got, text)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// Whom a socket belongs to is not known without the right to look, or because there is nobody.
func TestHoldingOf(t *testing.T) {
	s := newScene()
	s.process(1, "a", "", 0)
	for _, tt := range []struct {
		name, socket, hidden string
		want                 holding
	}{
		{"a process", "tcp LISTEN 0.0.0.0:80 - 1", "no permission", byProcess},
		{"no right to look", "tcp LISTEN 0.0.0.0:80 - ?", "no permission", byHidden},
		{"all were looked into", "tcp LISTEN 0.0.0.0:80 - ?", "", byNobody},
		{"the kernel has it, whoever may look", "tcp TIME-WAIT 192.0.2.1:80 192.0.2.2:5000", "no permission", byKernel},
	} {
		s.host.Hidden = tt.hidden
		if got := holdingOf(&s.host, s.add(tt.socket)); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	for _, tt := range []struct {
		word string
		want []string // local port or protocol of those that stay
	}{
		{"443", []string{"443", "443", "443", "443", "443", "443", "443", "443", "443", "41000", "41000"}},
		{"https", []string{"443", "443", "443", "443", "443", "443", "443", "443", "443", "41000", "41000"}},
		{"nginx", []string{"443", "443", "443", "443", "443", "443", "443", "443", "443"}},
		{"curl", []string{"41000", "41000", "41002"}},
		{"ping", []string{"4711", "0"}},
		{"domain", []string{"53", "45000"}},
		{"1", nil},
	} {
		t.Run(tt.word, func(t *testing.T) {
			s := webServer()
			tree := newSocketTree(&s.host)
			p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
			if err := p.narrow(tree, tt.word); err != nil {
				t.Fatal(err)
			}
			left := map[string]int{}
			for _, h := range tree.holders {
				for _, d := range h.doors {
					for _, s := range d.sockets {
						left[fmt.Sprint(s.Local.Port())]++
					}
				}
			}
			want := map[string]int{}
			for _, w := range tt.want {
				want[w]++
			}
			if diff := cmp.Diff(want, left); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
	for word, want := range map[string]string{"ngnix": "did you mean nginx?", "0": "go from 1 to 65535", "65536": "go from 1 to 65535"} {
		s := webServer()
		p := newProgram(strings.NewReader(""), io.Discard, io.Discard)
		if err := p.narrow(newSocketTree(&s.host), word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", word, err, want)
		}
	}
}

// What a port's explanation counts is what stands above it.
func TestExplanationCounts(t *testing.T) {
	s := webServer()
	text := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "├─", " ", "└─", " ").Replace(s.write(t, lang.English, 120, true, false))), " ")
	for _, want := range []string{
		"Port 443 of nginx[812] holds 2 listening and 7 connected sockets.",
		"Here the local address differs, too: 7 remote ends and 2 local addresses.",
		"Port 22 of sshd[700] holds 1 listening and 1 connected socket.",
		"Even a client's port may have several sockets: 2 have port 41000.",
		"1 connection is established, but the process has not called accept()",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

// The README shows what is written for a host like many: a web server and its clients.
func TestReadmeShowsSockets(t *testing.T) {
	s := newScene()
	s.process(812, "nginx", "root", 0)
	s.process(813, "nginx", "www-data", 33)
	for _, line := range []string{
		"tcp LISTEN 0.0.0.0:443 - 812 813",
		"tcp ESTABLISHED 192.0.2.10:443 198.51.100.7:50100 813",
		"tcp ESTABLISHED 192.0.2.10:443 198.51.100.7:50101 813",
		"tcp ESTABLISHED 192.0.2.10:443 203.0.113.5:50100",
		"tcp TIME-WAIT 192.0.2.10:443 203.0.113.7:40001",
	} {
		s.add(line)
	}
	const prompt, fence = "$ sudo sockscope sockets nginx --explain\n", "```"
	name := "../../README.md"
	readme, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(readme), prompt)
	if !ok {
		t.Fatalf("no block begins with %q", prompt)
	}
	shown, after, _ := strings.Cut(rest, fence)
	want := s.write(t, lang.English, 100, true, false)
	if *update {
		if err := os.WriteFile(name, []byte(before+prompt+want+fence+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("-now +README\n%s", diff)
	}
}
