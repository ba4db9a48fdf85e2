package report

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// WriteMarkdown writes s as Markdown with the tables of GitHub's dialect, for an
// issue or a wiki page: counts exact, durations rounded, times in UTC. Text is
// escaped as in all formats, and then so that it is shown as it is: no markup, no
// HTML, no link comes from the capture.
func WriteMarkdown(w io.Writer, s *Summary) error {
	m := markdown{output: output{w: w}}
	m.heading(1, "Connections by port range and service")
	m.inputs(s)
	m.trouble(s)
	m.ranges(s)
	m.services(s)
	m.listeners(s.Host)
	m.tunnels(s)
	m.connections(s)
	m.ledger(s)
	return m.Flush()
}

// A markdown writes a Summary's parts.
type markdown struct{ output }

// markup are the characters that mean something inside a line of Markdown, and what
// stands for them. The backslash is one of them: EscapeText's own are doubled.
var markup = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "!", `\!`, "~", `\~`, "$", `\$`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;",
	"://", "&#58;//", "www.", "www&#46;", "WWW.", "WWW&#46;", "@", "&#64;", // links that some readers make
)

// markdownText is text as Markdown.
func markdownText(s string) string { return markup.Replace(EscapeText(s)) }

func (m *markdown) heading(level int, title string) {
	if level > 1 {
		m.buf = append(m.buf, '\n')
	}
	m.buf = append(append(append(m.buf, "######"[:level]...), ' '), title...)
	m.buf = append(m.buf, "\n\n"...)
}

// item writes a line of a list. text is Markdown.
func (m *markdown) item(text string) {
	m.buf = append(append(append(m.buf, "- "...), text...), '\n')
}

// A markdownTable is written row by row; columns whose title ends in a blank hold
// numbers and are flush right.
type markdownTable struct {
	m      *markdown
	titles []string
}

// table starts a table.
func (m *markdown) table(titles ...string) markdownTable {
	t := markdownTable{m, titles}
	t.row(titles...)
	for _, title := range titles {
		if strings.HasSuffix(title, " ") {
			m.buf = append(m.buf, "|---:"...)
		} else {
			m.buf = append(m.buf, "|---"...)
		}
	}
	m.buf = append(m.buf, "|\n"...)
	return t
}

// row writes a row. cells are Markdown.
func (t markdownTable) row(cells ...string) {
	for _, c := range cells {
		t.m.buf = append(append(append(t.m.buf, "| "...), strings.TrimSuffix(c, " ")...), ' ')
	}
	t.m.buf = append(t.m.buf, "|\n"...)
	_ = t.m.output.row() // an error stays, and Flush tells it
}

func (m *markdown) inputs(s *Summary) {
	for _, in := range s.Inputs {
		title := "input " + markdownText(in.Name) // a name alone could start a list
		if in.Format != "" {
			title += " (" + markdownText(strings.TrimSpace(in.Format+" "+in.Compression)) + ")"
		}
		m.item(title + ": " + plural(in.Frames, "frame") + ", " + humanCount(in.Bytes) + " bytes")
		for _, d := range in.Damage {
			m.buf = append(m.buf, "  "...)
			m.item("damaged: " + markdownText(d.String()))
		}
		for _, note := range in.Notes {
			m.buf = append(m.buf, "  "...)
			m.item("note: " + markdownText(note))
		}
	}
	if d, ok := s.Last.Sub(s.First); ok {
		m.item("from " + markdownTime(s.First) + " to " + markdownTime(s.Last) + " (" + humanDuration(d) + ")")
	}
	if s.Drops > 0 {
		m.item(plural(s.Drops, "frame") + " lost by the capturing side")
	}
	m.item(plural(s.Total.Connections, "connection") + ": " + markdownOutcomes(&s.Total.Outcomes))
}

// markdownTime is t in UTC.
func markdownTime(t capture.Timestamp) string {
	if !t.Known() {
		return ""
	}
	var c clock
	return string(c.append(nil, t, digitsOf(t, 0)))
}

// markdownOutcomes counts the outcomes that there are.
func markdownOutcomes(counts *[flow.NumOutcomes]uint64) string {
	var words []string
	for o, n := range counts {
		if n > 0 {
			words = append(words, humanCount(n)+" "+flow.Outcome(o).String())
		}
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, ", ")
}

