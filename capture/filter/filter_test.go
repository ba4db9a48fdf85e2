package filter

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// compile is the program of a filter that must be right.
func compile(t testing.TB, text string, cfg Config) *Program {
	t.Helper()
	f, err := Parse(text)
	if err != nil {
		t.Fatalf("%.100q: %v", text, err)
	}
	p, err := f.Compile(cfg)
	if err != nil {
		t.Fatalf("%.100q: %v", text, err)
	}
	return p
}

func TestString(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"nothing", " \n", ""},
		{"qualifiers are inherited", "tcp port 80 or 443", "tcp port 80 or tcp port 443"},
		{"the nearest ones", "src host 10.1 and dst port 5 or 6", "src host 10.1 and dst port 5 or dst port 6"},
		{"in parentheses too", "port (80 or not 443)", "port 80 or not port 443"},
		{"a condition in parentheses does not disturb", "port 80 or (tcp) or 443", "port 80 or tcp or port 443"},
		{"host is the type when none is given", "src ::1", "src host ::1"},
		{"a direction in either order", "dst or src net 10.0.0.0/8", "src or dst net 10.0.0.0/8"},
		{"and and or are equals, from left to right", "(tcp or udp) and port 53", "tcp or udp and port 53"},
		{"parentheses on the right count", "tcp or (udp and port 53)", "tcp or (udp and port 53)"},
		{"not binds most", "not (tcp or udp) and not arp", "not (tcp or udp) and not arp"},
		{"signs for words", "tcp && ! arp || icmp", "tcp and not arp or icmp"},
		{"names of numbers", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "tcp[13] & (2 | 1) != 0"},
		{"% and ^ take all to their right", "7 % 4 + 2 == len", "7 % (4 + 2) = len"},
		{"precedence of operators", "1 + 2 * 3 << 4 & 5 | 6 = len", "(((1 + (2 * 3)) << 4) & 5) | 6 = len"},
		{"from left to right", "8 - 4 - 2 = len", "(8 - 4) - 2 = len"},
		{"a field in a field", "tcp[(tcp[12]>>4):4] = 1", "tcp[tcp[12] >> 4:4] = 1"},
		{"words that are names", `ip proto \tcp and ifname eth0`, `ip proto \tcp and ifname eth0`},
		{"old names of words", "fddi host 1:2:3:4:5:6 and length > 0x10 and on lo", "ether host 1:2:3:4:5:6 and len > 16 and ifname lo"},
		{"a mask", "net 10.0.0.0 mask 255.0.0.0", "net 10.0.0.0 mask 255.0.0.0"},
		{"802.11", "wlan type mgt subtype beacon", "type mgt subtype beacon"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			got := f.String()
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
			again, err := Parse(got)
			if err != nil || again.String() != got {
				t.Errorf("parsed again: %v, %v", again, err)
			}
		})
	}
}

// The canonical text of every expression of the table compiles to the same program.
func TestStringMeansTheSame(t *testing.T) {
	for _, a := range readAgreements(t) {
		f, err := Parse(a.text)
		if err != nil {
			continue
		}
		again, err := Parse(f.String())
		if err != nil {
			t.Errorf("%q gives %q: %v", a.text, f, err)
			continue
		}
		cfg := Config{Link: linkNamed(a.link), Service: someServices}
		p, err := f.Compile(cfg)
		q, err2 := again.Compile(cfg)
		if (err == nil) != (err2 == nil) || err == nil && listing(p) != listing(q) {
			t.Errorf("%q and %q differ", a.text, f)
		}
	}
}

// listing is a program, an instruction a line.
func listing(p *Program) string {
	instructions, _ := bpf.Disassemble(p.Raw())
	var b strings.Builder
	for _, in := range instructions {
		b.WriteString(strings.TrimSpace(in.(interface{ String() string }).String()) + "\n")
	}
	return b.String()
}

