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
	Args []any  // flow.Side, flow.State, time.Duration, Port, Size, strings and numbers; see Say
	RFC  string // where that is written: "RFC 9293 §3.5"; "" for nowhere
}

// A Port is a number that is a name, no quantity.
type Port uint16

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
		case Port:
			args[i] = strconv.Itoa(int(a))
		case Size:
			args[i] = SaySize(p, uint64(a))
		case time.Duration:
			args[i] = p.Say("explain.seconds", fmt.Sprintf("%.6f", a.Seconds()))
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
