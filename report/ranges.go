package report

import (
	"cmp"
	"slices"
	"strings"

	"sockscope/decode/flow"
)

// Port ranges of RFC 6335 §6, and one for protocols without ports.
const (
	wellKnown = iota
	registered
	dynamic
	noPort
	numRanges
)

var rangeNames = [numRanges]string{"well-known", "registered", "dynamic", "none"}

var rangeBounds = [numRanges][2]uint16{{0, 1023}, {1024, 49151}, {49152, 65535}, {}}

// rangeOf is the range that a port lies in.
func rangeOf(hasPorts bool, port uint16) int {
	switch {
	case !hasPorts:
		return noPort
	case port <= rangeBounds[wellKnown][1]:
		return wellKnown
	case port <= rangeBounds[registered][1]:
		return registered
	}
	return dynamic
}

// A rangeGroup is the connections whose server port lies in one range.
type rangeGroup struct {
	tally  Tally
	synRTT sampler
}

// rangeLines are the ranges of a Summary. The three with ports are always there:
// an empty one says something too.
func rangeLines(groups *[numRanges]rangeGroup, services []*serviceGroup, total uint64) []Range {
	var lines []Range
	for i := range groups {
		g := &groups[i]
		if i == noPort && g.tally.Connections == 0 {
			continue
		}
		l := Range{
			Name:    rangeNames[i],
			Low:     rangeBounds[i][0],
			High:    rangeBounds[i][1],
			Tally:   g.tally,
			Busiest: busiest(services, i),
			SYNRTT:  g.synRTT.quantiles(),
		}
		if total > 0 {
			l.Share = float64(g.tally.Bytes) / float64(total)
		}
		lines = append(lines, l)
	}
	return lines
}

// busiest are the names of the three services with the most connections in a range.
func busiest(services []*serviceGroup, r int) []string {
	counts := make(map[string]uint64) // one name may be spoken over several protocols
	for _, g := range services {
		if n := g.ranges[r]; n > 0 && g.label != "" {
			counts[g.label] += n
		}
	}
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	return names[:min(3, len(names))]
}

// clientLines counts client ports by range.
func clientLines(counts *[numRanges]uint64) []RangeCount {
	var lines []RangeCount
	for i, n := range counts {
		if i != noPort {
			lines = append(lines, RangeCount{Name: rangeNames[i], Connections: n})
		}
	}
	return lines
}

// roleLines leaves out what did not occur; the strongest basis comes first.
func roleLines(counts *[flow.NumRoleBases]uint64) []RoleCount {
	var lines []RoleCount
	for i, n := range counts {
		if n > 0 {
			lines = append(lines, RoleCount{Basis: flow.RoleBasis(i), Connections: n})
		}
	}
	return lines
}
