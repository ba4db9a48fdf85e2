package main

// flagged has each flag beside the outcome, and what must not set it.
var flagged = []scenario{
	{name: "fast-open", rule: "data in the SYN, acknowledged by the SYN-ACK (RFC 7413)", script: web + `
		= outcome=complete close=open flags=fast-open completeness=15 payload_bytes_c2s=100
		c S 100 tfo=0102030405060708
		s SA
		c A
		s PA 500
		c A`},
	{name: "fast-open-ignored", rule: "the SYN-ACK covers the SYN only: the data come again", script: web + `
		= outcome=complete close=open flags=fast-open-ignored completeness=15
		c S 100 tfo=0102030405060708
		s SA ack=-100
		c A
		c PA 100 seq=-100
		s A`},
	{name: "fast-open-request", rule: "asking for a cookie is no Fast Open yet", script: web + `
		= outcome=complete close=open flags=- completeness=7
		c S tfo
		s SA tfo=0102030405060708
		c A`},
	{name: "fast-open-reordered", rule: "the SYN-ACK that takes the data was captured before them", script: web + `
		= outcome=complete close=open flags=fast-open,reordered syn_frame=2 synack_frame=1 ack_frame=3
		+1ms c S 100 tfo=0102030405060708
		+-100µs s SA
		+1ms c A`},
	{name: "simultaneous", rule: "both SYNs cross, both SYN-ACKs follow (RFC 9293 §3.5 figure 7)", script: peers + `
		= outcome=complete close=open flags=simultaneous syn_frame=1 completeness=15 role=syn client=192.0.2.10:5000
		c S
		+1ms s S
		c SA
		s SA
		c PA 100
		s A`},
	{name: "split-handshake", rule: "the server answers with a bare SYN: a simultaneous open, no second connection", script: web + `
		= outcome=complete close=open flags=simultaneous syn_frame=1 role=syn client=192.0.2.10:40000
		c S
		s S
		c SA
		s A
		c PA 100
		s A`},
	{name: "simultaneous-reordered", rule: "both SYNs are acknowledged, but no SYN-ACK is in the capture, and the server's SYN only behind the data", script: peers + `
		= outcome=implied close=open flags=simultaneous syn_frame=1 synack_frame=0 ack_frame=5
		c S
		+4ms s S
		lost +0s c SA
		lost +0s s SA
		+-2ms c PA 100
		+1ms s PA 100
		+2ms c PA 100
		s A`},
	{name: "simultaneous-mismatch", rule: "the SYN-ACK of a side that sent a SYN has the ISN of the SYN, or is counted", script: peers + `
		= outcome=complete close=open flags=simultaneous,synack-mismatch syn_frame=1 completeness=7
		c S
		s S
		c SA
		s SA seq=-12345
		s A`},
	{name: "self-connect", rule: "a socket that connects to itself: one endpoint, one record, whose SYN-ACK acknowledges its own SYN", script: "tcp 192.0.2.10:40000 192.0.2.10:40000\n" + `
		= outcome=complete close=fin flags=- packets=6 completeness=31
		c S isn=1000
		c SA ack=1001
		c A ack=1001
		c PA 100 ack=1001
		c FA ack=1101
		c A ack=1102`},
	{name: "self-connect-half-close", rule: "the same over IPv6, and its FIN is not acknowledged", script: "tcp [2001:db8:10::10]:40000 [2001:db8:10::10]:40000\n" + `
		= outcome=complete close=half-close flags=- packets=4
		c S isn=1000
		c SA ack=1001
		c A ack=1001
		c FA ack=1001`},
	{name: "reordered", rule: "the SYN-ACK stands before its SYN in the capture", script: web + `
		= outcome=complete close=open flags=reordered syn_frame=2 synack_frame=1 ack_frame=3 role=syn client=192.0.2.10:40000
		+1ms c S
		+-100µs s SA
		+1ms c A`},
	{name: "mptcp", rule: "MP_CAPABLE (RFC 8684)", script: web + `
		= outcome=complete close=open flags=mptcp completeness=7
		c S mptcp
		s SA mptcp
		c A mptcp`},
	{name: "mptcp-join", rule: "MP_JOIN: a second path of a connection that is elsewhere", script: web6 + `
		= outcome=complete close=open flags=mptcp completeness=7
		c S mptcp=join
		s SA mptcp=join
		c A mptcp=join`},
	{name: "ecn", rule: "ECE and CWR in the SYN, ECE in the SYN-ACK (RFC 3168 §6.1.1)", script: web + `
		= outcome=complete close=open flags=ecn completeness=7
		c SEW
		s SAE
		c A`},
	{name: "ecn-declined", rule: "offered, not negotiated", script: web + `
		= outcome=complete close=open flags=- completeness=7
		c SEW
		s SA
		c A`},
	{name: "syn-retransmitted", rule: "syn_rtt counts from the last SYN before, setup from the first; Karn: a guess", script: web + `
		= outcome=complete close=open flags=syn-retransmitted syn_count=2 syn_waits=1s syn_frame=1 syn_rtt=20ms ack_rtt=200µs setup=1.0202s ambiguous=true completeness=7 history=ShA
		c S
		+1s c S
		s SA
		c A`},
	{name: "synack-retransmitted", rule: "ack_rtt counts from the last SYN-ACK before the ACK", script: web + `
		= outcome=complete close=open flags=synack-retransmitted synack_count=2 synack_frame=2 ack_frame=4 syn_rtt=20ms ack_rtt=200µs ambiguous=true completeness=7 history=ShA
		c S
		s SA
		lost c A
		+1s s SA
		c A`},
	{name: "syn-after-synack", rule: "the SYN with the same ISN after the SYN-ACK never splits", script: web + `
		= outcome=complete close=open flags=syn-retransmitted,synack-retransmitted syn_count=2 synack_count=2 syn_frame=1 synack_frame=2 ack_frame=5 syn_rtt=20ms setup=1.0402s ambiguous=true completeness=7
		c S
		s SA
		+1s c S
		s SA
		c A`},
	{name: "synack-mismatch", rule: "a second SYN-ACK with another ISN never moves the sequence state", script: web + `
		= outcome=complete close=open flags=synack-mismatch synack_frame=2 ack_frame=4 completeness=15
		c S
		s SA
		s SA seq=-12345
		c A
		c PA 100
		s A`},
	{name: "synack-mismatch-chosen", rule: "of two SYN-ACKs the client's ACK chooses the second", script: web + `
		= outcome=complete close=open flags=synack-mismatch isn=1000/900000 synack_count=2 synack_frame=3 ack_frame=4 syn_rtt=21ms ack_rtt=200µs completeness=15 missing_bytes_s2c=0
		c S isn=1000
		s SA isn=5000
		+1ms s SA isn=900000
		c A
		c PA 100
		s A`},
	{name: "duplicated", rule: "each packet was captured twice: one connection, and all counts double", script: web + `
		= outcome=complete close=fin closed_by=client flags=syn-retransmitted,synack-retransmitted syn_count=2 synack_count=2 syn_frame=1 synack_frame=3 ack_frame=5 packets_c2s=12 packets_s2c=8 completeness=31 conn_state=SF
		c S twice
		s SA twice
		c A twice
		c PA 100 twice
		s A twice
		s PA 500 twice
		c A twice
		c FA twice
		s FA twice
		c A twice`},
	{name: "odd-flags", rule: "SYN with FIN, FIN with RST: no host sends such, scanners and broken ones do", script: web + `
		= outcome=refused close=never closed_by=server completeness=37 history=Qr
		c SF
		s RA
		tcp 192.0.2.10:40001 198.51.100.80:80 at=1s
		= outcome=complete close=reset closed_by=server completeness=63 history=ShADadi
		` + established + request + `
		s FRA
		s FRA`, unsaid: []string{"flags"}},
	{name: "window-scale-14", rule: "the largest scale: an RST megabytes ahead is in the window, if both sides scale", script: web + `
		= outcome=complete close=reset closed_by=server flags=- window_scale=14/14
		c S ws=14
		s SA ws=14
		c A
		+1s s RA seq=+8000000
		tcp 192.0.2.10:40001 198.51.100.80:80 at=2s
		= outcome=complete close=open flags=- window_scale=14/0
		c S ws=14
		s SA noopts
		c A
		+1s s RA seq=+8000000`},
	{name: "wrapped", rule: "sequence numbers pass 2^32", script: web + `
		= outcome=complete close=open flags=wrapped isn=4294967000/4294966000 payload_bytes_c2s=500 payload_bytes_s2c=2000 completeness=15
		c S isn=4294967000
		s SA isn=4294966000
		c A
		c PA 500
		s A 1000
		s A 1000
		c A`},
	{name: "wrapped-in-handshake", rule: "the ACK of ISN 2^32−1 is 0", script: web + `
		= outcome=complete close=open isn=4294967295/4294967295 ack_frame=3 completeness=7
		c S isn=4294967295
		s SA isn=4294967295
		c A`, unsaid: []string{"flags"}},
	{name: "reset-injected-ttl", rule: "the RST's TTL differs by 7 from what the server's packets have", script: web + `
		= outcome=complete close=reset closed_by=server flags=rst-injected? completeness=47
		` + established + request + `
		+1s s RA ttl=64`},
	{name: "reset-injected-early", rule: "the RST comes 1 ms after the request on a path of 20 ms", script: web + `
		= outcome=complete close=reset closed_by=server flags=rst-injected? completeness=47
		` + established + `
		c PA get=www.example.com/
		+1ms s RA`},
	{name: "reset-injected-before-synack", rule: "a forged RST answers the SYN first; the handshake completes all the same", script: web + `
		= outcome=complete close=open flags=rst-injected? completeness=39
		c S
		+1ms s RA ttl=64
		+19ms s SA
		c A`},
	{name: "zero-window", rule: "the server's window closes and opens again", script: web + `
		= outcome=complete close=open flags=zero-window zero_windows_s2c=1 completeness=15
		` + established + `
		c A 1400
		s A win=0
		+200ms s A
		c PA 100
		s A`},
	{name: "zero-window-probe", rule: "a byte into the closed window is a probe: no data, no keep-alive", script: web + `
		= outcome=complete close=open flags=zero-window zero_windows_s2c=3 keep_alives_c2s=0 retransmissions_c2s=0
		` + established + `
		c A 1400
		s A win=0
		+200ms c A 1
		s A win=0 ack=-1
		+400ms c A 1 seq=-1
		s A win=0 ack=-1
		+800ms s A ack=-1
		c PA 100 seq=-1
		s A`},
	{name: "keep-alive-by-server", rule: "the server's, with a byte that was sent before", script: webAbove + `
		= outcome=complete close=open flags=keep-alive keep_alives_c2s=0 keep_alives_s2c=2 retransmissions_s2c=0
		` + established + request + `
		+60s s A 1 seq=-1
		c A
		+60s s A 1 seq=-1
		c A`},
	{name: "keep-alive", rule: "after a minute's silence one octet before the next: nothing new is sent", script: web + `
		= outcome=complete close=open flags=keep-alive keep_alives_c2s=1 keep_alives_s2c=0 completeness=15
		` + established + request + `
		+60s c A seq=-1
		s A`},
}

