package flow

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestOwners(t *testing.T) {
	const in, out = capture.Inbound, capture.Outbound
	type mark struct {
		direction capture.Direction
		owner     uint32
	}
	for _, test := range []struct {
		name, script string
		marks        []mark // of the script's frames
		want         [2]uint32
	}{
		{"nobody is known", "S h A", nil, [2]uint32{}},
		{"who sends an outbound frame", "S h A", []mark{{out, 7}, {in, 0}}, [2]uint32{7, 0}},
		{"who receives an inbound frame", "S h A", []mark{{in, 9}, {out, 0}}, [2]uint32{0, 9}},
		{"the sender where no direction is known", "S h A", []mark{{0, 7}, {0, 9}}, [2]uint32{7, 9}},
		{"the first that is known of each end", "S h A D d", []mark{{out, 0}, {in, 7}, {out, 8}, {in, 9}, {out, 9}}, [2]uint32{7, 9}},
		{"a frame of an established connection that is all in order", "S h A D a D a D a",
			[]mark{5: {out, 0}, 7: {out, 3}}, [2]uint32{3, 0}},
		{"client and server are told apart by the SYN", "h S", []mark{{out, 5}}, [2]uint32{0, 5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			frames := play(t, test.script)
			for i, m := range test.marks {
				frames[i].Direction, frames[i].Owner = m.direction, m.owner
			}
			cs, _ := run(frames, 1, Config{})
			if len(cs) != 1 || cs[0].Owners != test.want {
				t.Errorf("%+v, want one connection with owners %v", cs, test.want)
			}
		})
	}
}

// Frames with an owner take another way through the table; nothing else changes.
func TestOwnersChangeNothingElse(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	words := strings.Fields("D D D d d d A A a a D> D< D= d= Ak a0 P 50ms F f R S h")
	for range rounds(400) {
		script := "S h A D a d A"
		for range 3 + r.IntN(30) {
			script += " " + words[min(r.IntN(len(words)), r.IntN(len(words)))]
		}
		frames := play(t, script)
		for i := range frames {
			f := &frames[i]
			if f.Link == capture.LinkRaw { // so that it is a common frame
				f.Data = append(append(make([]byte, 12), 8, 0), f.Data...)
				f.Link, f.Length = capture.LinkEthernet, f.Length+14
			}
		}
		without, totals := run(frames, 1, Config{RoundTrips: true})
		for i := range frames {
			if r.IntN(2) == 0 {
				frames[i].Owner, frames[i].Direction = 1, capture.Direction(r.IntN(3))
			}
		}
		with, same := run(frames, 1, Config{RoundTrips: true})
		for i := range with {
			with[i].Owners = [2]uint32{}
		}
		if diff := cmp.Diff(without, with, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("%s: with owners +:\n%s", script, diff)
		}
		if fmt.Sprintf("%+v", totals) != fmt.Sprintf("%+v", same) {
			t.Fatalf("%s: totals\n%+v\nwith owners\n%+v", script, totals, same)
		}
	}
}
