package report

import "bytes"

// A columnWriter writes chosen columns of the vocabulary as an aligned table.
type columnWriter struct {
	output
	columns []recordColumn
	widths  []int
	context context
	ascii   bool
	color   bool
	grid    grid
	scratch []byte
	raw     []byte
}

func newColumnWriter(out output, x context, chosen []recordColumn, o ConnectionOptions) *columnWriter {
	w := &columnWriter{output: out, columns: chosen, context: x, ascii: o.ASCII, color: o.Color}
	for _, c := range chosen {
		w.widths = append(w.widths, max(len(c.name), usualWidth(c)))
	}
	if o.NoHeader {
		return w
	}
	w.grid.start(w.buf)
	for i, c := range chosen {
		w.cell([]byte(c.name), i, "")
	}
	w.buf = append(w.grid.buf, '\n')
	return w
}

// usualWidth is how many terminal cells most values of a column take.
func usualWidth(c recordColumn) int {
	switch c.name {
	case "community_id":
		return 30
	case "client_ip", "server_ip", "icmp_from":
		return 15
	case "client_range", "server_range", "outcome", "duration_ns", "syn_rtt_ns", "ack_rtt_ns", "setup_ns":
		return 11
	case "start":
		return 27
	case "server_name", "unit":
		return 24
	case "cmdline":
		return 40
	}
	return 0
}

// Write writes r.
func (w *columnWriter) Write(r *Row) error {
	w.grid.start(w.buf)
	for i := range w.columns {
		c := &w.columns[i]
		var ok bool
		w.raw, ok = c.append(w.raw[:0], r, &w.context)
		w.scratch = w.scratch[:0]
		switch {
		case !ok:
			w.scratch = append(w.scratch, '-')
		case c.kind == kindText && w.ascii:
			w.scratch = appendEscapedASCII(w.scratch, w.raw)
		default:
			w.scratch = appendEscaped(w.scratch, w.raw)
		}
		colour := ""
		if w.color && c.name == "outcome" && r.Failed() {
			colour = colourFailed
		}
		w.cell(w.scratch, i, colour)
	}
	w.buf = append(bytes.TrimRight(w.grid.buf, " "), '\n')
	return w.row()
}

// cell adds column i's cell: numbers end where their column ends.
func (w *columnWriter) cell(s []byte, i int, colour string) {
	if k := w.columns[i].kind; k == kindNumber || k == kindDuration {
		w.grid.right(s, w.widths[i])
	} else {
		w.grid.left(s, w.widths[i], colour)
	}
}

// Close flushes.
func (w *columnWriter) Close() error { return w.Flush() }