// reuse has 4-tuples that start again.
var reuse = []scenario{
	{name: "reuse-after-fin", rule: "a SYN with a new ISN after both FINs", script: web + `
		= outcome=complete close=fin closed_by=client flags=- packets_c2s=6 packets_s2c=4
		` + established + request + clientFins + `
		= outcome=complete close=fin closed_by=client flags=- syn_frame=11
		+1s c S isn=77777777
		s SA
		c A
		` + request + clientFins},
	{name: "reuse-in-time-wait", rule: "the server closed first: in TIME-WAIT it takes a SYN with a higher ISN (RFC 9293 §3.10.7.4)", script: web + `
		= outcome=complete close=fin closed_by=server flags=- states=CLOSED/TIME-WAIT
		c S isn=1000
		s SA
		c A
		` + request + `
		s FA
		c FA
		s A
		= outcome=complete close=open flags=- syn_frame=11
		+1s c S isn=900000
		s SA
		c A`},
	{name: "reuse-in-time-wait-challenged", rule: "in TIME-WAIT it answers a lower ISN with its last ACK: the client's RST, and the SYN again", script: web + `
		= outcome=complete close=fin closed_by=server flags=- states=CLOSED/TIME-WAIT
		c S isn=900000
		s SA isn=70000
		c A
		c PA 100
		s A
		s FA
		c FA
		s A
		= outcome=complete close=open flags=syn-retransmitted syn_count=2 syn_frame=9 synack_frame=13 ack_frame=14 missing_bytes_s2c=0
		+1s c S isn=1000
		s A seq=70002 ack=900102
		c R seq=900102
		+1s c S
		s SA
		c A`},
	{name: "reuse-after-refused", rule: "another ISN after a refusal is another attempt", script: web6 + `
		= outcome=refused close=never closed_by=server flags=- syn_count=1
		c S
		s RA
		= outcome=refused close=never closed_by=server flags=- syn_count=1 verdict_frame=4
		+1s c S isn=77777777
		s RA`},
	{name: "reuse-reversed", rule: "the other side opens the same tuple next: client and server change places", script: `
		tcp 192.0.2.10:5060 198.51.100.80:5060
		= outcome=complete close=fin closed_by=client flags=- role=syn client=192.0.2.10:5060
		` + established + clientFins + `
		tcp 198.51.100.80:5060 192.0.2.10:5060 at=5s
		= outcome=complete close=open flags=- role=syn client=198.51.100.80:5060
		` + established},
	{name: "reuse-after-reset", rule: "a SYN with a new ISN after an RST", script: web + `
		= outcome=complete close=reset closed_by=server flags=-
		` + established + request + `
		+1s s RA
		= outcome=complete close=open flags=-
		+1s c S isn=77777777
		s SA
		c A`},
	{name: "reuse-while-open", rule: "a SYN with a new ISN while the old connection is open: the client rebooted", script: web + `
		= outcome=complete close=open closed_by=- flags=reused-open conn_state=S1
		` + established + request + `
		= outcome=complete close=open flags=- conn_state=S1
		+60s c S isn=77777777
		s SA
		c A`},
	{name: "reuse-after-unanswered", rule: "another ISN is another attempt, whatever became of the first", script: web + `
		= outcome=unanswered close=never flags=syn-retransmitted syn_count=2
		c S
		+1s c S
		= outcome=complete close=open flags=- syn_count=1
		+5s c S isn=77777777
		s SA
		c A`},
	{name: "reuse-after-midstream", rule: "the handshake after traffic without one begins a new record", script: web + lostOpening + `
		= outcome=midstream close=open flags=reused-open
		` + request + `
		= outcome=complete close=open flags=-
		+60s c S isn=77777777
		s SA
		c A`},
}
