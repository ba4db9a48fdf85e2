package page

import (
	"html/template"
	"slices"
	"strconv"
	"strings"
	"time"

	"sockscope/report"
)

// Limits of what one page shows; the other formats have all of it. The page says
// what it leaves out.
const (
	maxServices  = 1000
	maxTroubles  = 200
	openTroubles = 12 // shown without being asked for
	maxTunnels   = 500
)

// A view is what the templates show: a Summary's numbers as text. Every string
// of it that comes off the wire, out of a file or from the user has gone through
// report.EscapeText.
type view struct {
	Policy string
	Style  template.CSS
	Script template.JS

	Title   string
	Live    bool // this host's kernel was asked
	Inputs  []input
	Facts   []fact
	Verdict verdict
	Lesson  *lesson

	Trouble, MoreTrouble []trouble
	TroubleCut           string

	Bars     []bars
	Timeline *timeline
	Groups   []group

	Ranges  []portRange
	Clients []portion
	Own     string // how many client ports lie in this host's own range
	Roles   []portion

	Services    []service
	ServicesCut string
	Processes   bool // Services name some
	Guesses     bool // of which some only listen
	Listeners   listeners
	Tunnels     []tunnel
	TunnelsCut  string

	Connections connections
	Ledger      ledger
}

// An input is one file or interface of the header.
type input struct {
	Name, About string
	Damage      []string
	Notes       []string
}

// A fact is a line of the header.
type fact struct {
	Name, Text, Exact string
	Bad               bool
}

// A verdict is the answer in one or two sentences.
type verdict struct {
	Text, Trouble string
	Class         string // "fine", "note", "warning" or "problem"
	Caveats       []string
}

// A lesson explains port and socket with the busiest server endpoint of this capture.
type lesson struct {
	Doors                string // addresses with a port that clients tried
	Entered              string // how many of them let somebody in
	Socket, Service      string // of the busiest
	Connections, Clients string // through it
	Client               string // a client's socket on the other side; "" when none is listed
}

// A trouble is one line of what is wrong.
type trouble struct {
	Class, Severity string
	Subject, Text   string
	Facts           string
	Frames          string
	Filter          string // a display filter that shows the frames
}

// newView makes the view of s.
func newView(s *report.Summary) *view {
	v := &view{
		Policy: contentPolicy(),
		Style:  template.CSS(styleSheet),
		Script: template.JS(script),

		Title:    title(s),
		Live:     s.Host != nil,
		Inputs:   inputs(s),
		Facts:    facts(s),
		Verdict:  newVerdict(s),
		Lesson:   newLesson(s),
		Timeline: newTimeline(&s.Timeline),
		Ranges:   portRanges(s),
		Clients:  clientRanges(s),
		Roles:    roles(s),
		Ledger:   newLedger(s),

		Connections: newConnections(s),
	}
	if s.Total.Connections > 0 {
		v.Bars = []bars{rangeBars(s), serviceBars(s), outcomeBars(s)}
		for g, n := range groupCounts(&s.Total) {
			if n > 0 {
				v.Groups = append(v.Groups, group(g))
			}
		}
	}
	v.Services, v.ServicesCut = services(s)
	for i := range v.Services {
		v.Processes = v.Processes || v.Services[i].Process != ""
		v.Guesses = v.Guesses || strings.HasPrefix(v.Services[i].Process, "~")
	}
	if s.Host != nil {
		v.Own = strings.TrimSpace(s.Host.ClientPorts())
		v.Listeners = newListeners(s.Host)
	}
	v.Tunnels, v.TunnelsCut = tunnels(s)
	v.setTrouble(s)
	return v
}

// title names the inputs: the first, and how many more there are.
func title(s *report.Summary) string {
	if len(s.Inputs) == 0 {
		return "no input"
	}
	name := inputName(lastElement(s.Inputs[0].Name))
	if n := len(s.Inputs) - 1; n > 0 {
		name += " and " + count(uint64(n)) + " more"
	}
	return name
}

