package main

import (
	"fmt"
	"strings"
)

// icmpErrors has ICMP errors: each code, and what they quote.
var icmpErrors = []scenario{
	{name: "unreachable-codes", rule: "each code of ICMP type 3, 11 and 12 that says that a SYN did not arrive (RFC 792, RFC 1812 §5.2.7)",
		script: codes("192.0.2.10:%d 198.51.100.80:80", "203.0.113.1", map[int]int{3: 16, 11: 2, 12: 3}, "3/4")},
	{name: "unreachable-ipv6-codes", rule: "each code of ICMPv6 type 1, 3 and 4 (RFC 4443 §3, RFC 8883)",
		script: codes("[2001:db8:10::10]:%d [2001:db8:80::80]:80", "2001:db8:ffff::1", map[int]int{1: 9, 3: 2, 4: 11})},
	{name: "icmp-too-big", rule: "to ask for smaller packets is no refusal: ICMP 3/4, and ICMPv6 2/0", script: web + `
		= outcome=complete close=open flags=syn-retransmitted
		c S
		router icmp:3/4 quotes=c
		+1s c S
		s SA
		c A
		tcp [2001:db8:10::10]:40000 [2001:db8:80::80]:80 at=2s
		= outcome=complete close=open flags=syn-retransmitted
		c S
		router icmp:2/0 quotes=c
		+1s c S
		s SA
		c A`},
	{name: "icmp-redirect", rule: "a redirect tells of a better way, not of a loss", script: web + `
		= outcome=unanswered close=never flags=- icmp=-
		c S
		router icmp:5/1 quotes=c`},
	{name: "icmp-of-synack", rule: "the client's firewall rejects the SYN-ACK: half-open, and the error tells why", script: web + `
		= outcome=half-open close=never flags=- icmp=3/10 icmp_from=192.0.2.10
		c S
		s SA
		c icmp:3/10 quotes=s`},
	{name: "icmp-of-unseen-synack", rule: "the same when the SYN-ACK is not in the capture: nothing answered the SYN", script: web + `
		= outcome=unanswered close=never flags=- icmp=3/10 icmp_from=192.0.2.10
		c S
		lost s SA
		c icmp:3/10 quotes=s`},
	{name: "icmp-of-nothing", rule: "an error about a packet that is not in the capture makes no connection", script: web + `
		lost c S
		router icmp:3/1 quotes=c`},
	{name: "icmp-of-earlier", rule: "an error that comes late quotes the connection that the tuple had before", script: web + `
		= outcome=complete close=fin closed_by=client flags=-
		c S isn=1000
		s SA
		c A
		` + clientFins + `
		+2s router icmp:3/1 quotes=c
		= outcome=unanswered close=never flags=- icmp=-
		+-1s c S isn=900000`},
}

// codes is a SYN for each code of the ICMP types, but for some, and the error that answers
// it. The numbers of codes are by type.
func codes(ends, router string, types map[int]int, but ...string) string {
	var b strings.Builder
	port := 40000
	for typ := range 13 {
		for code := range types[typ] {
			name := fmt.Sprintf("%d/%d", typ, code)
			if strings.Contains(strings.Join(but, " "), name) {
				continue
			}
			port++
			fmt.Fprintf(&b, "tcp "+ends+" at=%dms\n", port, port-40000)
			fmt.Fprintf(&b, "= outcome=unreachable close=never closed_by=- flags=- icmp=%s icmp_from=%s completeness=1 conn_state=S0\n", name, router)
			fmt.Fprintf(&b, "c S\nrouter icmp:%s quotes=c\n", name)
		}
	}
	return b.String()
}
