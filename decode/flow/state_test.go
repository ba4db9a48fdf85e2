package flow

import (
	"strings"
	"testing"
)

var eventNames = [numEvents]string{"send SYN", "recv SYN", "send SYN-ACK", "recv SYN-ACK", "send ACK", "recv ACK",
	"send FIN", "send ACK of FIN", "recv ACK of FIN", "send RST", "recv RST", "send segment", "recv segment", "nothing"}

// Every cell of the table: what is listed moves, what is not listed stays.
func TestEveryTransition(t *testing.T) {
	want := map[string]string{}
	for line := range strings.Lines(`
		- | send SYN | SYN-SENT
		- | send SYN-ACK | SYN-RECEIVED
		- | recv SYN-ACK | SYN-SENT
		- | send FIN | FIN-WAIT-1
		- | send ACK of FIN | CLOSE-WAIT
		- | send RST | CLOSED
		- | recv RST | CLOSED
		- | send segment | ESTABLISHED
		- | recv segment | ESTABLISHED
		CLOSED | send SYN | SYN-SENT
		LISTEN | send SYN-ACK | SYN-RECEIVED
		LISTEN | send RST | CLOSED
		SYN-SENT | send ACK | ESTABLISHED
		SYN-SENT | send SYN-ACK | SYN-RECEIVED
		SYN-SENT | send segment | ESTABLISHED
		SYN-SENT | send FIN | FIN-WAIT-1
		SYN-SENT | send RST | CLOSED
		SYN-SENT | recv RST | CLOSED
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
	name := func(s State) string {
		if s == StateNone {
			return "-"
		}
		return s.String()
	}
	for s := range NumStates {
		for e := range numEvents {
			cell := name(s) + " | " + eventNames[e]
			expect, ok := want[cell]
			if !ok {
				expect = name(s)
			}
			if got := name(s.next(e)); got != expect {
				t.Errorf("%s: got %s, want %s", cell, got, expect)
			}
			delete(want, cell)
		}
	}
	for cell := range want {
		t.Errorf("no such cell: %s", cell)
	}
}
