package flow

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the picture of the states in doc.go")

var eventNames = [numEvents]string{"send SYN", "recv SYN", "send SYN-ACK", "recv SYN-ACK", "send ACK", "recv ACK",
	"send FIN", "send ACK of FIN", "recv ACK of FIN", "send RST", "recv RST", "send segment", "recv segment", "nothing"}

// Every cell of the table: what is listed moves, what is not listed stays.
func TestEveryTransition(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(`
		unseen | send SYN | SYN-SENT
		unseen | send SYN-ACK | SYN-RECEIVED
		unseen | recv SYN-ACK | SYN-SENT
		unseen | send FIN | FIN-WAIT-1
		unseen | send ACK of FIN | CLOSE-WAIT
		unseen | send RST | CLOSED
		unseen | recv RST | CLOSED
		unseen | send segment | ESTABLISHED
		unseen | recv segment | ESTABLISHED
		CLOSED | send SYN | SYN-SENT
		LISTEN | send SYN-ACK | SYN-RECEIVED
		LISTEN | send RST | CLOSED
		SYN-SENT | recv SYN | SYN-RECEIVED
		SYN-SENT | send ACK | ESTABLISHED
		SYN-SENT | send SYN-ACK | SYN-RECEIVED
		SYN-SENT | send segment | ESTABLISHED
		SYN-SENT | send FIN | FIN-WAIT-1
		SYN-SENT | send RST | CLOSED
		SYN-SENT | recv RST | CLOSED
		SYN-RECEIVED | send ACK | ESTABLISHED
		SYN-RECEIVED | send segment | ESTABLISHED
		SYN-RECEIVED | recv ACK | ESTABLISHED
		SYN-RECEIVED | recv SYN-ACK | ESTABLISHED
		SYN-RECEIVED | send FIN | FIN-WAIT-1
		SYN-RECEIVED | send ACK of FIN | CLOSE-WAIT
		SYN-RECEIVED | send RST | CLOSED
		SYN-RECEIVED | recv RST | CLOSED
		ESTABLISHED | send FIN | FIN-WAIT-1
		ESTABLISHED | send ACK of FIN | CLOSE-WAIT
		ESTABLISHED | send RST | CLOSED
		ESTABLISHED | recv RST | CLOSED
		FIN-WAIT-1 | recv ACK of FIN | FIN-WAIT-2
		FIN-WAIT-1 | send ACK of FIN | CLOSING
		FIN-WAIT-1 | send RST | CLOSED
		FIN-WAIT-1 | recv RST | CLOSED
		FIN-WAIT-2 | send ACK of FIN | TIME-WAIT
		FIN-WAIT-2 | send RST | CLOSED
		FIN-WAIT-2 | recv RST | CLOSED
		CLOSE-WAIT | send FIN | LAST-ACK
		CLOSE-WAIT | send RST | CLOSED
		CLOSE-WAIT | recv RST | CLOSED
		CLOSING | recv ACK of FIN | TIME-WAIT
		CLOSING | send RST | CLOSED
		CLOSING | recv RST | CLOSED
		LAST-ACK | recv ACK of FIN | CLOSED
		LAST-ACK | send RST | CLOSED
		LAST-ACK | recv RST | CLOSED
		TIME-WAIT | recv RST | CLOSED
	`) {
		if f := strings.Split(strings.TrimSpace(line), " | "); len(f) == 3 {
			want[f[0]+" | "+f[1]] = f[2]
		}
	}
	for s := range NumStates {
		for e := range numEvents {
			cell := stateName(s) + " | " + eventNames[e]
			expect, ok := want[cell]
			if !ok {
				expect = stateName(s)
			}
			if got := stateName(s.next(e)); got != expect {
				t.Errorf("%s: got %s, want %s", cell, got, expect)
			}
			delete(want, cell)
		}
	}
	for cell := range want {
		t.Errorf("no such cell: %s", cell)
	}
}

func stateName(s State) string {
	if s == StateNone {
		return "unseen"
	}
	return s.String()
}

// In a simultaneous open each end goes from SYN-SENT to SYN-RECEIVED when it has the other
// one's SYN, and to ESTABLISHED when its own is acknowledged (RFC 9293 §3.5, figure 8).
func TestStatesOfASimultaneousOpen(t *testing.T) {
	for _, tt := range []struct{ rule, script, want string }{
		{"the second SYN reaches who sent the first", "S s", "SYN-RECEIVED SYN-SENT"},
		{"a SYN-ACK comes behind its sender's SYN", "S s H", "SYN-RECEIVED SYN-RECEIVED"},
		{"both SYN-ACKs acknowledge a SYN", "S s H h", "ESTABLISHED ESTABLISHED"},
		{"the answer to the first SYN comes first", "S s h", "ESTABLISHED SYN-RECEIVED"},
		{"and then the other one", "S s h H", "ESTABLISHED ESTABLISHED"},
		{"an ACK overtakes its sender's SYN-ACK", "S s H a", "ESTABLISHED ESTABLISHED"},
		{"which then changes nothing", "S s H a h A", "ESTABLISHED ESTABLISHED"},
		{"no SYN-ACK is in the capture", "S s A a", "ESTABLISHED ESTABLISHED"},
		{"an end closes after it", "S s H h F a", "FIN-WAIT-2 CLOSE-WAIT"},
		{"a SYN-ACK of an ordinary handshake may yet be lost", "S h", "SYN-SENT SYN-RECEIVED"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			cs, _ := run(play(t, tt.script), 1, Config{})
			if got := cs[0].ClientState.String() + " " + cs[0].ServerState.String(); got != tt.want {
				t.Errorf("%s: got %s, want %s", tt.script, got, tt.want)
			}
		})
	}
}

// The picture of the states in the package's documentation is that of the table.
func TestPictureOfTheStates(t *testing.T) {
	const first, last = "//\tunseen ", "//\n// The package has no clock"
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok1 := strings.Cut(string(doc), first)
	old, tail, ok2 := strings.Cut(first+rest, last)
	if !ok1 || !ok2 {
		t.Fatal("doc.go has no picture")
	}
	want := statePicture()
	if old == want {
		return
	}
	if !*update {
		t.Fatalf("the picture in doc.go is out of date (rewrite it with -update):\n%s\nwant:\n%s", old, want)
	}
	if err := os.WriteFile("doc.go", []byte(head+want+last+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}

// statePicture draws each state with the arrows that leave it, as lines of a comment.
func statePicture() string {
	var b strings.Builder
	for s := range NumStates {
		var to []State // in the order of the events
		by := map[State]string{}
		for e := range numEvents {
			n := s.next(e)
			if n == s {
				continue
			}
			if by[n] == "" {
				to = append(to, n)
			} else {
				by[n] += ", "
			}
			by[n] += eventNames[e]
		}
		for i, n := range to {
			name, branch := "", "├"
			switch {
			case len(to) == 1:
				branch = "─"
			case i == 0:
				branch = "┬"
			case i == len(to)-1:
				branch = "└"
			}
			dash := " "
			if i == 0 {
				name, dash = stateName(s), "─"
			}
			const width = 13 // of the longest name and a space
			b.WriteString("//\t" + name + " " + strings.Repeat(dash, width-len(name)) + branch + "─ " + by[n] + " ─▶ " + stateName(n) + "\n")
		}
	}
	return b.String()
}