// lastElement is a file's name without its folders.
func lastElement(name string) string {
	if i := strings.LastIndexAny(name, `/\`); i >= 0 && i < len(name)-1 {
		return name[i+1:]
	}
	return name
}

// inputName is an input's name for the reader.
func inputName(name string) string {
	if name == "-" {
		return "standard input"
	}
	return report.EscapeText(name)
}

func inputs(s *report.Summary) []input {
	var list []input
	for i := range s.Inputs {
		in := &s.Inputs[i]
		about := []string{}
		for _, word := range []string{in.Format, in.Compression} {
			if word != "" {
				about = append(about, word)
			}
		}
		about = append(about, counted(in.Frames, "frame"), byteSize(in.Bytes).Text)
		item := input{Name: inputName(in.Name), About: strings.Join(about, ", ")}
		for _, d := range in.Damage {
			item.Damage = append(item.Damage, report.EscapeText(d.String()))
		}
		for _, a := range report.Oddities(in) {
			item.Notes = append(item.Notes, report.EscapeText(a.Name)+": "+count(a.N))
		}
		for _, n := range in.Notes {
			item.Notes = append(item.Notes, report.EscapeText(n))
		}
		list = append(list, item)
	}
	return list
}

func facts(s *report.Summary) []fact {
	var list []fact
	add := func(name, text, exact string) { list = append(list, fact{Name: name, Text: text, Exact: exact}) }
	if s.First.Known() && s.Last.Known() {
		if d, ok := s.Last.Sub(s.First); ok {
			q := duration(d)
			add("Time span", q.Text, q.Exact)
		}
		add("First frame", instant(s.First.Time())+" UTC", "")
		add("Last frame", instant(s.Last.Time())+" UTC", "")
	} else if s.Frames > 0 {
		add("Time span", "unknown", "")
	}
	add("Frames", count(s.Frames), "")
	q := byteSize(s.Bytes)
	add("On the wire", q.Text, q.Exact)
	if s.Captured != s.Bytes {
		q := byteSize(s.Captured)
		add("Captured", q.Text, q.Exact)
	}
	add("Connections", count(s.Total.Connections), "")
	var links []string
	for _, l := range s.Links {
		text := l.Link.String()
		if len(s.Links) > 1 {
			text += " (" + count(l.Frames) + ")"
		}
		links = append(links, text)
	}
	if len(links) > 0 {
		add("Link type", strings.Join(links, ", "), "")
	}
	if names := interfaces(s); names != "" {
		add("Interface", names, "")
	}
	if s.Drops > 0 {
		list = append(list, fact{Name: "Dropped while capturing", Text: counted(s.Drops, "frame"), Bad: true})
	}
	return list
}

// maxInterfaces is the number of interfaces that the header names.
const maxInterfaces = 6

// interfaces names the interfaces that have names.
func interfaces(s *report.Summary) string {
	var names []string
	for i := range s.Interfaces {
		name := report.EscapeText(s.Interfaces[i].Name)
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
		if len(names) > maxInterfaces {
			return strings.Join(names[:maxInterfaces], ", ") + " and more"
		}
	}
	return strings.Join(names, ", ")
}

// newVerdict says first what a reader opens the page for: did it work.
func newVerdict(s *report.Summary) verdict {
	v := verdict{Class: "fine"}
	total := s.Total.Connections
	n := groupCounts(&s.Total)
	failed, how := failures(&s.Total)
	switch {
	case s.Frames == 0:
		v.Class, v.Text = "note", "There are no packets in this input."
	case total == 0:
		v.Class, v.Text = "note", "There are no connections in "+counted(s.Frames, "frame")+"."
	case n[worked] == total && total == 1:
		v.Text = "The one connection worked."
	case n[worked] == total:
		v.Text = "All " + count(total) + " connections worked."
	case failed > 0:
		v.Text = count(failed) + " of " + counted(total, "connection") + " failed: " + how + "."
	default:
		var parts []string
		for _, o := range outcomeCounts(&s.Total) {
			if o.N > 0 {
				parts = append(parts, o.Count()+" "+o.Name)
			}
		}
		v.Text = "No connection is known to have failed: " + counted(total, "connection") + ", " + strings.Join(parts, ", ") + "."
	}

	worst := -1
	raise := func(to report.Severity) { worst = max(worst, int(to)) }
	var bySeverity [report.Problem + 1]uint64
	for i := range s.Trouble {
		severity := min(s.Trouble[i].Severity, report.Problem)
		bySeverity[severity]++
		raise(severity)
	}
	var parts []string
	for i := range bySeverity {
		if severity := report.Problem - report.Severity(i); bySeverity[severity] > 0 {
			parts = append(parts, counted(bySeverity[severity], severityWord(severity)))
		}
	}
	if s.Worse > 0 {
		parts = append(parts, count(s.Worse)+" more that are not listed")
	}
	switch {
	case len(parts) > 0:
		v.Trouble = strings.Join(parts, ", ") + "; the worst comes first below."
	case total > 0:
		v.Trouble = "Nothing wrong was found."
	}

	var damaged uint64
	for i := range s.Inputs {
		if len(s.Inputs[i].Damage) > 0 {
			damaged++
		}
	}
	if damaged > 0 {
		raise(report.Warning)
		v.Caveats = append(v.Caveats, counted(damaged, "input")+" could not be read in full: the numbers are of what was read.")
	}
	if s.Drops > 0 {
		raise(report.Warning)
		v.Caveats = append(v.Caveats, "The capturing side lost "+counted(s.Drops, "frame")+": missing answers may be missing frames.")
	}
	if !s.Ledger.Balanced {
		raise(report.Problem)
		v.Caveats = append(v.Caveats, "The ledger does not balance: an error of this program. Do not rely on the numbers.")
	}
	if worst >= 0 {
		v.Class = severityWord(report.Severity(worst))
	}
	return v
}

func severityWord(s report.Severity) string { return min(s, report.Problem).String() }

// newLesson takes the busiest endpoint as its example; nil when no connection worked.
func newLesson(s *report.Summary) *lesson {
	d := &s.Doors
	if !d.Busiest.IsValid() {
		return nil
	}
	l := &lesson{
		Doors:       counted(d.Endpoints, "address:port pair"),
		Entered:     count(d.Entered),
		Socket:      d.Busiest.String(),
		Service:     report.EscapeText(d.Service),
		Connections: counted(d.Connections, "connection"),
		Clients:     counted(d.Clients, "client"),
	}
	if d.Approximate {
		l.Doors = "at least " + l.Doors
		l.Entered = "at least " + l.Entered
	}
	if d.ClientsApproximate {
		l.Clients = "about " + l.Clients
	}
	for i := range s.Connections {
		r := &s.Connections[i]
		if r.Server == d.Busiest && protocolName(r.Protocol) == d.Protocol && rowGroup(r) == worked {
			l.Client = r.Client.String()
			break
		}
	}
	return l
}

// setTrouble words s.Trouble and cuts it where a page is no place for more.
func (v *view) setTrouble(s *report.Summary) {
	var list []trouble
	for i := range s.Trouble {
		if i == maxTroubles {
			v.TroubleCut = "The first " + count(maxTroubles) + " of " + count(uint64(len(s.Trouble))+s.Worse) + " findings, the worst; the json format has more."
			break
		}
		list = append(list, newTrouble(s, &s.Trouble[i]))
	}
	if v.TroubleCut == "" && s.Worse > 0 {
		v.TroubleCut = counted(s.Worse, "finding") + " more, none worse than these."
	}
	v.Trouble = list
	// One line more is shown rather than hidden behind a line that says so.
	if len(list) > openTroubles+1 {
		v.Trouble, v.MoreTrouble = list[:openTroubles], list[openTroubles:]
	}
}

func newTrouble(s *report.Summary, t *report.Trouble) trouble {
	word := severityWord(t.Severity)
	w := trouble{
		Class:    word,
		Severity: strings.ToUpper(word[:1]) + word[1:],
		Subject:  report.EscapeText(t.Subject),
		Text:     report.EscapeText(t.Text),
	}
	facts := []string{report.EscapeText(t.Kind)}
	if noun := troubleNoun(t.Kind); t.Count > 0 && noun != "" {
		n := counted(t.Count, noun)
		if t.AtLeast {
			n = "at least " + n
		}
		facts = append(facts, n)
	}
	if at := when(t, s); at != "" {
		facts = append(facts, at)
	}
	w.Facts = strings.Join(facts, ", ")
	if len(t.Frames) > 0 {
		var shown, plain []string
		for _, f := range t.Frames {
			shown = append(shown, count(f))
			plain = append(plain, strconv.FormatUint(f, 10))
		}
		noun := "frame "
		if len(shown) > 1 {
			noun = "frames "
		}
		w.Frames = noun + strings.Join(shown, " · ")
		if t.Count > uint64(len(t.Frames)) {
			w.Frames += " · …"
		}
		w.Filter = "frame.number in {" + strings.Join(plain, ", ") + "}"
	}
	return w
}

// when is "09:00:03–09:00:04 UTC (2.99 s to 3.45 s after the first frame)": the
// clock for those who compare with logs, with the date where it is not that of
// the capture's first frame. It is "" when the time is not known.
func when(t *report.Trouble, s *report.Summary) string {
	first := s.First
	if !t.Since.Known() {
		return ""
	}
	day := ""
	if first.Known() {
		day = first.Time().UTC().Format(time.DateOnly)
	}
	clock := func(at time.Time) string {
		if d := at.Format(time.DateOnly); d != day {
			day = d
			return at.Format(time.DateTime)
		}
		return at.Format(time.TimeOnly)
	}
	text := clock(t.Since.Time())
	if t.Until.Known() {
		if until := clock(t.Until.Time()); !strings.HasSuffix(text, until) {
			text += "–" + until
		}
	}
	text += " UTC"
	since, ok := t.Since.Sub(first)
	if !ok || since < 0 {
		return text
	}
	offset := duration(since).Text
	if until, ok := t.Until.Sub(first); ok && duration(until).Text != offset {
		offset += " to " + duration(until).Text
	}
	return text + " (" + offset + " after the first frame)"
}

// troubleNoun is what a finding's number counts; "" when the number tells nothing.
func troubleNoun(kind string) string {
	switch kind {
	case "damage", "kernel-incomplete":
		return ""
	case "drops", "undecodable":
		return "frame"
	}
	return "connection"
}
