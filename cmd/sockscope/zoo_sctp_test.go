package main

// associations has SCTP, whose chunks map onto the words for TCP.
var associations = []scenario{
	{name: "sctp-complete", rule: "INIT, INIT-ACK, COOKIE-ECHO, COOKIE-ACK", script: `
		sctp 192.0.2.10:40000 198.51.100.36:9900
		= outcome=complete
		c INIT
		s INIT-ACK
		c COOKIE-ECHO
		s COOKIE-ACK
		c SHUTDOWN
		s SHUTDOWN-ACK
		c SHUTDOWN-COMPLETE`, unsaid: []string{"close", "flags"}},
	{name: "sctp-refused", rule: "ABORT answers INIT", script: `
		sctp 192.0.2.10:40000 198.51.100.36:9900
		= outcome=refused verdict_frame=2
		c INIT
		s ABORT`, unsaid: []string{"close", "flags"}},
	{name: "sctp-unanswered", rule: "INITs and nothing back", script: `
		sctp [2001:db8:10::10]:40000 [2001:db8:36::36]:9900
		= outcome=unanswered packets_c2s=3
		c INIT
		+3s c INIT
		+6s c INIT`, unsaid: []string{"close", "flags"}},
	{name: "sctp-half-open", rule: "INIT-ACK, and the cookie never comes back", script: `
		sctp 192.0.2.10:40000 198.51.100.36:9900
		= outcome=half-open
		c INIT
		s INIT-ACK`, unsaid: []string{"close", "flags"}},
	{name: "sctp-aborted", rule: "the client aborts after the INIT-ACK", script: sctpEnds + `
		= outcome=aborted close=never closed_by=client flags=- verdict_frame=3
		c INIT
		s INIT-ACK
		c ABORT`},
	{name: "sctp-unreachable", rule: "the host has no SCTP: ICMP 3/2 quotes the INIT", script: sctpEnds + `
		= outcome=unreachable close=never flags=- icmp=3/2 icmp_from=198.51.100.36 verdict_frame=2
		c INIT
		s icmp:3/2 quotes=c`},
	{name: "sctp-reset", rule: "ABORT after the handshake", script: sctpEnds + `
		= outcome=complete close=reset closed_by=server flags=-
		` + associated + `
		+1s s ABORT`},
	{name: "sctp-half-close", rule: "SHUTDOWN, and no end of it", script: sctpEnds + `
		= outcome=complete close=half-close closed_by=client flags=-
		` + associated + `
		+1s c SHUTDOWN`},
	{name: "sctp-reply-only", rule: "backscatter: an INIT-ACK, and an ABORT, without INIT", script: sctpEnds + `
		= outcome=reply-only close=never flags=one-way role=syn-ack client=192.0.2.10:40000
		lost c INIT
		s INIT-ACK
		sctp 192.0.2.11:40000 198.51.100.36:9900 at=1s
		= outcome=reply-only close=never flags=one-way closed_by=server
		lost c INIT
		s ABORT`},
	{name: "sctp-midstream", rule: "the cookie's way back, without the INIT before it", script: sctpEnds + `
		= outcome=midstream close=open flags=-
		lost c INIT
		lost s INIT-ACK
		c COOKIE-ECHO
		s COOKIE-ACK`},
	{name: "sctp-reversed", rule: "after the end the other side begins: another association", script: `
		sctp 192.0.2.10:9900 198.51.100.36:9900
		= outcome=complete close=fin closed_by=client flags=- client=192.0.2.10:9900
		` + associated + `
		c SHUTDOWN
		s SHUTDOWN-ACK
		c SHUTDOWN-COMPLETE
		sctp 198.51.100.36:9900 192.0.2.10:9900 at=1s
		= outcome=complete close=open flags=- client=198.51.100.36:9900
		` + associated},
}

const (
	sctpEnds   = "sctp 192.0.2.10:40000 198.51.100.36:9900\n"
	associated = "c INIT\ns INIT-ACK\nc COOKIE-ECHO\ns COOKIE-ACK\n"
)
