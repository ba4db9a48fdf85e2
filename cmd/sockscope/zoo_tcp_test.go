package main

// Exchanges of words that many scenarios share.
const (
	web  = "tcp 192.0.2.10:40000 198.51.100.80:80\n"
	web6 = "tcp [2001:db8:10::10]:40000 [2001:db8:80::80]:80\n"

	peers    = "tcp 192.0.2.10:5000 198.51.100.80:6000\n"
	webAbove = "tcp 198.51.100.10:40000 192.0.2.80:80\n" // the client's address is the higher one

	established = "c S\ns SA\nc A\n"
	lostOpening = "lost c S\nlost s SA\nlost c A\n"
	request     = "c PA get=www.example.com/\ns A\ns PA ok=120\nc A\n"
	clientFins  = "c FA\ns FA\nc A\n"
)

// attempts has each way in which an attempt can go (outcome).
var attempts = []scenario{
	{name: "complete", rule: "SYN, SYN-ACK and ACK that fit by arithmetic; both FINs acknowledged", script: web + `
		= outcome=complete close=fin closed_by=client flags=- syn_count=1 synack_count=1 syn_frame=1 synack_frame=2 ack_frame=3 completeness=31 conn_state=SF history=ShADadFf syn_rtt=20ms ack_rtt=200µs setup=20.2ms ambiguous=false role=syn states=TIME-WAIT/CLOSED service=http/payload server_name=www.example.com
		` + established + request + clientFins},
	{name: "complete-from-above", rule: "the same when the client's address is the higher one", script: webAbove + `
		= outcome=complete close=fin closed_by=client flags=- syn_count=1 synack_count=1 syn_frame=1 synack_frame=2 ack_frame=3 completeness=31 conn_state=SF history=ShADadFf syn_rtt=20ms ack_rtt=200µs setup=20.2ms ambiguous=false role=syn states=TIME-WAIT/CLOSED service=http/payload server_name=www.example.com
		` + established + request + clientFins},
	{name: "complete-ipv6", rule: "the same over IPv6, still open at the end of the input", script: web6 + `
		= outcome=complete close=open closed_by=- flags=- syn_count=1 syn_frame=1 synack_frame=2 ack_frame=3 completeness=15 conn_state=S1 history=ShADad states=ESTABLISHED/ESTABLISHED
		` + established + request},
	{name: "complete-without-data", rule: "a port probe by connect(): nothing but the handshake and the end", script: web + `
		= outcome=complete close=fin closed_by=client flags=- completeness=23 conn_state=SF history=ShAFf payload_bytes_c2s=0 payload_bytes_s2c=0
		` + established + clientFins},
	{name: "complete-ack-is-data", rule: "the handshake's own ACK is lost: the client's first data carry one that fits", script: web + `
		= outcome=complete close=open flags=- ack_frame=3 completeness=15 conn_state=S1
		c S
		s SA
		lost c A
		c PA get=www.example.com/
		s A`},
	{name: "complete-options", rule: "options of both sides, and their ISNs", script: "tcp 192.0.2.10:40000 198.51.100.80:80 ts\n" + `
		= outcome=complete close=open flags=- isn=1000/2000 mss=1460/1300 window_scale=9/2 sack_permitted=true/false timestamps=true/true completeness=7
		c S isn=1000 mss=1460 ws=9 sackok
		s SA isn=2000 mss=1300 ws=2
		c A`},
	{name: "complete-after-soft-error", rule: "an ICMP error is no end: the SYN after it is answered", script: web + `
		= outcome=complete close=open flags=syn-retransmitted syn_count=2 icmp=3/1 icmp_from=203.0.113.1 completeness=7
		c S
		router icmp:3/1 quotes=c
		+1s c S
		s SA
		c A`},
	{name: "complete-then-error", rule: "an ICMP error that quotes a SYN after its SYN-ACK decides nothing", script: web + `
		= outcome=complete close=open flags=- icmp=3/13 icmp_from=203.0.113.1 completeness=7
		c S
		s SA
		router icmp:3/13 quotes=c
		c A`},
	{name: "refused", rule: "RST with a fitting ack answers the SYN", script: web + `
		= outcome=refused close=never closed_by=server flags=- syn_count=1 synack_count=0 syn_frame=1 verdict_frame=2 completeness=37 conn_state=REJ history=Sr role=syn
		c S
		s RA`},
	{name: "refused-ipv6", rule: "the same over IPv6", script: web6 + `
		= outcome=refused close=never closed_by=server flags=- syn_count=1 verdict_frame=2 completeness=37 conn_state=REJ history=Sr
		c S
		s RA`},
	{name: "refused-retried", rule: "three SYNs with one ISN are one attempt", script: web + `
		= outcome=refused close=never closed_by=server flags=syn-retransmitted syn_count=3 syn_waits=520ms,520ms verdict_frame=2 completeness=37 conn_state=REJ packets_c2s=3 packets_s2c=3
		c S
		s RA
		+500ms c S
		s RA
		+500ms c S
		s RA`},
	{name: "refused-wrong-ack", rule: "an RST that acknowledges something else refuses nothing", script: web + `
		= outcome=complete close=open flags=- ack_frame=4 completeness=39
		c S
		s RA ack=+77777
		+1ms s SA
		c A`},
	{name: "refused-reordered", rule: "the RST was captured before the SYN that it answers", script: web + `
		= outcome=refused close=never closed_by=server flags=reordered syn_frame=2 completeness=37
		+1ms c S
		+-100µs s RA`},
	{name: "unreachable-host", rule: "ICMP 3/1 quotes the SYN", script: web + `
		= outcome=unreachable close=never closed_by=- flags=- syn_count=1 icmp=3/1 icmp_from=203.0.113.1 verdict_frame=2 completeness=1 conn_state=S0 history=S packets_c2s=1 packets_s2c=0
		c S
		+3s router icmp:3/1 quotes=c`},
	{name: "unreachable-net", rule: "ICMP 3/0, quoting the whole SYN", script: web + `
		= outcome=unreachable close=never flags=- icmp=3/0 icmp_from=203.0.113.1 verdict_frame=2 completeness=1
		c S
		router icmp:3/0 quotes=c quote=576`},
	{name: "unreachable-port", rule: "ICMP 3/3 from the server itself: a firewall's reject", script: web + `
		= outcome=unreachable close=never flags=- icmp=3/3 icmp_from=198.51.100.80 verdict_frame=2 completeness=1
		c S
		s icmp:3/3 quotes=c`},
	{name: "unreachable-prohibited", rule: "ICMP 3/13 after the second SYN: the SYN is retransmitted", script: web + `
		= outcome=unreachable close=never flags=syn-retransmitted syn_count=2 syn_waits=1s icmp=3/13 icmp_from=203.0.113.1 verdict_frame=3 completeness=1
		c S
		+1s c S
		router icmp:3/13 quotes=c`},
	{name: "unreachable-ttl", rule: "time exceeded in transit: a routing loop, or traceroute by TCP", script: web + `
		= outcome=unreachable close=never flags=- icmp=11/0 icmp_from=203.0.113.1 verdict_frame=2 completeness=1
		c S ttl=1
		router icmp:11/0 quotes=c`},
	{name: "unreachable-ipv6-route", rule: "ICMPv6 1/0: no route to destination", script: web6 + `
		= outcome=unreachable close=never flags=- icmp=1/0 icmp_from=2001:db8:ffff::1 verdict_frame=2 completeness=1 conn_state=S0
		c S
		router icmp:1/0 quotes=c`},
	{name: "unreachable-ipv6-prohibited", rule: "ICMPv6 1/1: administratively prohibited", script: web6 + `
		= outcome=unreachable close=never flags=- icmp=1/1 icmp_from=2001:db8:ffff::1 verdict_frame=2 completeness=1
		c S
		router icmp:1/1 quotes=c`},
	{name: "unreachable-ipv6-address", rule: "ICMPv6 1/3: address unreachable, neighbour discovery failed", script: web6 + `
		= outcome=unreachable close=never flags=- icmp=1/3 icmp_from=2001:db8:ffff::1 verdict_frame=2 completeness=1
		c S
		+3s router icmp:1/3 quotes=c`},
	{name: "unanswered", rule: "SYNs with back-off of 1, 2, 4 and 8 s and nothing back", script: web + `
		= outcome=unanswered close=never closed_by=- flags=syn-retransmitted syn_count=5 synack_count=0 syn_waits=1s,2s,4s,8s syn_frame=1 completeness=1 conn_state=S0 history=S packets_c2s=5 packets_s2c=0
		c S
		+1s c S
		+2s c S
		+4s c S
		+8s c S`},
	{name: "unanswered-ipv6", rule: "one SYN and the end of the input", script: web6 + `
		= outcome=unanswered close=never flags=- syn_count=1 syn_waits=- completeness=1 conn_state=S0
		c S`},
	{name: "half-open", rule: "the SYN-ACK is sent again and again, the ACK never comes", script: web + `
		= outcome=half-open close=never closed_by=- flags=synack-retransmitted syn_count=1 synack_count=4 syn_frame=1 synack_frame=2 ack_frame=0 completeness=3 conn_state=S1 history=Sh syn_rtt=20ms ack_rtt=- setup=-
		c S
		s SA
		+1s s SA
		+2s s SA
		+4s s SA`},
	{name: "half-open-ipv6", rule: "the input ends after the SYN-ACK", script: web6 + `
		= outcome=half-open close=never flags=- synack_count=1 completeness=3
		c S
		s SA`},
	{name: "half-open-wrong-ack", rule: "an ACK that does not cover the server's ISN is no handshake", script: web + `
		= outcome=half-open close=never flags=- ack_frame=0
		c S
		s SA
		c A ack=-1`},
	{name: "aborted-by-client", rule: "SYN-ACK, then RST of the client: a SYN scan of an open port", script: web + `
		= outcome=aborted close=never closed_by=client flags=- syn_frame=1 synack_frame=2 ack_frame=0 verdict_frame=3 completeness=35 conn_state=RSTO history=ShR
		c S
		s SA
		c R`},
	{name: "aborted-by-server", rule: "the server gives up after its SYN-ACKs", script: web + `
		= outcome=aborted close=never closed_by=server flags=synack-retransmitted synack_count=2 verdict_frame=4 completeness=39 conn_state=RSTR history=Shr
		c S
		s SA
		+1s s SA
		+3s s RA`},
	{name: "aborted-not-by-old-reset", rule: "an RST far from the server's numbers is an old one and aborts nothing", script: web + `
		= outcome=complete close=open flags=- ack_frame=4 completeness=47
		c S
		s SA
		s RA seq=+1000000000
		c A
		c PA 100
		s A`},
	{name: "mismatched", rule: "the only SYN-ACK acknowledges something else", script: web + `
		= outcome=mismatched close=never closed_by=client verdict_frame=2 completeness=35
		c S
		s SA ack=+1000
		+1ms c R`, unsaid: []string{"flags"}},
	{name: "mismatched-at-first", rule: "a SYN-ACK for an older SYN, which the client's RST rejects (RFC 9293 §3.5 figure 8)", script: web + `
		= outcome=complete close=open flags=syn-retransmitted,synack-mismatch syn_count=2 syn_frame=1 synack_frame=5 ack_frame=6
		c S
		s SA ack=-90000
		c R seq=-90000
		+1s c S
		s SA
		c A`},
	{name: "challenged", rule: "the server still has an older connection: its ACK, the client's RST, and the SYN again (RFC 9293 §3.5.1 figure 9)", script: web + `
		= outcome=complete close=fin closed_by=client flags=syn-retransmitted syn_count=2 syn_waits=1.0202s syn_frame=1 synack_frame=5 ack_frame=6 missing_bytes_s2c=0
		c S
		s A seq=-3000000 ack=-5000000
		c R seq=-5000000
		+1s c S
		s SA
		c A
		` + request + clientFins},
	{name: "reply-only-synack", rule: "a SYN-ACK without SYN: its sender is the server", script: web + `
		= outcome=reply-only close=never flags=one-way synack_count=1 syn_frame=0 synack_frame=1 role=syn-ack client=192.0.2.10:40000 conn_state=OTH
		lost c S
		s SA`},
	{name: "reply-only-rst", rule: "backscatter of a closed port: only the RST is here", script: web + `
		= outcome=reply-only close=never closed_by=server flags=one-way syn_count=0 role=registry client=192.0.2.10:40000
		lost c S
		s RA`},
	{name: "reply-only-both", rule: "backscatter of an open port: SYN-ACK, then RST", script: web + `
		= outcome=reply-only close=never closed_by=server flags=one-way completeness=38 conn_state=RSTRH role=syn-ack
		lost c S
		s SA
		+3s s RA`},
	{name: "implied", rule: "the SYN-ACK is not in the capture, both sides go on", script: web + `
		= outcome=implied close=fin closed_by=client flags=- syn_frame=1 synack_frame=0 completeness=29
		c S
		lost s SA
		c A
		` + request + clientFins},
	{name: "complete-ack-lost", rule: "the ACK is not in the capture, but a later one fits what the server was seen to send", script: web + `
		= outcome=complete close=open flags=- ack_frame=5 ambiguous=true completeness=15
		c S
		s SA
		lost c A
		lost s PA 1000
		c PA 100
		s A
		c PA 100
		s A`},
	{name: "implied-one-way", rule: "only the client's direction is in the capture", script: web + `
		= outcome=implied close=open flags=one-way completeness=13 packets_s2c=0
		c S
		lost s SA
		c A
		c PA get=www.example.com/
		lost s PA ok=120
		c A`},
	{name: "midstream-from-above", rule: "the same when the client's address is the higher one", script: webAbove + lostOpening + `
		= outcome=midstream close=open closed_by=- flags=- syn_count=0 role=payload client=198.51.100.10:40000 conn_state=OTH service=http/payload server_name=www.example.com
		` + request},
	{name: "midstream-synack", rule: "SYN-ACK and the ACK of it, without the SYN: somebody goes on", script: web + `
		= outcome=midstream close=open flags=- syn_count=0 synack_count=1 synack_frame=1 role=syn-ack client=192.0.2.10:40000 completeness=6
		lost c S
		s SA
		c A`},
	{name: "midstream-synack-one-way", rule: "only the server's side is in the capture, from its SYN-ACK on", script: web + `
		= outcome=midstream close=open flags=one-way synack_count=1 role=syn-ack client=192.0.2.10:40000 packets_c2s=0 completeness=10
		lost c S
		s SA
		lost c A
		lost c PA get=www.example.com/
		s PA ok=120`},
	{name: "midstream", rule: "traffic without its handshake", script: web + lostOpening + `
		= outcome=midstream close=open closed_by=- flags=- syn_count=0 role=payload client=192.0.2.10:40000 conn_state=OTH
		` + request},
	{name: "midstream-server-first", rule: "the first packet comes from the server: the port numbers tell the roles", script: web + lostOpening + `
		= outcome=midstream close=open flags=- role=registry client=192.0.2.10:40000
		s PA 100
		c A`},
	{name: "midstream-fin", rule: "only the end is in the capture", script: web + lostOpening + `
		= outcome=midstream close=fin closed_by=server flags=-
		s FA
		c A
		c FA
		s A`},
	{name: "midstream-reset", rule: "a connection without its handshake ends with RST", script: web + lostOpening + `
		= outcome=midstream close=reset closed_by=server flags=-
		c PA 100
		s A
		+1s s RA`},
	{name: "midstream-one-way", rule: "only what the server sends is in the capture", script: web + lostOpening + `
		= outcome=midstream close=open flags=one-way packets_c2s=0
		lost c PA get=www.example.com/
		s A
		s PA ok=120
		lost c A
		s PA 100`},
}

