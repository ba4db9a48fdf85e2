package pcapfile

// Option codes of pcapng blocks that are read (draft-ietf-opsawg-pcapng §3.5, §4).
const (
	optEnd            = 0
	optComment        = 1
	optName           = 2  // if_name
	optDescription    = 3  // if_description
	optTSResol        = 9  // if_tsresol
	optTSOffset       = 14 // if_tsoffset
	optFlags          = 2  // epb_flags
	optDropCount      = 4  // epb_dropcount
	optProcess        = 8  // epb_processid_threadid
	optInterfaceDrops = 5  // isb_ifdrop
	optSystemDrops    = 7  // isb_osdrop
)

const optHeader = 4

// options calls f with each option in b. When one says that it goes on after b it
// and what follows is dropped: that is damage, unless cut says that b is only the
// first part of the block.
func (w *pcapng) options(b []byte, cut bool, f func(code uint16, value []byte)) {
	for len(b) >= optHeader {
		code, length := w.u16(b), int(w.u16(b[2:]))
		if code == optEnd {
			return
		}
		b = b[optHeader:]
		if length > len(b) {
			w.in.count("option-dropped")
			if !cut {
				w.damage("option-length", false, "option %d: length %d exceeds block (%d bytes left)", code, length, len(b))
			}
			return
		}
		f(code, b[:length])
		b = b[min((length+3)&^3, len(b)):]
	}
	if cut {
		w.in.count("option-dropped")
	}
}
