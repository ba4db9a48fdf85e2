package main

// lossy has captures that lack part of a handshake, or have it in another order: what
// is there still tells that the connection went on.
var lossy = []scenario{
	{name: "implied-reset", rule: "neither the client's ACK nor its data were captured: the reset still ends a connection, not an attempt", script: web + `
		= outcome=implied close=reset closed_by=client
		c S
		s SA
		lost c A
		lost c PA 517
		s A
		s PA 1400
		lost s PA 1400
		c A
		+1s c R`, unsaid: []string{"flags"}},
	{name: "implied-by-server", rule: "neither SYN-ACK nor the client's data were captured: the server goes on with data that answer them", script: web6 + `
		= outcome=implied close=half-close closed_by=server flags=-
		c S
		lost s SA
		lost c A
		lost c PA 200
		s A
		s PA 500
		s FA`},
	{name: "implied-not-by-old-ack", rule: "a bare ACK of something else may be a challenge: nothing came back for this SYN", script: web + `
		= outcome=unanswered close=never
		c S isn=1000
		s A ack=201001`, unsaid: []string{"flags"}},
	{name: "reordered-ack", rule: "the client's ACK was captured before the SYN-ACK that it acknowledges", script: web + `
		= outcome=complete close=open flags=reordered syn_frame=1 synack_frame=4 ack_frame=2 completeness=15
		c S
		+20ms s SA
		+-300µs c A
		+10µs c PA 100
		+1ms s A`},
	{name: "reordered-syn", rule: "the SYN was captured behind the server's first data", script: web + `
		= outcome=implied close=open flags=reordered packets=3
		+50ms c S
		lost s SA
		lost c A
		+-60ms s PA 100
		+70ms c A`},
	{name: "reordered-data", rule: "an ACK and two segments change places: nothing is missing", script: web + `
		= outcome=complete close=open flags=- missing_bytes_c2s=0
		` + established + `
		c PA 250
		+1µs c PA 250
		+-2µs s A
		+-10µs c PA 250 seq=-250
		+20ms s A`},
	{name: "out-of-order-copy", rule: "what comes again at once, behind what followed it, counts as out of order, as for tshark", script: web + `
		= outcome=complete close=open flags=- out_of_order_c2s=1 retransmissions_c2s=0
		` + established + `
		c A 100
		+10µs c A 100
		+10µs c A 100 seq=-200
		s A`},
	{name: "sctp-implied", rule: "the COOKIE-ACK was not captured, but data are acknowledged", script: sctpEnds + `
		= outcome=implied close=open flags=-
		c INIT
		s INIT-ACK
		c COOKIE-ECHO
		lost s COOKIE-ACK
		c DATA
		s SACK`},
	{name: "sctp-midstream-data", rule: "data both ways, and of the handshake only what the server said", script: sctpEnds + `
		= outcome=midstream close=open flags=-
		lost c INIT
		s INIT-ACK
		lost c COOKIE-ECHO
		lost s COOKIE-ACK
		c DATA
		s SACK`},
}