func (m *markdown) trouble(s *Summary) {
	m.heading(2, "Trouble")
	if len(s.Trouble) == 0 {
		m.item("nothing wrong found")
	}
	for _, t := range s.Trouble {
		line := "**" + t.Severity.String() + "** "
		if t.Subject != "" {
			line += markdownText(t.Subject) + ": "
		}
		line += markdownText(t.Text)
		if evidence := strings.TrimPrefix(markdownPeriod(t.Since, t.Until)+frameList(&t), ", "); evidence != "" {
			line += " (" + evidence + ")"
		}
		m.item(line)
		_ = m.row() // an error stays, and Flush tells it
	}
	if s.Worse > 0 {
		m.item("and " + plural(s.Worse, "more line"))
	}
}

// markdownPeriod is when something began, and when it ended where that is known to be later.
func markdownPeriod(since, until capture.Timestamp) string {
	period := markdownTime(since)
	if until.Known() && until > since {
		period += " to " + markdownTime(until)
	}
	return period
}

func (m *markdown) ranges(s *Summary) {
	m.heading(2, "By port range of the server")
	t := m.table("range", "ports", "connections ", "outcomes", "failed ", "packets ", "bytes ", "share ", "busiest", "syn_rtt p50 ", "p95 ")
	for _, r := range s.Ranges {
		ports := "–"
		if r.Name != "none" {
			ports = string(appendUint(append(appendUint(nil, uint64(r.Low)), "–"...), uint64(r.High)))
		}
		busiest := make([]string, len(r.Busiest))
		for i, name := range r.Busiest {
			busiest[i] = markdownText(name)
		}
		p50, p95, _ := markdownQuantiles(&r.SYNRTT)
		t.row(markdownText(r.Name), ports, humanCount(r.Tally.Connections), markdownOutcomes(&r.Tally.Outcomes), humanCount(r.Tally.Failed),
			humanCount(r.Tally.Packets), humanCount(r.Tally.Bytes), markdownText(humanShare(r.Share)), strings.Join(busiest, ", "), p50, p95)
	}

	m.heading(3, "Connections by client port")
	t = m.table("range", "connections ")
	for _, c := range s.Clients {
		t.row(markdownText(c.Name), humanCount(c.Connections))
	}
	if text := s.Host.ClientPorts(); text != "" {
		m.buf = append(m.buf, "\n"+strings.TrimSpace(text)+"\n"...)
	}
	m.heading(3, "How client and server were told apart")
	t = m.table("by", "connections ")
	for _, r := range s.Roles {
		t.row(r.Basis.String(), humanCount(r.Connections))
	}
}

// markdownQuantiles are the cells of p50, p95 and p99.
func markdownQuantiles(q *Quantiles) (p50, p95, p99 string) {
	if q.N == 0 {
		return "–", "–", "–"
	}
	return humanDuration(q.P50), humanDuration(q.P95), humanDuration(q.P99)
}

func (m *markdown) services(s *Summary) {
	m.heading(2, "By service")
	titles := []string{"service", "port", "clients ", "servers ", "connections ", "outcomes", "failed ", "packets ", "bytes ",
		"setup p50 ", "p95 ", "p99 ", "resent "}
	owned := slices.ContainsFunc(s.Services, func(v Service) bool { return v.Processes() != "" })
	if owned {
		titles = append(titles, "process")
	}
	t := m.table(titles...)
	for _, v := range s.Services {
		name := v.Name
		if name != "" && !v.Proven {
			name = "~" + name
		}
		port := v.Protocol
		if v.HasPort {
			port += "/" + v.portList()
		}
		p50, p95, p99 := markdownQuantiles(&v.Setup)
		cells := []string{markdownCell(name), markdownText(port), markdownEstimate(v.Clients, v.ClientsApproximate), markdownEstimate(v.Servers, v.ServersApproximate),
			humanCount(v.Tally.Connections), markdownOutcomes(&v.Tally.Outcomes), humanCount(v.Tally.Failed),
			humanCount(v.Tally.Packets), humanCount(v.Tally.Bytes), p50, p95, p99, markdownText(resentShare(&v))}
		if owned {
			cells = append(cells, markdownCell(v.Processes()))
		}
		t.row(cells...)
	}
	if slices.ContainsFunc(s.Services, func(v Service) bool { return v.Name != "" && !v.Proven }) {
		m.buf = append(m.buf, "\n"+`\~ only the port suggests the name.`+"\n"...)
	}
	if s.guessesProcesses() {
		m.buf = append(m.buf, "\n"+`\~ before a process: it listens, another one may have served.`+"\n"...)
	}
}

