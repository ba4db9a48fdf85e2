package bits

import "strconv"

// An option is what a kind of option consists of: a head, which begins with kind and
// length, then parts of one kind as often as they fit, then bytes.
type option struct {
	head *table
	each *table // nil: bytes
	data string // key of the sentence about the bytes; "": the one for all
}

// An optionSet is how a header's options are written.
type optionSet struct {
	end, pad  int // kinds that are one byte: the end of all options, padding; -1: none
	unit      int // of the length, in bytes
	uncounted int // bytes of an option that the length does not count
	single    *table
	other     *table // head of kinds that are not known
	known     map[byte]option
}

// options adds the options up to a place in the frame, which may be behind what was
// captured. It reports false when the capture ends before, or an option does not fit.
func (w *walk) options(limit int, set *optionSet) bool {
	for w.pos < limit {
		b := w.rest()
		if len(b) == 0 {
			return w.cut()
		}
		switch kind := int(b[0]); kind {
		case set.end:
			w.add(set.single)
			return w.bytes(limit-w.pos, "option.padding", "Padding")
		case set.pad:
			w.add(set.single)
			continue
		}
		if len(b) < 2 && w.pos+1 < limit {
			w.bytes(2, "option.cut", "Option")
			return false
		}
		n := 0
		if len(b) >= 2 {
			n = int(b[1])*set.unit + set.uncounted
		}
		if n < 2 || w.pos+n > limit {
			n = min(limit, w.end) - w.pos
			w.note("bits.lie.option", strconv.Itoa(w.pos), n)
			w.bytes(n, "option.broken", "Option")
			return false
		}
		if !w.option(set, n) {
			return false
		}
	}
	return true
}

// option adds one option of n bytes.
func (w *walk) option(set *optionSet, n int) bool {
	end := w.pos + n
	o, known := set.known[w.data[w.pos]]
	if !known || o.head.size() > n {
		o = option{head: set.other}
	}
	if _, ok := w.add(o.head); !ok {
		return false
	}
	for o.each != nil && w.pos+o.each.size() <= end {
		if _, ok := w.add(o.each); !ok {
			return false
		}
	}
	key := o.data
	if key == "" {
		key = "option.data"
	}
	return w.bytes(end-w.pos, key, "Data")
}

// optionHead is the kind and length that an option begins with.
func optionHead(name, rfc, key string, kind, length format, fields ...field) *table {
	return define(name, rfc, append([]field{
		{0, 8, key, "Kind", kind, ""},
		{8, 8, "option.length", "Length", length, ""},
	}, fields...)...)
}
