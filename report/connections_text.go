package report

import (
	"net/netip"
	"slices"
	"strconv"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A lineWriter writes one line for each connection, for people: the columns that
// fit the width, each at its place, "-" where nothing is known. A line with long
// addresses goes without the columns it needs least. The header has the date, and
// comes again when the date changes.
type lineWriter struct {
	output
	line
	width    int // no line is wider; 0 means any
	cells    []lineCell
	digits   int // of the second's fraction
	color    bool
	ascii    bool
	noHeader bool
	events   bool
	names    bool // of processes, without their numbers
	location *time.Location
	headed   bool
	scratch  []byte
	day      string // of the header above
}

// A lineCell is one column of the line.
type lineCell struct {
	name  string
	width int
	right bool
	rank  int // columns of a lower rank are kept when the line is narrow; 0: always
	get   func(w *lineWriter, b []byte, r *Row) []byte
}

// Ranks of the columns that lines go without only when they must, and of the one that
// only some sources have.
const (
	rankProtocol = 1
	rankArrow    = 2
	rankTime     = 5
	rankProcess  = 6
)

// shortProcess is the width of the column of processes on lines too narrow for their numbers.
const shortProcess = 8

// lineCells are the columns in the order of the line. The first seven fit 80 cells; where
// processes are known, their names do so instead of the service.
var lineCells = []lineCell{
	{"time", 8, false, rankTime, (*lineWriter).appendTime},
	{"proto", 4, false, rankProtocol, func(_ *lineWriter, b []byte, r *Row) []byte { return append(b, protocolName(r.Protocol)...) }},
	{"client", 21, true, 0, func(_ *lineWriter, b []byte, r *Row) []byte { return appendEndpoint(b, r.Client, r.HasPorts) }},
	{"", 1, false, rankArrow, (*lineWriter).appendArrow},
	{"server", 21, false, 0, func(_ *lineWriter, b []byte, r *Row) []byte { return appendEndpoint(b, r.Server, r.HasPorts) }},
	{"service", 7, false, 7, (*lineWriter).appendService},
	{"outcome", 11, false, 0, (*lineWriter).appendOutcome},
	{"process", 16, false, rankProcess, (*lineWriter).appendProcesses},
	{"close", 6, false, 8, (*lineWriter).appendClose},
	{"pkts>", 5, true, 11, func(_ *lineWriter, b []byte, r *Row) []byte { return appendScaled(b, r.ToServer.Packets) }},
	{"<pkts", 5, true, 11, func(_ *lineWriter, b []byte, r *Row) []byte { return appendScaled(b, r.ToClient.Packets) }},
	{"bytes>", 6, true, 9, func(_ *lineWriter, b []byte, r *Row) []byte { return appendScaled(b, r.ToServer.Bytes) }},
	{"<bytes", 6, true, 9, func(_ *lineWriter, b []byte, r *Row) []byte { return appendScaled(b, r.ToClient.Bytes) }},
	{"duration", 8, true, 10, func(w *lineWriter, b []byte, r *Row) []byte { return appendSpan(b, r.duration(), w.ascii) }},
	{"syn_rtt", 7, true, 12, func(w *lineWriter, b []byte, r *Row) []byte { return appendSpan(b, r.SYNRTT, w.ascii) }},
	{"frame", 7, true, 13, func(_ *lineWriter, b []byte, r *Row) []byte { return appendEvidence(b, r) }},
	{"flags", 12, false, 14, appendShortFlags},
}

// eventCell is the column of events, whose words are as short as ss has them.
var eventCell = lineCell{"event", 5, false, 0, func(_ *lineWriter, b []byte, r *Row) []byte {
	return append(b, [flow.NumEvents]string{"", "open", "estab", "ended"}[r.Event]...)
}}

func newLineWriter(out output, o ConnectionOptions) *lineWriter {
	w := &lineWriter{output: out, width: o.Width, color: o.Color, ascii: o.ASCII, noHeader: o.NoHeader, events: o.Events, location: o.Location}
	if w.location == nil {
		w.location = time.Local
	}
	w.cells = slices.Clone(lineCells)
	if !o.Processes {
		w.cells = slices.DeleteFunc(w.cells, func(c lineCell) bool { return c.rank == rankProcess })
	}
	if o.Events {
		w.cells = slices.Insert(w.cells, 1, eventCell)
	}
	if w.noHeader {
		w.cells[0].width += len("2006-01-02 ")
	}
	total := func() int {
		n := -1
		for _, c := range w.cells {
			n += c.width + 1
		}
		return n
	}
	for o.Width > 0 && total() > o.Width {
		last := slices.MaxFunc(w.cells, func(a, b lineCell) int { return a.rank - b.rank })
		if last.rank == 0 {
			break
		}
		if last.rank == rankProcess && last.width > shortProcess {
			w.setWidth(last.name, shortProcess)
			w.names = true
			continue
		}
		w.cells = slices.DeleteFunc(w.cells, func(c lineCell) bool { return c.rank == last.rank })
	}
	for o.Width > 0 && total() > max(o.Width, narrowest) {
		for i := range w.cells {
			if isEndpoint(&w.cells[i]) {
				w.cells[i].width--
			}
		}
	}
	if w.cells[0].name == "time" {
		for _, digits := range [...]int{6, 3} {
			if o.Width == 0 || total()+1+digits <= o.Width {
				w.digits = digits
				w.cells[0].width += 1 + digits
				break
			}
		}
	}
	w.line.parts = make([]part, len(w.cells))
	if o.Began != 0 {
		w.writeHeader(o.Began)
	}
	return w
}

// Write writes r.
func (w *lineWriter) Write(r *Row) error {
	w.writeHeader(w.timeOf(r))
	w.line.text = w.line.text[:0]
	for i := range w.cells {
		from := len(w.line.text)
		w.line.text = w.cells[i].get(w, w.line.text, r)
		if len(w.line.text) == from {
			w.line.text = append(w.line.text, '-')
		}
		text := w.line.text[from:]
		w.line.parts[i] = part{from: from, to: len(w.line.text), width: widthOf(text)}
	}
	if w.width > 0 {
		w.fit()
	}
	w.grid.start(w.buf)
	for i := range w.cells {
		c, p := &w.cells[i], &w.line.parts[i]
		switch {
		case p.width == 0 && w.line.tight:
		case p.width == 0:
			w.grid.skip(c.width)
		case c.right:
			w.grid.right(w.line.text[p.from:p.to], c.width)
		case w.color && c.name == "outcome" && r.Failed() && !w.opens(r):
			w.grid.left(w.line.text[p.from:p.to], c.width, colourFailed)
		default:
			w.grid.left(w.line.text[p.from:p.to], c.width, "")
		}
	}
	w.buf = append(w.grid.buf, '\n')
	return w.row()
}

// Close flushes.
func (w *lineWriter) Close() error { return w.Flush() }

// writeHeader writes the header if none is there yet, or if t is of another day
// than the one above. The first column's name is the date.
func (w *lineWriter) writeHeader(t capture.Timestamp) {
	if w.noHeader {
		return
	}
	day := w.day
	if t.Known() {
		var text [len("2006-01-02")]byte
		if b := t.Time().In(w.location).AppendFormat(text[:0], time.DateOnly); string(b) != day {
			day = string(b)
		}
	}
	if w.headed && day == w.day {
		return
	}
	w.headed, w.day = true, day
	w.grid.start(w.buf)
	for _, c := range w.cells {
		name := c.name
		if name == "time" && day != "" {
			name = day
			if c.width < len(day) {
				name = day[len("2006-"):]
			}
		}
		w.line.text = append(w.line.text[:0], name...)
		switch {
		case name == "":
			w.line.text = w.appendArrow(w.line.text, nil)
			w.grid.left(w.line.text, c.width, "")
		case c.right:
			w.grid.right(w.line.text, c.width)
		default:
			w.grid.left(w.line.text, c.width, "")
		}
	}
	line := w.grid.buf[len(w.buf):]
	if w.color {
		w.line.text = append(w.line.text[:0], line...)
		w.buf = append(append(append(w.buf, colourHeader...), w.line.text...), colourOff...)
	} else {
		w.buf = w.grid.buf
	}
	w.buf = append(w.buf, '\n')
}

// opens reports whether r is the event that a connection opens: what becomes of it is not
// known yet.
func (w *lineWriter) opens(r *Row) bool { return w.events && r.Event == flow.Opened }

func (w *lineWriter) appendOutcome(b []byte, r *Row) []byte {
	if w.opens(r) {
		return b
	}
	return append(b, r.Outcome.String()...)
}

func (w *lineWriter) appendClose(b []byte, r *Row) []byte {
	if w.opens(r) {
		return b
	}
	return append(b, r.Close.String()...)
}

// timeOf is the time of r's first packet; of an event that of its own packet, which is
// the last one there was when it was told.
func (w *lineWriter) timeOf(r *Row) capture.Timestamp {
	if w.events {
		return r.Last
	}
	return r.First
}

// appendTime appends the time of r, with the date where no header has it.
func (w *lineWriter) appendTime(b []byte, r *Row) []byte {
	when := w.timeOf(r)
	if !when.Known() {
		return b
	}
	t := when.Time().In(w.location)
	layout := "15:04:05.000000"
	if w.noHeader {
		layout = "2006-01-02T15:04:05.000000"
	}
	switch w.digits {
	case 0:
		layout = layout[:len(layout)-7]
	case 3:
		layout = layout[:len(layout)-3]
	}
	return t.AppendFormat(b, layout)
}

func (w *lineWriter) appendArrow(b []byte, _ *Row) []byte {
	if w.ascii {
		return append(b, '>')
	}
	return append(b, "→"...)
}

// appendService appends the service's name, after "~" when only the port suggests it.
func (w *lineWriter) appendService(b []byte, r *Row) []byte {
	if r.Service == "" {
		return b
	}
	if r.ServiceBasis == "port" {
		b = append(b, '~')
	}
	if w.ascii {
		return appendEscapedASCII(b, r.Service)
	}
	return appendEscaped(b, r.Service)
}

// setWidth sets the width of a column.
func (w *lineWriter) setWidth(name string, width int) {
	for i := range w.cells {
		if w.cells[i].name == name {
			w.cells[i].width = width
		}
	}
}

// appendProcesses appends "curl[4711]→nginx[80]", or "curl→nginx" on a narrow line.
func (w *lineWriter) appendProcesses(b []byte, r *Row) []byte {
	arrow := "→"
	if w.ascii {
		arrow = "->"
	}
	name := appendProcess
	if w.names {
		name = appendProcessName
	}
	w.scratch = r.appendProcesses(w.scratch[:0], arrow, name)
	if w.ascii {
		return appendEscapedASCII(b, w.scratch)
	}
	return appendEscaped(b, w.scratch)
}

// appendEndpoint appends "192.0.2.1:443", "[2001:db8::1]:443" or the address alone.
func appendEndpoint(b []byte, p netip.AddrPort, hasPort bool) []byte {
	a := p.Addr().WithZone("")
	switch {
	case !a.IsValid():
		return b
	case hasPort:
		return netip.AddrPortFrom(a, p.Port()).AppendTo(b)
	}
	return a.AppendTo(b)
}

// appendEvidence appends the number of the frame to look at first.
func appendEvidence(b []byte, r *Row) []byte {
	if frame := r.evidenceFrame(); frame > 0 {
		return strconv.AppendUint(b, frame, 10)
	}
	return b
}

// appendShortFlags appends the words of the flags with commas between them.
func appendShortFlags(_ *lineWriter, b []byte, r *Row) []byte {
	start := len(b)
	b, ok := appendFlags(b, r, nil)
	if !ok {
		return b[:start]
	}
	for i := start; i < len(b); i++ {
		if b[i] == listSeparator {
			b[i] = ','
		}
	}
	return b
}
