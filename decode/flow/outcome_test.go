package flow

import (
	"testing"
	"time"

	"sockscope/decode"
)

// Each rule of the outcome, the close and the flags, in the words of script.
func TestOutcome(t *testing.T) {
	tests := []struct{ rule, script, want string }{
		{"three-way handshake", "S h A", "complete open"},
		{"the ACK may carry data", "S h D a", "complete open"},
		{"the ACK may carry the FIN", "S h F a f A", "complete fin by client"},
		{"RST answers the SYN", "S r", "refused by server"},
		{"an RST that acknowledges something else is no answer", "S r!", "unanswered"},
		{"silence with back-off", "S 1s S= 2s S= 4s S=", "unanswered +syn-retransmitted"},
		{"client gives up its own SYN", "S R", "unanswered by client"},
		{"half-open with SYN-ACK retries", "S h 1s h= 2s h=", "half-open +synack-retransmitted"},
		{"an ACK of something else completes nothing", "S h A!", "half-open"},
		{"client aborts after the SYN-ACK", "S h R", "aborted by client"},
		{"server aborts after its SYN-ACK", "S h r", "aborted by server"},
		{"SYN-ACK acknowledges something else", "S h!", "mismatched +synack-mismatch"},
		{"a wrong SYN-ACK before the right one", "S h! h A", "complete open +synack-mismatch"},
		{"SYN-ACK alone", "h", "reply-only +one-way"},
		{"RST alone", "r", "reply-only by server +one-way"},
		{"SYN-ACK and the RST of a host that knows nothing of it", "h R", "reply-only by client"},
		{"SYN-ACK missing from the capture", "S A D a", "implied open"},
		{"only the client's side captured", "S A D D", "implied open +one-way"},
		{"data only", "D a d A", "midstream open"},
		{"one direction of data only", "D D", "midstream open +one-way"},
		{"SYN-ACK captured before its SYN", "h S A", "complete open +reordered"},
		{"an ACK of something else before the SYN-ACK", "S A! h", "implied open"},
		{"a refusal that came too soon", "S r^ h A", "complete open +rst-injected?"},

		{"orderly close by the client", "S h A F a f A", "complete fin by client"},
		{"orderly close by the server", "S h A f A F a", "complete fin by server"},
		{"both close at once", "S h A F f- A a", "complete fin by client"},
		{"FIN acknowledged by the other FIN", "S h A F f A", "complete fin by client"},
		{"last ACK missing", "S h A F a f", "complete half-close by client"},
		{"one FIN only", "S h A F a", "complete half-close by client"},
		{"data after the other side's FIN", "S h A F a d A", "complete half-close by client"},
		{"reset by the client", "S h A D a R", "complete reset by client"},
		{"reset by the server", "S h A D r", "complete reset by server"},
		{"reset after a FIN", "S h A F a r", "complete reset-after-fin by client"},
		{"RST outside of the window", "S h A D a rw", "complete open"},
		{"RST after both FINs changes nothing", "S h A F a f A R", "complete fin by client"},
		{"midstream close", "D a F f A", "midstream fin by client"},
		{"midstream reset", "D a d A r", "midstream reset by server"},

		{"another ISN after a close is another connection", "S h A F a f A S* h* A", "complete fin by client; complete open"},
		{"another ISN after a reset", "S h A r S* h* A", "complete reset by server; complete open"},
		{"another ISN while open", "S h A S* h* A", "complete open +reused-open; complete open"},
		{"another ISN after silence", "S 1s S= S* h A", "unanswered +syn-retransmitted; complete open"},
		{"another ISN after a refusal", "S r S* r*", "refused by server; refused by server"},
		{"the same SYN after the SYN-ACK", "S h S= h= A", "complete open +syn-retransmitted +synack-retransmitted"},
		{"SYN-ACK with another ISN moves nothing", "S h A h* D", "complete open +synack-mismatch"},
		{"both ends open at once", "S s H h", "complete open +simultaneous"},
		{"both ends open at once, without their SYN-ACKs", "S s A a D d", "implied open +simultaneous"},
		{"split handshake", "S s H a", "complete open +simultaneous"},
		{"the other end opens later", "S h A F a f A s* H* a", "complete fin by client; complete open"},

		{"data in the SYN taken", "S+ h~ A", "complete open +fast-open"},
		{"data in the SYN ignored", "S+ h A", "complete open +fast-open-ignored"},
		{"an ACK does not undo an abort", "S h r A", "aborted by server"},
		{"an old RST aborts nothing", "S h rw A D a F a f A", "complete fin by client"},
		{"the client's RST of a SYN-ACK it did not ask for gives nothing up", "S h! Rw S= h A D a", "complete open +syn-retransmitted +synack-mismatch"},
		{"client gives up, and yet", "S R h A", "complete open"},
		{"a FIN after the reset changes nothing", "S h A D a R f", "complete reset by client"},
		{"RST captured before its SYN", "r S", "refused by server +reordered"},
		{"the server goes on alone", "S d d", "implied open"},
		{"zero-window probe is no keep-alive", "S h A D a0 P a0 P a0", "complete open +zero-window"},
		{"half-closed is not open", "S h A F a f S*", "complete half-close by client; unanswered"},
		{"RST with another TTL", "S h A D a r^", "complete reset by server +rst-injected?"},
		{"closed window", "S h A D a0", "complete open +zero-window"},
		{"keep-alive", "S h A D a Ak a", "complete open +keep-alive"},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			got, _ := run(play(t, tt.script), 1, Config{})
			if w := allWords(got); w != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.script, w, tt.want)
			}
		})
	}
}

