package decode

import (
	"math/rand/v2"
	"testing"
)

// The words that OptionsFit passes at once are what option by option fits, too.
func TestOptionsFit(t *testing.T) {
	words := [][]byte{join("02 04 05b4"), join("01 03 03 07"), join("01 01 04 02"), join("04 02 08 0a 00000001 00000002"),
		join("01 01 08 0a 00000001 00000002"), join("04 02 08 0a"), join("01 01 08 0a 00000001"), join("01 01 01 00"),
		join("02 04 05"), join("02 05 05b4"), join("08 0a 00000001"), join("05 0a"), join("00 02 03 04"), join("fe"), join("01 02 04 05 b4 01")}
	r := rand.New(rand.NewPCG(3, 4))
	fit := 0
	for range 20_000 {
		var b []byte
		for range r.IntN(6) {
			b = append(b, words[r.IntN(len(words))]...)
		}
		want := anyOptionsFit(b)
		if got := OptionsFit(b); got != want {
			t.Fatalf("%x: %v, option by option %v", b, got, want)
		}
		if want {
			fit++
		}
	}
	if fit < 2000 || fit > 18_000 {
		t.Errorf("%d of 20000 fit", fit)
	}
}