// ends has each way in which a connection can end (close).
var ends = []scenario{
	{name: "close-fin-by-server", rule: "the first FIN's sender is the one in TIME-WAIT", script: web + `
		= outcome=complete close=fin closed_by=server flags=- completeness=31 conn_state=SF states=CLOSED/TIME-WAIT
		` + established + request + `
		s FA
		c FA
		s A`},
	{name: "close-fin-simultaneous", rule: "both FINs cross: both ends go through CLOSING", script: web + `
		= outcome=complete close=fin closed_by=client flags=- completeness=31 conn_state=SF states=TIME-WAIT/TIME-WAIT
		` + established + request + `
		c FA
		+100µs s FA ack=-1
		c A
		s A`},
	{name: "close-half", rule: "one FIN, acknowledged, and the other side goes on", script: web + `
		= outcome=complete close=half-close closed_by=client flags=- completeness=31 conn_state=S2 states=FIN-WAIT-2/CLOSE-WAIT
		` + established + request + `
		c FA
		s A
		s PA 500
		c A`},
	{name: "close-half-unacknowledged", rule: "both FINs, the last one not acknowledged", script: web + `
		= outcome=complete close=half-close closed_by=client flags=- completeness=31
		` + established + request + `
		c FA
		s A
		s FA`},
	{name: "close-reset-by-server", rule: "RST after the handshake", script: web + `
		= outcome=complete close=reset closed_by=server flags=- completeness=47 conn_state=RSTR history=ShADadr states=CLOSED/CLOSED
		` + established + request + `
		+1s s RA`},
	{name: "close-reset-by-client", rule: "the client's RST", script: web6 + `
		= outcome=complete close=reset closed_by=client flags=- completeness=47 conn_state=RSTO history=ShADadR
		` + established + request + `
		+1s c RA`},
	{name: "close-reset-after-fin", rule: "the client closes while data are on their way: RST answers them", script: web + `
		= outcome=complete close=reset-after-fin closed_by=client flags=- completeness=63 conn_state=RSTO
		` + established + request + `
		c FA
		s PA 500
		c R`},
	{name: "close-reset-after-fin-by-server", rule: "the server answers the FIN with RST", script: web6 + `
		= outcome=complete close=reset-after-fin closed_by=client flags=- completeness=63
		` + established + request + `
		c FA
		s RA`},
	{name: "close-reset-after-both-fins", rule: "an RST after both FINs changes nothing: the client was in a hurry", script: web + `
		= outcome=complete close=fin closed_by=client flags=- completeness=63 conn_state=SF history=ShADadFfR
		` + established + request + clientFins + `
		+1s c R`},
	{name: "close-fin-before-ack", rule: "the client's FIN is its first segment after the SYN-ACK, and carries the ACK", script: web + `
		= outcome=complete close=fin closed_by=client flags=- ack_frame=3 completeness=23 states=TIME-WAIT/CLOSED
		c S
		s SA
		c FA
		s FA
		c A`},
	{name: "close-fin-of-server-before-ack", rule: "the server closes in SYN-RECEIVED: the client's ACK is of its FIN, too", script: web + `
		= outcome=complete close=fin closed_by=server flags=- ack_frame=4 completeness=23 conn_state=SF states=CLOSED/TIME-WAIT
		c S
		s SA
		s FA
		c A
		c FA
		s A`},
	{name: "close-fin-reordered", rule: "the client's FIN was captured behind the ACK of it", script: web + `
		= outcome=complete close=fin flags=- completeness=31
		` + established + request + `
		+1ms c FA
		+-100µs s FA
		+1ms c A`},
	{name: "close-half-from-above", rule: "the server's FIN, and data of the client after it", script: webAbove + `
		= outcome=complete close=half-close closed_by=server flags=- completeness=31 conn_state=S3 states=CLOSE-WAIT/FIN-WAIT-2
		` + established + request + `
		s FA
		c A
		c PA 500
		s A`},
	{name: "close-reset-out-of-window", rule: "an RST far outside the window resets nothing", script: web + `
		= outcome=complete close=open flags=-
		` + established + request + `
		+1s s RA seq=+1000000000
		+1s c PA 100
		s A`},
	{name: "close-open", rule: "still open at the end of the input", script: web + `
		= outcome=complete close=open closed_by=- flags=- completeness=7 conn_state=S1 states=ESTABLISHED/ESTABLISHED
		` + established},
}