// What decided, in frames, and how long it took.
func TestEvidence(t *testing.T) {
	type evidence struct {
		SYN, SYNACK, ACK, Verdict uint64
		SYNs, SYNACKs             uint32
		SYNRTT, ACKRTT, Setup     time.Duration
		Ambiguous                 bool
	}
	const none = NoDuration
	ms := time.Millisecond
	tests := []struct {
		rule, script string
		want         evidence
	}{
		{"handshake", "S h A", evidence{1, 2, 3, 0, 1, 1, 10 * ms, 10 * ms, 20 * ms, false}},
		{"times from the last SYN, setup from the first", "S 1s S= h A",
			evidence{1, 3, 4, 0, 2, 1, 10 * ms, 10 * ms, 1020 * ms, true}},
		{"times from the last SYN-ACK before the ACK", "S h 1s h= A",
			evidence{1, 2, 4, 0, 1, 2, 10 * ms, 10 * ms, 1020 * ms, true}},
		{"refused", "S r", evidence{1, 0, 0, 2, 1, 0, none, none, none, false}},
		{"reset", "S h A r", evidence{1, 2, 3, 4, 1, 1, 10 * ms, 10 * ms, 20 * ms, false}},
		{"half-open", "S h", evidence{1, 2, 0, 0, 1, 1, 10 * ms, none, none, false}},
		{"SYN-ACK before the SYN has no round trip", "h S A", evidence{2, 1, 3, 0, 1, 1, none, 20 * ms, 10 * ms, false}},
	}
	for _, tt := range tests {
		t.Run(tt.rule, func(t *testing.T) {
			cs, _ := run(play(t, tt.script), 1, Config{})
			c := &cs[0]
			got := evidence{c.SYNFrame, c.SYNACKFrame, c.ACKFrame, c.VerdictFrame, c.SYNCount, c.SYNACKCount,
				c.SYNRTT, c.ACKRTT, c.Setup, c.Ambiguous}
			if got != tt.want {
				t.Errorf("%s\n got %+v\nwant %+v", tt.script, got, tt.want)
			}
		})
	}
}

