package bits

// A step takes one header of the frame and gives the step for the next; nil: there is none
// that we know.
type step func(*walk) step

// maxHeaders is how many headers of a frame are drawn. What a flood of tags or tunnels has
// behind them is payload.
const maxHeaders = 40

// A walk goes through a frame's headers. What is between pos and end is the rest of the
// innermost packet as far as it was captured.
type walk struct {
	*Drawing
	data     []byte
	pos, end int
	missing  int   // bytes of the packet behind end that are said to be, and were not captured
	ends     []int // of the packets around, outermost first, where they reach beyond those inside

	carrier carrier
	quoted  bool // inside what an error message quotes
	chunks  int  // of SCTP, so far

	unsummed bool // the capture says that checksums are not there yet
}

// A carrier is what a transport's checksum needs to know of the IP packet around.
type carrier struct {
	addresses []byte
	known     bool // addresses and length are the transport's
	whole     bool // no fragment
}

// run takes all steps, and then what has no header of its own.
func (w *walk) run(next step) {
	for next != nil {
		if len(w.Headers) >= maxHeaders {
			w.note("bits.too-many-headers", maxHeaders)
			break
		}
		next = next(w)
	}
	w.dump(Payload, "", w.end)
	for len(w.ends) > 0 {
		end := w.ends[len(w.ends)-1]
		w.ends = w.ends[:len(w.ends)-1]
		w.dump(Trailer, "", end)
	}
}

// dump adds what there is up to a place as bytes.
func (w *walk) dump(kind Kind, name string, end int) {
	if end > w.pos {
		w.Headers = append(w.Headers, Header{Kind: kind, Name: name, Offset: w.pos, Length: end - w.pos, Want: end - w.pos})
		w.pos = end
	}
}

// rest is what was captured of the innermost packet from the next header on.
func (w *walk) rest() []byte { return w.data[w.pos:w.end] }

// begin begins a header with a table's name.
func (w *walk) begin(t *table) {
	w.Headers = append(w.Headers, Header{Name: t.name, RFC: t.rfc, Offset: w.pos})
}

// header is the one that was begun last.
func (w *walk) header() *Header { return &w.Headers[len(w.Headers)-1] }

// add adds a table's fields to the header, and gives the bytes that they lie in. It reports
// false when fewer were captured than they need: the last field is cut then.
func (w *walk) add(t *table) ([]byte, bool) {
	h, b := w.header(), w.rest()
	n := min(t.size(), len(b))
	b = b[:n]
	base := (w.pos - h.Offset) * 8
	for i := range t.fields {
		f := &t.fields[i]
		if f.at >= n*8 {
			break
		}
		shown := Field{Key: "bits." + f.key, Label: f.label, RFC: f.rfc, At: base + f.at, Bits: f.bits}
		if shown.RFC == "" {
			shown.RFC = t.rfc
		}
		if f.at+f.bits > n*8 {
			shown.Bits, shown.Cut = n*8-f.at, true
		} else {
			v := value{raw: b[f.at/8 : (f.at+f.bits+7)/8]}
			if f.bits <= 64 {
				v.n = bitsAt(b, f.at, f.bits)
			}
			shown.Short, shown.Value = f.format.of(v)
		}
		h.Fields = append(h.Fields, shown)
	}
	w.advance(n)
	if n < t.size() {
		w.want(w.pos-n, t.size())
		return b, false
	}
	return b, true
}

// addAll adds tables one after the other.
func (w *walk) addAll(parts []*table) bool {
	for _, t := range parts {
		if _, ok := w.add(t); !ok {
			return false
		}
	}
	return true
}

// bytes adds a field of n bytes without a table. It reports false when it is cut.
func (w *walk) bytes(n int, key, label string) bool {
	if n <= 0 {
		return true
	}
	got := min(n, w.end-w.pos)
	if got > 0 {
		h := w.header()
		f := Field{Key: "bits." + key, Label: label, RFC: h.RFC, At: (w.pos - h.Offset) * 8, Bits: got * 8, Cut: got < n}
		if !f.Cut {
			f.Short, f.Value = octets.of(value{raw: w.rest()[:n]})
		}
		h.Fields = append(h.Fields, f)
		w.advance(got)
	}
	if got < n {
		w.want(w.pos-got, n)
		return false
	}
	return true
}

func (w *walk) advance(n int) {
	w.pos += n
	h := w.header()
	h.Length += n
	h.Want = max(h.Want, h.Length)
}

// cut says that the header goes on behind what was captured.
func (w *walk) cut() bool {
	w.want(w.pos, 1)
	return false
}

// want says that the header has n bytes from a place on, of which not all were captured.
func (w *walk) want(from, n int) {
	h := w.header()
	h.Want = max(h.Want, from-h.Offset+n)
	switch {
	case h.Want == h.Length:
	case w.quoted:
		h.End = QuoteEnds
	case h.Offset+h.Want <= w.end+w.missing:
		h.End = CaptureEnds
	default:
		h.End = PacketEnds
	}
}

// enclose ends the innermost packet n bytes from here, as its header says.
func (w *walk) enclose(n int, lie string) bool { return w.encloseFrom(w.pos, n, lie) }

// encloseFrom likewise n bytes from a place. It reports false, and says so with a sentence,
// when the packet around ends before.
func (w *walk) encloseFrom(start, n int, lie string) bool {
	end := max(start+n, w.pos)
	switch {
	case end <= w.end:
		if end < w.end {
			w.ends = append(w.ends, w.end)
		}
		w.end, w.missing = end, 0
	case end <= w.end+w.missing || w.quoted:
		w.missing = end - w.end
	default:
		w.note(lie, n, w.end+w.missing-start)
		return false
	}
	return true
}

// note says something of the header that was begun last.
func (w *walk) note(key string, args ...any) {
	if len(w.Headers) == 0 {
		return
	}
	h := w.header()
	h.Notes = append(h.Notes, Note{key, args})
}
