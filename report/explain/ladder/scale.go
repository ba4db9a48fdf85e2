package ladder

import (
	"fmt"
	"math"
	"time"
)

// A scale is how much time a distance of scaleUnits stands for; 0 where no distance is to
// scale.
type scale time.Duration

const (
	scaleUnits = 100
	maxStretch = 360 // how far apart two moments are at most: more is a silence, and left out
)

// A distance is what lies between two moments of the ladder.
type distance struct {
	took  time.Duration
	known bool
	room  int // what must be between them at least
}

// scaleOf is the scale that is right for most distances, where one that makes a silence of
// another speaks against it; of several the one that needs least paper.
func scaleOf(list []distance) scale {
	var best scale
	most := math.MinInt
	for _, s := range scales {
		right, silences := 0, 0
		for i := range list {
			switch _, spacing := s.place(&list[i]); spacing {
			case toScale:
				right++
			case broken:
				silences++
			}
		}
		if right > 0 && right-silences > most {
			best, most = s, right-silences
		}
	}
	return best
}

// scales are the ones that are easy to read, the coarsest first.
var scales = func() (list []scale) {
	for unit := 100_000 * time.Second; unit >= 1; unit /= 10 {
		list = append(list, scale(unit*5), scale(unit*2), scale(unit))
	}
	return list
}()

// units is how long a time is drawn, up to what is far too long.
func (s scale) units(d time.Duration) int {
	return int(math.Round(min(float64(d)/float64(s)*scaleUnits, 1e6)))
}

// place says how far apart two moments are drawn, and how that is to be read.
func (s scale) place(d *distance) (int, spacing) {
	switch {
	case !d.known:
		return d.room, untimed
	case s == 0 || d.took <= 0:
		return d.room, spread
	}
	switch units := s.units(d.took); {
	case units > maxStretch:
		return d.room + silenceHeight, broken
	case units >= d.room:
		return units, toScale
	}
	return d.room, spread
}

// String is the time that scaleUnits stand for: "20 ms".
func (s scale) String() string { return span(time.Duration(s)) }

// span is a time in the unit that suits it.
func span(d time.Duration) string {
	switch {
	case d < time.Microsecond:
		return fmt.Sprintf("%d ns", d.Nanoseconds())
	case d < time.Millisecond:
		return fmt.Sprintf("%.4g µs", float64(d)/1e3)
	case d < time.Second:
		return fmt.Sprintf("%.4g ms", float64(d)/1e6)
	case d < 1000*time.Second:
		return fmt.Sprintf("%.4g s", d.Seconds())
	}
	return fmt.Sprintf("%.0f s", d.Seconds())
}
