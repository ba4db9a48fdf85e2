package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

const udpLite = 136 // IP protocol number (RFC 3828)

// ledger accounts for every frame and every connection, and says whether the sums
// are what they must be: frames read are the sum of all lines, the connections that
// were reported hold all frames that went into connections, and each connection
// has one outcome.
func ledger(t *flow.Totals, total *Tally, volumes *[256]flow.Volume) Ledger {
	l := Ledger{Frames: t.Frames, Connections: total.Connections, Outcomes: total.Outcomes,
		Evicted: t.Evicted, EvictedSince: t.EvictedSince, EvictedUntil: t.EvictedUntil, Shortages: t.Shortages, Outlived: t.Outlived}
	if t.Evicted > 0 {
		l.DistinctTuples = t.Tuples.Estimate()
	}
	add := func(group, name string, v flow.Volume) {
		if v.Frames > 0 {
			l.Lines = append(l.Lines, LedgerLine{Group: group, Name: name, Frames: v.Frames, Bytes: v.Bytes})
		}
	}

	var inConnections flow.Volume
	connections := func(group, name string, v flow.Volume) {
		add(group, name, v)
		inConnections.Frames += v.Frames
		inConnections.Bytes += v.Bytes
	}
	connections("tcp", "", volumes[protoTCP])
	connections("udp", "", volumes[protoUDP])
	connections("udp", "udplite", volumes[udpLite])
	connections("sctp", "", volumes[protoSCTP])
	for protocol, v := range volumes {
		switch protocol {
		case protoTCP, protoUDP, udpLite, protoSCTP:
		default:
			connections(protocolName(uint8(protocol)), "", v)
		}
	}

	add("icmp", "", t.ICMP)
	for protocol, v := range t.OtherIP {
		add("other-ip", protocolName(uint8(protocol)), v)
	}
	named, others := commonTypes(t.NonIP)
	for _, etherType := range named {
		add("non-ip", etherTypeName(etherType), t.NonIP[etherType])
	}
	add("non-ip", "other types", others)
	for i, v := range t.Undecoded {
		add("undecodable", decode.Error(i).String(), v)
	}
	for _, link := range slices.SortedFunc(maps.Keys(t.UnknownLink), func(a, b capture.LinkType) int { return cmp.Compare(a, b) }) {
		add("undecodable", "link type "+link.String(), t.UnknownLink[link])
	}
	add("fragments", "", t.Fragments)
	add("filtered", "", t.Filtered)

	var sum flow.Volume
	for _, line := range l.Lines {
		sum.Frames += line.Frames
		sum.Bytes += line.Bytes
	}
	var outcomes uint64
	for _, n := range l.Outcomes {
		outcomes += n
	}
	l.Balanced = sum == flow.Volume{Frames: t.Frames, Bytes: t.Bytes} &&
		inConnections == t.Connections &&
		outcomes == l.Connections
	return l
}

// MemoryShort tells what became of connections when memory was short, and between which times in
// the words of period, which may be ""; it is "" when memory was not short.
func (l *Ledger) MemoryShort(period string) string {
	if l.Evicted+l.Outlived == 0 {
		return ""
	}
	text := "Memory was short"
	if l.Shortages > 0 {
		text += " " + plural(l.Shortages, "time")
	}
	if l.Evicted > 0 && period != "" {
		text += ", " + period
	}
	text += ": " + plural(l.Evicted, "connection") + " evicted, " + humanCount(l.Outlived) + " over and told early"
	if l.DistinctTuples > 0 {
		text += "; about " + plural(l.DistinctTuples, "distinct tuple") + " in all (± " + humanShare(flow.TuplesError) + ")"
	}
	return text
}

// maxEtherTypes bounds the EtherTypes that have a line of their own: real networks
// have a dozen, noise has all of them.
const maxEtherTypes = 100

// commonTypes are the most frequent EtherTypes, in their own order, and the sum of the
// rest.
func commonTypes(volumes map[uint16]flow.Volume) (named []uint16, others flow.Volume) {
	named = slices.SortedFunc(maps.Keys(volumes), func(a, b uint16) int {
		return cmp.Or(-cmp.Compare(volumes[a].Frames, volumes[b].Frames), cmp.Compare(a, b))
	})
	if len(named) > maxEtherTypes {
		for _, t := range named[maxEtherTypes:] {
			others.Frames += volumes[t].Frames
			others.Bytes += volumes[t].Bytes
		}
		named = named[:maxEtherTypes]
	}
	slices.Sort(named)
	return named, others
}

// etherTypeName is the usual name of an EtherType (or of the LSAPs of an 802.3
// frame), else the number.
func etherTypeName(t uint16) string {
	if name, ok := etherTypeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("0x%04x", t)
}

var etherTypeNames = map[uint16]string{
	0x0806: "ARP", 0x8035: "RARP", 0x0842: "Wake-on-LAN", 0x22f0: "AVTP", 0x22f3: "TRILL", 0x6002: "DEC MOP",
	0x809b: "AppleTalk", 0x80f3: "AppleTalk ARP", 0x8137: "IPX", 0x8808: "Ethernet flow control",
	0x8809: "slow protocols (LACP)", 0x8847: "MPLS", 0x8848: "MPLS multicast", 0x8863: "PPPoE discovery",
	0x8864: "PPPoE session", 0x888e: "EAPOL", 0x8892: "PROFINET", 0x88a2: "ATA over Ethernet",
	0x88a4: "EtherCAT", 0x88b8: "GOOSE", 0x88ba: "IEC sampled values", 0x88cc: "LLDP", 0x88e5: "MACsec",
	0x88f7: "PTP", 0x8902: "CFM", 0x8906: "FCoE", 0x8914: "FCoE initialization", 0x9000: "Ethernet loopback test",
	0x4242: "STP", 0xe0e0: "IPX (802.2)", 0xf0f0: "NetBIOS (802.2)", 0xfefe: "IS-IS", 0xaaaa: "SNAP",
	0x0000: "unknown", 0x0800: "IPv4", 0x86dd: "IPv6",
}
