package decode

import (
	"math/rand/v2"
	"testing"
)

// The options that most SYNs have, read at once, are what they are one by one; and no others
// are taken for them.
func TestParseUsual(t *testing.T) {
	usual := [][]byte{
		{2, 4, 0x05, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 3, 3, 7}, // Linux
		{2, 4, 0x05, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2},                          // Windows
	}
	r := rand.New(rand.NewPCG(1, 2))
	quick := 0
	for n := range 20000 {
		b := append([]byte(nil), usual[n%2]...)
		if n > 1 {
			for range 1 + r.IntN(2) {
				b[r.IntN(len(b))] = byte(r.IntN(12))
			}
			b = b[:len(b)-r.IntN(2)*r.IntN(len(b))]
		}
		var one, other TCPOptions
		other.parseAny(b)
		if one.parseUsual(b) {
			quick++
		} else if n < 2 {
			t.Errorf("% x is nothing usual", b)
			continue
		} else {
			continue
		}
		if one != other {
			t.Errorf("% x: %+v, want %+v", b, one, other)
		}
	}
	if quick < 1000 {
		t.Errorf("only %d were usual", quick)
	}
}