// Zeek's and Wireshark's columns and the ends' states.
func TestJoiningColumns(t *testing.T) {
	tests := []struct {
		script, connState, history string
		completeness               uint8
		states                     string
	}{
		{"S h A", "S1", "ShA", 7, "ESTABLISHED ESTABLISHED"},
		{"S h A D a d A F a f A", "SF", "ShADadFf", 31, "TIME-WAIT CLOSED"},
		{"S", "S0", "S", 1, "SYN-SENT "},
		{"S r", "REJ", "Sr", 37, "CLOSED CLOSED"},
		{"S h", "S1", "Sh", 3, "SYN-SENT SYN-RECEIVED"},
		{"S h A r", "RSTR", "ShAr", 39, "CLOSED CLOSED"},
		{"S h A R", "RSTO", "ShAR", 39, "CLOSED CLOSED"},
		{"S R", "RSTOS0", "SR", 33, "CLOSED CLOSED"},
		{"S h A F f- A a", "SF", "ShAFfa", 23, "TIME-WAIT TIME-WAIT"},
		{"S h A F", "S2", "ShAF", 23, "FIN-WAIT-1 ESTABLISHED"},
		{"S h A F a", "S2", "ShAFa", 23, "FIN-WAIT-2 CLOSE-WAIT"},
		{"S h A f A", "S3", "ShAf", 23, "CLOSE-WAIT FIN-WAIT-2"},
		{"S h A F f a A", "SF", "ShAFfa", 23, "TIME-WAIT CLOSED"},
		{"D a", "OTH", "Da", 12, "ESTABLISHED ESTABLISHED"},
		{"S h A F a f A R", "SF", "ShAFafR", 55, "TIME-WAIT CLOSED"},
		{"D a d A r", "RSTRH", "DadAr", 44, "CLOSED CLOSED"},
		{"D a d A R", "OTH", "DadAR", 44, "CLOSED CLOSED"},
		{"D a d A F a", "SH", "DadAF", 28, "FIN-WAIT-2 CLOSE-WAIT"},
		{"S A R", "OTH", "SAR", 37, "CLOSED CLOSED"},
		{"S s", "S1", "Ss", 1, "SYN-RECEIVED SYN-SENT"},
		{"S+ h~ A D a", "S1", "ShADa", 15, "ESTABLISHED ESTABLISHED"},
	}
	for _, tt := range tests {
		t.Run(tt.script, func(t *testing.T) {
			cs, _ := run(play(t, tt.script), 1, Config{})
			c := &cs[0]
			got := []any{c.ConnState, c.History, c.Completeness, c.ClientState.String() + " " + c.ServerState.String()}
			want := []any{tt.connState, tt.history, tt.completeness, tt.states}
			for i := range got {
				if got[i] != want[i] {
					t.Errorf("got %v, want %v", got, want)
					break
				}
			}
		})
	}
}

// Flags in odd company are counted, too.
func TestOddFlagsAreCounted(t *testing.T) {
	for _, tt := range []struct {
		flags                     uint16
		syns, synacks, fins, rsts uint32
	}{
		{syn | fin, 1, 0, 1, 0},
		{syn | rst, 1, 0, 0, 1},
		{syn | ack | rst, 0, 1, 0, 1},
		{syn | ack | fin, 0, 1, 1, 0},
		{fin | rst, 0, 0, 1, 1},
		{syn | fin | rst, 1, 0, 1, 1},
	} {
		frames := play(t, "D")
		frames[0].Data[33] = byte(tt.flags)
		cs, _ := run(frames, 1, Config{})
		d := &cs[0].ToServer
		if d.Packets == 0 {
			d = &cs[0].ToClient
		}
		if d.SYNs != tt.syns || d.SYNACKs != tt.synacks || d.FINs != tt.fins || d.RSTs != tt.rsts {
			t.Errorf("flags %02x: %d SYNs, %d SYN-ACKs, %d FINs, %d RSTs", tt.flags, d.SYNs, d.SYNACKs, d.FINs, d.RSTs)
		}
	}
}

// A window is scaled when both sides offer that; what is not known may be the most.
func TestWindowShift(t *testing.T) {
	const seen, scale, cut = offerSeen, decode.OptWindowScale, decode.OptCut
	for _, tt := range []struct {
		its, others offer
		want        uint8
	}{
		{offer{}, offer{}, 14},
		{offer{has: seen}, offer{has: seen | scale}, 0},
		{offer{has: seen | scale, scale: 7}, offer{has: seen | scale}, 7},
		{offer{has: seen | scale, scale: 99}, offer{has: seen | scale}, 14},
		{offer{has: seen | scale, scale: 7}, offer{has: seen}, 0},
		{offer{has: seen | scale, scale: 7}, offer{has: seen | cut}, 7},
		{offer{has: seen | scale, scale: 7}, offer{}, 0},
		{offer{has: seen | cut}, offer{has: seen | scale}, 14},
		{offer{has: seen | scale | cut, scale: 7}, offer{has: seen | scale}, 7},
		{offer{has: seen}, offer{has: seen | cut}, 0},
	} {
		h := handshake{offered: [2]offer{tt.its, tt.others}}
		if got := h.shift(0); got != tt.want {
			t.Errorf("%+v, the other side %+v: %d, want %d", tt.its, tt.others, got, tt.want)
		}
	}
}
