package decode

import (
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"sockscope/capture"

	"github.com/google/go-cmp/cmp"
)

// Options are usual when there are none, or timestamps after two NOPs and nothing else.
func TestUsualOptions(t *testing.T) {
	const begin = 54
	timestamps := join("01 01 08 0a 00000001 00000002")
	for _, tt := range []struct {
		name    string
		options []byte
		want    bool
	}{
		{"none", nil, true},
		{"timestamps", timestamps, true},
		{"timestamps that end early", timestamps[:8], false},
		{"timestamps and more", join(timestamps, "01 01 01 00"), false},
		{"twelve other bytes", join("02 04 05b4 01 03 03 07 01 01 04 02"), false},
		{"zeros", make([]byte, 12), false},
		{"one word", timestamps[:4], false},
		{"as many as fit", make([]byte, 40), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			frame := append(make([]byte, begin), tt.options...)
			for _, payload := range []int{0, 1, 100} {
				frame := append(frame, make([]byte, payload)...)
				if got := usualOptions(frame, begin, begin+len(tt.options)); got != tt.want {
					t.Errorf("%d bytes of payload: %v, want %v", payload, got, tt.want)
				}
			}
		})
	}
}

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

// Whatever is done to a common frame, the common way says what the general way says.
func TestTheCommonWaySaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	frames := [][]byte{eth(0x0800, ip4(6, hello.bytes()))}
	named := benchmarkFrames()
	for _, name := range slices.Sorted(maps.Keys(named)) {
		frames = append(frames, named[name])
	}
	common := 0
	for range 50_000 {
		frame := append([]byte(nil), frames[r.IntN(len(frames))]...)
		for range r.IntN(3) {
			i := r.IntN(min(len(frame), 80)) // headers
			frame[i] ^= 1 << r.IntN(8)
		}
		wire := len(frame) + r.IntN(2)*r.IntN(2000)
		if r.IntN(4) == 0 {
			frame = frame[:r.IntN(len(frame)+1)]
		}
		var quick, general Packet
		if !quick.common(frame, uint32(wire)) {
			continue
		}
		common++
		general.decode(frame, max(wire, len(frame)), capture.LinkEthernet)
		if !reflect.DeepEqual(general.valid(), quick.valid()) {
			t.Fatalf("frame %x, %d bytes on the wire (-general +common):\n%s", frame, wire, cmp.Diff(general.valid(), quick.valid()))
		}
	}
	if common < 10_000 {
		t.Errorf("only %d frames were common ones", common)
	}
}