// markdownEstimate is a count, marked where it is an estimate.
func markdownEstimate(n uint64, approximate bool) string {
	if approximate {
		return "≈ " + humanCount(n)
	}
	return humanCount(n)
}

// markdownCell is text as Markdown, or a dash for none.
func markdownCell(s string) string {
	if s == "" {
		return "–"
	}
	return markdownText(s)
}

func (m *markdown) listeners(h *Host) {
	if h == nil || len(h.Unvisited) == 0 {
		return
	}
	m.heading(2, "Listening, nobody talked to")
	t := m.table("proto", "address", "service", "process", "reach")
	for i := range h.Unvisited {
		l := &h.Unvisited[i]
		t.row(markdownText(l.Protocol), markdownText(l.Address.String()), markdownCell(l.Service), markdownCell(l.Processes()), cmp.Or(l.scope(), "–"))
	}
	m.buf = append(m.buf, "\n"+h.UnvisitedCount()+".\n"...)
}

func (m *markdown) tunnels(s *Summary) {
	if len(s.Tunnels) == 0 {
		return
	}
	m.heading(2, "Tunnels")
	t := m.table("kind", "between", "id ", "frames ", "bytes ")
	for _, u := range s.Tunnels {
		between, id := "–", "–"
		if u.A.IsValid() && u.B.IsValid() {
			between = markdownText(u.A.String() + " " + u.B.String())
		}
		if u.HasID {
			id = string(appendUint(nil, uint64(u.ID)))
		}
		t.row(markdownText(u.Kind), between, id, humanCount(u.Frames), humanCount(u.Bytes))
	}
}

func (m *markdown) connections(s *Summary) {
	m.heading(2, "Connections")
	titles := []string{"id ", "start", "proto", "client", "server", "service", "outcome", "close", "packets ", "bytes ", "duration ", "frame "}
	owned := hasOwners(s.Connections)
	if owned {
		titles = append(titles, "process")
	}
	t := m.table(titles...)
	var b []byte
	cell := func(appended []byte) string {
		b = appended
		return markdownCell(string(b))
	}
	for i := range s.Connections {
		r := &s.Connections[i]
		service := r.Service
		if r.ServiceBasis == "port" {
			service = "~" + service
		}
		duration := "–"
		if d := r.duration(); d != flow.NoDuration {
			duration = humanDuration(d)
		}
		cells := []string{cell(appendUint(b[:0], r.ID)), markdownCell(markdownTime(r.First)), protocolName(r.Protocol),
			cell(appendEndpoint(b[:0], r.Client, r.HasPorts)), cell(appendEndpoint(b[:0], r.Server, r.HasPorts)),
			markdownCell(service), r.Outcome.String(), markdownCell(r.Close.String()),
			humanCount(r.ToServer.Packets + r.ToClient.Packets), humanCount(r.ToServer.Bytes + r.ToClient.Bytes),
			duration, cell(appendEvidence(b[:0], r))}
		if owned {
			cells = append(cells, markdownCell(r.Processes()))
		}
		t.row(cells...)
	}
	m.buf = append(m.buf, '\n')
	m.buf = append(m.buf, humanCount(uint64(len(s.Connections)))+" of "+plural(s.Total.Connections, "connection")...)
	if s.Sort != "" {
		m.buf = append(m.buf, ", by "+markdownText(s.Sort)...)
	}
	m.buf = append(m.buf, ".\n"...)
}

func (m *markdown) ledger(s *Summary) {
	m.heading(2, "Ledger")
	t := m.table("counted as", "", "frames ", "bytes ")
	for _, l := range s.Ledger.Lines {
		t.row(markdownText(l.Group), markdownText(l.Name), humanCount(l.Frames), humanCount(l.Bytes))
	}
	t.row("frames read", "", humanCount(s.Ledger.Frames), humanCount(s.Bytes))
	verdict := "It balances: every frame and every connection is counted exactly once."
	if !s.Ledger.Balanced {
		verdict = "**It does not balance: an error of this program.**"
	}
	m.buf = append(m.buf, "\n"+verdict+"\n"...)
	if text := s.Ledger.MemoryShort(markdownPeriod(s.Ledger.EvictedSince, s.Ledger.EvictedUntil)); text != "" {
		m.buf = append(m.buf, "\n"+text+".\n"...)
	}
	if len(s.Problems) > 0 {
		m.buf = append(m.buf, "\nHeaders that are wrong, cut off or beyond a limit: "+problemList(s.Problems, markdownText)+".\n"...)
	}
}