func TestError(t *testing.T) {
	tests := []struct{ name, text, message, caret string }{
		{"a slip of the fingers", "tpc port 80", "position 1: \"tpc\" is no word of a filter (did you mean tcp?)",
			"tpc port 80\n^^^"},
		{"inside of brackets", "tcp[tcpflag] = 2", "position 5: \"tcpflag\" is no word of a filter (did you mean tcpflags?)",
			"tcp[tcpflag] = 2\n    ^^^^^^^"},
		{"the end", "port 80 and", "position 12: the filter ends where a condition should be",
			"port 80 and\n           ^"},
		{"a parenthesis", "(tcp or udp", "position 12: the filter ends where a closing parenthesis should be",
			"(tcp or udp\n           ^"},
		{"no qualifiers", "10.0.0.1", "position 1: this needs a word like host, net or port before it",
			"10.0.0.1\n^^^^^^^^"},
		{"a reserved word as a name", "ip proto tcp", `position 10: the reserved word "tcp" needs a backslash before it to be a name`,
			"ip proto tcp\n         ^^^"},
		{"a character of no filter", "tcp\x1b[31m", "position 4: no filter has the character ?",
			"tcp?[31m\n   ^"},
		{"a name of a host", "tcp and host example.org", `position 14: "example.org" is no address, and names are never looked up`,
			"tcp and host example.org\n             ^^^^^^^^^^^"},
		{"a port", "port 80 or 65536", "position 12: no port is above 65535",
			"port 80 or 65536\n           ^^^^^"},
		{"a service", "port httpx", `position 6: "httpx" is the name of no service`,
			"port httpx\n     ^^^^^"},
		{"a network", "net 10.0.0.1/8", "position 5: the address has bits outside of the network",
			"net 10.0.0.1/8\n    ^^^^^^^^^^"},
		{"an operator", "ip[0] = 1 / 0", "position 11: division by zero",
			"ip[0] = 1 / 0\n          ^"},
		{"in a long text", strings.Repeat("tcp or ", 20) + "upd" + strings.Repeat(" or tcp", 20),
			"position 141: \"upd\" is no word of a filter (did you mean udp?)",
			"..." + strings.Repeat("tcp or ", 9)[3:] + "upd" + strings.Repeat(" or tcp", 9)[:60] + "...\n" + strings.Repeat(" ", 63) + "^^^"},
		{"nothing can match", "tcp and arp", "no frame can match this filter", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(tt.text)
			if err == nil {
				_, err = f.Compile(Config{Link: capture.LinkEthernet, Service: someServices})
			}
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("no *Error: %v", err)
			}
			if e.Error() != tt.message {
				t.Errorf("got  %s\nwant %s", e, tt.message)
			}
			if e.Caret() != tt.caret {
				t.Errorf("got\n%s\nwant\n%s", e.Caret(), tt.caret)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"a text of 1 MiB", strings.Repeat("tcp or ", 1<<20/7) + "tcp", "the filter is longer than 65536 bytes"},
		{"10,000 parentheses", strings.Repeat("(", 10000) + "tcp" + strings.Repeat(")", 10000), "position 201: nested more than 200 levels deep"},
		{"10,000 that are never closed", strings.Repeat("(", 10000), "position 201: nested more than 200 levels deep"},
		{"10,000 times not", strings.Repeat("not ", 10000) + "tcp", "position 801: nested more than 200 levels deep"},
		{"10,000 signs", strings.Repeat("-", 10000) + "1 = 1", "position 201: nested more than 200 levels deep"},
		{"10,000 brackets", strings.Repeat("ip[", 10000), "position 603: nested more than 200 levels deep"},
		{"10,000 operators to the right", strings.Repeat("1 % ", 10000) + "1 = 1", "position 805: nested more than 200 levels deep"},
		{"an argument in parentheses", "vlan " + strings.Repeat("(", 10000), "position 207: nested too deep"},
		{"parentheses of addresses", "port " + strings.Repeat("(", 10000), "position 206: nested more than 200 levels deep"},
		{"too many hosts", "host 10.0.0.1" + strings.Repeat(" or 10.0.0.1 or 10.0.0.2 and 10.1.1.1", 1500), "the filter is too long for one program"},
		{"numbers inside numbers", "len = " + strings.Repeat("len + (", 20) + "len" + strings.Repeat(")", 20), "position 144: the calculation needs more than the 16 numbers that can be kept at a time"},
		{"layers inside layers", strings.Repeat("geneve and ", 5) + "tcp", "position 45: too many layers inside one another"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, err := Parse(tt.text)
			if err == nil {
				_, err = f.Compile(Config{Link: capture.LinkEthernet})
			}
			if err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// What is long, and within the limits.
func TestLongFilters(t *testing.T) {
	for name, text := range map[string]string{
		"200 parentheses":    strings.Repeat("(", 200) + "tcp" + strings.Repeat(")", 200),
		"a chain of and":     "tcp" + strings.Repeat(" and tcp", 4000),
		"a chain of sums":    "1" + strings.Repeat("+1", 30000) + " > len",
		"hosts":              "host 10.0.0.1" + strings.Repeat(" or 10.0.0.1 or 10.0.0.2", 700),
		"jumps of any width": "tcp port 80" + strings.Repeat(" and not host 10.1.2.3 or ip[8] = 5", 60),
		"ports":              "port 1" + strings.Repeat(" or 2 or 3 or 4", 300),
	} {
		t.Run(name, func(t *testing.T) {
			p := compile(t, text, Config{Link: capture.LinkEthernet})
			if n := len(p.Raw()); n > maxProgram {
				t.Errorf("%d instructions", n)
			}
			checkJumps(t, p)
		})
	}
}

// checkJumps checks that jumps stay in the program, as the kernel does.
func checkJumps(t *testing.T, p *Program) {
	t.Helper()
	for i, in := range p.Raw() {
		to := max(int(in.Jt), int(in.Jf))
		if in.Op == 0x05 { // ja
			to = int(in.K)
		}
		if i+1+to >= len(p.Raw()) && in.Op&7 == 5 {
			t.Fatalf("instruction %d leads behind the end", i)
		}
	}
}

func TestSnapLength(t *testing.T) {
	raw := compile(t, "", Config{Link: capture.LinkEthernet, SnapLength: 96}).Raw()
	if len(raw) != 1 || raw[0].K != 96 {
		t.Errorf("%v", raw)
	}
}

// "len" is the length on the wire.
func TestLengthOnTheWire(t *testing.T) {
	p := compile(t, "len = 1500", Config{Link: capture.LinkEthernet})
	if !p.Match(make([]byte, 60), 1500) || p.Match(make([]byte, 60), 60) {
		t.Error("the captured length counts")
	}
}

func TestNetmask(t *testing.T) {
	to := func(address string) []byte {
		return eth(0x0800, join("45 00 0014 0000 0000 40 11 0000 0a000001", address))
	}
	p := compile(t, "ip broadcast", Config{Link: capture.LinkEthernet, Netmask: 0xffffff00})
	for address, want := range map[string]bool{"0a0000ff": true, "0a000000": true, "0a000001": false, "ffffffff": true} {
		if got := p.Match(to(address), 34); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	frame := eth(0x0800, ip4(6, 0, tcp(40000, 80, 2)))
	wifi := wifiFrames()[13]
	tests := []struct {
		text string
		link capture.LinkType
		b    []byte
	}{
		{"tcp port 80 and not host 10.1.2.3", capture.LinkEthernet, frame},
		{"tcp[tcp[12] >> 2:2] = 0x4745", capture.LinkEthernet, frame},
		{"geneve and tcp", capture.LinkEthernet, frame},
		{"tcp port 80", capture.LinkWiFi, wifi},
		{"tcp port 80", capture.LinkEthernet, frame[:20]},
	}
	for _, tt := range tests {
		p := compile(t, tt.text, Config{Link: tt.link})
		if n := testing.AllocsPerRun(100, func() { p.Match(tt.b, uint32(len(tt.b))) }); n != 0 {
			t.Errorf("%s: %v allocations", tt.text, n)
		}
	}
}
