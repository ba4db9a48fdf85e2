package explain

import (
	"fmt"
	"strconv"
	"time"

	"sockscope/decode/flow"
	"sockscope/report/words"
)

// A Note is a sentence for the reader, as data: a key of the catalogue, and what is put in.
type Note struct {
	Key  string
	Args []any  // flow.Side, flow.State, time.Duration, Number, Size, strings and quantities
	RFC  string // where that is written: "RFC 9293 §3.5"; "" for nowhere
}

// A Number is a name, no quantity: of a port, of a frame.
type Number uint64

// A Size is a number of bytes.
type Size uint64

// Say is the sentence in the printer's language, without the RFC.
func (n *Note) Say(p *words.Printer) string {
	args := make([]any, len(n.Args))
	for i, a := range n.Args {
		switch a := a.(type) {
		case flow.Side:
			args[i] = SayName(p, a)
		case flow.State:
			args[i] = a.String()
		case Number:
			args[i] = strconv.FormatUint(uint64(a), 10)
		case Size:
			args[i] = SaySize(p, uint64(a))
		case time.Duration:
			args[i] = sayDuration(a)
		default:
			args[i] = a
		}
	}
	return p.Say(n.Key, args...)
}

// SayName is what a side is called.
func SayName(p *words.Printer, side flow.Side) string {
	if side == flow.ServerSide {
		return p.Say("explain.server")
	}
	return p.Say("explain.client")
}

// SaySize is a number of bytes, of large ones rounded.
func SaySize(p *words.Printer, n uint64) string {
	if n < 10_000 {
		return p.Say("explain.bytes", int(n))
	}
	v, unit := float64(n)/1000, 0
	for units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}; ; unit++ {
		if v < 999.5 || unit == len(units)-1 {
			if v < 9.95 {
				return fmt.Sprintf("%.1f %s", v, units[unit])
			}
			return fmt.Sprintf("%.0f %s", v, units[unit])
		}
		v /= 1000
	}
}

// sayDuration is a duration with three significant digits, in the unit that suits it.
func sayDuration(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.3g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.3g ms", float64(d)/1e6)
	case d < 1000*time.Second:
		return fmt.Sprintf("%.3g s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
