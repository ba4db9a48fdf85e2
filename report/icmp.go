package report

import "fmt"

// icmpWords says what an ICMP or ICMPv6 error means (RFC 792, RFC 1122 §3.2.2.1,
// RFC 1812 §5.2.7, RFC 4443 §3).
func icmpWords(v6 bool, icmpType, code uint8) string {
	names := icmp4Words
	if v6 {
		names = icmp6Words
	}
	words, ok := names[uint16(icmpType)<<8|uint16(code)]
	if !ok {
		words = "an error"
	}
	name := "ICMP"
	if v6 {
		name = "ICMPv6"
	}
	return fmt.Sprintf("%s (%s type %d, code %d)", words, name, icmpType, code)
}

var icmp4Words = map[uint16]string{
	3<<8 | 0:  "network unreachable",
	3<<8 | 1:  "host unreachable",
	3<<8 | 2:  "protocol unreachable",
	3<<8 | 3:  "port unreachable",
	3<<8 | 4:  "packet too big",
	3<<8 | 5:  "source route failed",
	3<<8 | 6:  "network unknown",
	3<<8 | 7:  "host unknown",
	3<<8 | 8:  "source host isolated",
	3<<8 | 9:  "network administratively prohibited",
	3<<8 | 10: "host administratively prohibited",
	3<<8 | 11: "network unreachable for this type of service",
	3<<8 | 12: "host unreachable for this type of service",
	3<<8 | 13: "communication administratively prohibited",
	3<<8 | 14: "host precedence violation",
	3<<8 | 15: "precedence cutoff",
	4 << 8:    "source quench",
	5 << 8:    "redirect",
	11 << 8:   "hop limit exceeded in transit",
	11<<8 | 1: "fragment reassembly time exceeded",
	12 << 8:   "header problem",
}

var icmp6Words = map[uint16]string{
	1<<8 | 0: "no route to destination",
	1<<8 | 1: "administratively prohibited",
	1<<8 | 2: "beyond scope of source address",
	1<<8 | 3: "address unreachable",
	1<<8 | 4: "port unreachable",
	1<<8 | 5: "source address failed policy",
	1<<8 | 6: "route rejected",
	1<<8 | 7: "source routing header error",
	2 << 8:   "packet too big",
	3 << 8:   "hop limit exceeded in transit",
	3<<8 | 1: "fragment reassembly time exceeded",
	4 << 8:   "erroneous header field",
	4<<8 | 1: "unrecognized next header",
	4<<8 | 2: "unrecognized IPv6 option",
}
