package report

import "fmt"

// icmpWords says what an ICMP or ICMPv6 error means (RFC 792, RFC 1122 §3.2.2.1,
// RFC 1812 §5.2.7, RFC 4443 §3).
func icmpWords(v6 bool, icmpType, code uint8) string {
	names := icmp4Words
	if v6 {
		names = icmp6Words
	}
	words, ok := names[[2]uint8{icmpType, code}]
	if !ok {
		words = "an error"
	}
	name := "ICMP"
	if v6 {
		name = "ICMPv6"
	}
	return fmt.Sprintf("%s (%s type %d, code %d)", words, name, icmpType, code)
}

var icmp4Words = map[[2]uint8]string{
	{3, 0}:  "network unreachable",
	{3, 1}:  "host unreachable",
	{3, 2}:  "protocol unreachable",
	{3, 3}:  "port unreachable",
	{3, 4}:  "packet too big",
	{3, 5}:  "source route failed",
	{3, 6}:  "network unknown",
	{3, 7}:  "host unknown",
	{3, 8}:  "source host isolated",
	{3, 9}:  "network administratively prohibited",
	{3, 10}: "host administratively prohibited",
	{3, 11}: "network unreachable for this type of service",
	{3, 12}: "host unreachable for this type of service",
	{3, 13}: "communication administratively prohibited",
	{3, 14}: "host precedence violation",
	{3, 15}: "precedence cutoff",
	{4, 0}:  "source quench",
	{5, 0}:  "redirect",
	{11, 0}: "hop limit exceeded in transit",
	{11, 1}: "fragment reassembly time exceeded",
	{12, 0}: "header problem",
}

var icmp6Words = map[[2]uint8]string{
	{1, 0}: "no route to destination",
	{1, 1}: "administratively prohibited",
	{1, 2}: "beyond scope of source address",
	{1, 3}: "address unreachable",
	{1, 4}: "port unreachable",
	{1, 5}: "source address failed policy",
	{1, 6}: "route rejected",
	{1, 7}: "source routing header error",
	{2, 0}: "packet too big",
	{3, 0}: "hop limit exceeded in transit",
	{3, 1}: "fragment reassembly time exceeded",
	{4, 0}: "erroneous header field",
	{4, 1}: "unrecognized next header",
	{4, 2}: "unrecognized IPv6 option",
}
