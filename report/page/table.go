package page

import (
	"strconv"
	"strings"
	"time"

	"sockscope/report"
)

// A portRange is a line of the table of port ranges.
type portRange struct {
	Name, Ports string
	Connections string

	Worked, Other, Failed string
	Failures              string

	Packets  string
	Bytes    quantity
	Share    string
	Busiest  string
	P50, P95 quantity
}

// A portion is a line of a small table: a word, what it means, how many.
type portion struct {
	Name, Means        string
	Connections, Share string
}

// A service is a line of the table of services.
type service struct {
	Name, Port            string
	Proven                bool // by payload
	Connections           string
	Worked, Other, Failed string
	Failures              string
	Clients, Servers      string
	Packets               string
	Resent                quantity // nothing when none was
	Bytes, Payload        quantity
	P50, P95, P99         quantity
	Process               string // who serves, or "by" whom it is used
}

// A tunnel is a line of the table of tunnels.
type tunnel struct {
	Kind, A, B, ID, Frames string
	Bytes                  quantity
}

// A ledger shows that everything was counted once.
type ledger struct {
	Frames, Connections string
	Balanced            bool
	MemoryShort         string // "" when it was not
	Lines               []ledgerLine
	Outcomes            []outcomeCount
}

// A ledgerLine is one way in which frames were counted.
type ledgerLine struct {
	Group, Name, Frames, Share string
	Bytes                      quantity
}

// portRangeName is the range of RFC 6335 §6 that a port lies in.
func portRangeName(port uint16) string {
	switch {
	case port < 1024:
		return "well-known"
	case port < 49152:
		return "registered"
	}
	return "dynamic"
}

func rangePorts(r *report.Range) string {
	if r.Name == "none" {
		return ""
	}
	return strconv.Itoa(int(r.Low)) + "–" + strconv.Itoa(int(r.High))
}

func rangeLabel(r *report.Range) string {
	if r.Name == "none" {
		return "without ports"
	}
	return r.Name + " " + rangePorts(r)
}

func portRanges(s *report.Summary) []portRange {
	var list []portRange
	for i := range s.Ranges {
		r := &s.Ranges[i]
		line := portRange{
			Name:        r.Name,
			Ports:       rangePorts(r),
			Connections: count(r.Tally.Connections),
			Packets:     count(r.Tally.Packets),
			Bytes:       byteSize(r.Tally.Bytes),
			Share:       share(r.Share),
		}
		n := groupCounts(&r.Tally)
		failed, how := failures(&r.Tally)
		line.Worked, line.Other, line.Failed, line.Failures = zeroAsDot(n[worked]), zeroAsDot(n[other]), zeroAsDot(failed), how
		var busiest []string
		for _, name := range r.Busiest {
			busiest = append(busiest, report.EscapeText(name))
		}
		line.Busiest = strings.Join(busiest, ", ")
		line.P50, line.P95 = quantile(&r.SYNRTT, r.SYNRTT.P50), quantile(&r.SYNRTT, r.SYNRTT.P95)
		list = append(list, line)
	}
	return list
}

// quantile is d, one of q's; nothing without samples.
func quantile(q *report.Quantiles, d time.Duration) quantity {
	if q.N == 0 {
		return quantity{}
	}
	text := duration(d)
	if q.Approximate {
		text.Text = "≈ " + text.Text
		text.Exact += ", within 1 %"
	}
	return text
}

// zeroAsDot is count, with a quiet sign for 0: in a table of numbers the eye
// shall find those that are there.
func zeroAsDot(n uint64) string {
	if n == 0 {
		return "·"
	}
	return count(n)
}

func clientRanges(s *report.Summary) []portion {
	var total uint64
	for _, c := range s.Clients {
		total += c.Connections
	}
	var list []portion
	for _, c := range s.Clients {
		list = append(list, portion{Name: c.Name, Means: rangeMeaning[c.Name],
			Connections: count(c.Connections), Share: percent(c.Connections, total)})
	}
	return list
}

var rangeMeaning = map[string]string{
	"well-known": "0–1023: as a client's, rare; some old or system services use one",
	"registered": "1024–49151: also part of what Linux hands out, 32768–60999",
	"dynamic":    "49152–65535: what most other systems hand out",
	"none":       "the protocol has no ports",
}

// roleMeaning says in one line why a role is known.
var roleMeaning = map[string]string{
	"syn":      "sent the first SYN: the client",
	"syn-ack":  "sent the SYN-ACK: the server",
	"payload":  "sent a message that only one side sends",
	"listener": "the kernel says who listens",
	"registry": "one port only is registered or below 1024",
	"range":    "one port only is outside the dynamic range",
	"first":    "sent the first packet seen: a guess",
}

func roles(s *report.Summary) []portion {
	var total uint64
	for _, r := range s.Roles {
		total += r.Connections
	}
	var list []portion
	for _, r := range s.Roles {
		word := r.Basis.String()
		list = append(list, portion{Name: word, Means: roleMeaning[word],
			Connections: count(r.Connections), Share: percent(r.Connections, total)})
	}
	return list
}

// serviceName is a service's name; "~" says that only the port suggests it.
func serviceName(name string, proven bool) string {
	switch {
	case name == "":
		return "unknown"
	case proven:
		return report.EscapeText(name)
	}
	return "~" + report.EscapeText(name)
}

// servicePorts are a service's protocol and ports, the busiest ones first:
// "tcp/443, 8443, 9443 and 2 more".
func servicePorts(s *report.Service) string {
	text := report.EscapeText(s.Protocol)
	if !s.HasPort {
		return text
	}
	text += "/" + strconv.Itoa(int(s.Port))
	for _, port := range s.Others {
		text += ", " + strconv.Itoa(int(port))
	}
	if named := uint64(1 + len(s.Others)); s.Ports > named {
		text += " and " + count(s.Ports-named) + " more"
	}
	return text
}

// about is n, marked where it is an estimate.
func about(n uint64, approximate bool) string {
	if approximate {
		return "≈ " + count(n)
	}
	return count(n)
}

func serviceLabel(s *report.Service) string {
	port := servicePorts(s)
	if s.Name == "" || s.Name == s.Protocol {
		return port
	}
	return serviceName(s.Name, s.Proven) + " " + port
}

// services are the lines of the services table, and what it leaves out.
func services(s *report.Summary) (list []service, cut string) {
	shown := s.Services[:min(len(s.Services), maxServices)]
	for i := range shown {
		v := &shown[i]
		n := groupCounts(&v.Tally)
		failed, how := failures(&v.Tally)
		line := service{
			Name:        serviceName(v.Name, v.Proven),
			Port:        servicePorts(v),
			Proven:      v.Name != "" && v.Proven,
			Connections: count(v.Tally.Connections),
			Worked:      zeroAsDot(n[worked]),
			Other:       zeroAsDot(n[other]),
			Failed:      zeroAsDot(failed),
			Failures:    how,
			Clients:     about(v.Clients, v.ClientsApproximate),
			Servers:     about(v.Servers, v.ServersApproximate),
			Packets:     count(v.Tally.Packets),
			Resent:      resent(&v.Tally),
			Bytes:       byteSize(v.Tally.Bytes),
			Payload:     byteSize(v.Tally.Payload),
			Process:     report.EscapeText(v.Processes()),
		}
		line.P50, line.P95, line.P99 = quantile(&v.Setup, v.Setup.P50), quantile(&v.Setup, v.Setup.P95), quantile(&v.Setup, v.Setup.P99)
		list = append(list, line)
	}
	return list, cutNote(len(shown), len(s.Services), "services")
}

// resent is the share of TCP segments that were sent again.
func resent(t *report.Tally) quantity {
	if t.Retransmissions == 0 {
		return quantity{}
	}
	share := strconv.FormatFloat(100*float64(t.Retransmissions)/float64(t.Packets), 'f', 3, 64)
	return quantity{percent(t.Retransmissions, t.Packets), share + " %: " + counted(t.Retransmissions, "packet")}
}

// cutNote says what a table leaves out; nothing when it is whole.
func cutNote(shown, all int, nouns string) string {
	if shown == all {
		return ""
	}
	return "The first " + count(uint64(shown)) + " of " + count(uint64(all)) + " " + nouns + "; the json format has all."
}

func tunnels(s *report.Summary) (list []tunnel, cut string) {
	shown := s.Tunnels[:min(len(s.Tunnels), maxTunnels)]
	for i := range shown {
		t := &shown[i]
		line := tunnel{Kind: report.EscapeText(t.Kind), Frames: count(t.Frames), Bytes: byteSize(t.Bytes)}
		if t.A.IsValid() {
			line.A = t.A.String()
		}
		if t.B.IsValid() {
			line.B = t.B.String()
		}
		if t.HasID {
			line.ID = strconv.FormatUint(uint64(t.ID), 10)
		}
		list = append(list, line)
	}
	return list, cutNote(len(shown), len(s.Tunnels), "tunnels")
}

func newLedger(s *report.Summary) ledger {
	l := ledger{
		Frames:      count(s.Ledger.Frames),
		Connections: count(s.Ledger.Connections),
		Balanced:    s.Ledger.Balanced,
		MemoryShort: s.Ledger.MemoryShort(when(&report.Trouble{Since: s.Ledger.EvictedSince, Until: s.Ledger.EvictedUntil}, s)),
	}
	for i := range s.Ledger.Lines {
		line := &s.Ledger.Lines[i]
		l.Lines = append(l.Lines, ledgerLine{
			Group:  report.EscapeText(line.Group),
			Name:   report.EscapeText(line.Name),
			Frames: count(line.Frames),
			Share:  percent(line.Frames, s.Ledger.Frames),
			Bytes:  byteSize(line.Bytes),
		})
	}
	for _, o := range outcomeCounts(&report.Tally{Outcomes: s.Ledger.Outcomes}) {
		if o.N > 0 {
			l.Outcomes = append(l.Outcomes, o)
		}
	}
	return l
}
