package flow

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode"
)

// A knock says of a bare SYN what the long way says, alone and when packets follow.
func TestKnockSaysTheSame(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	options := [][]byte{nil, {2, 4, 5, 0xb4}, {3, 3, 14, 1}, {3, 3, 99, 4, 2, 0, 0, 0}, {30, 4, 0, 0}, {34, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1}, {2, 9, 1, 1}}
	for range 1500 {
		isn := []uint32{1000, 1000, 0, 1<<32 - 1, r.Uint32()}[r.IntN(5)]
		h := segmentWords{
			side: r.IntN(2), seq: isn, window: uint16(r.Uint32()) * uint16(r.IntN(2)), ttl: uint8(r.IntN(3) * 64),
			flags: syn | uint16(r.Uint32())&(decode.ECE|decode.CWR|decode.PSH|decode.URG),
		}
		b := h.frame()
		extra := options[r.IntN(len(options))]
		b = append(b, extra...)
		b[32] += byte(len(extra) / 4 << 4)
		binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
		frame := capture.Frame{
			Data: b, Length: uint32(len(b)), Link: capture.LinkRaw, Interface: uint32(r.IntN(2)),
			Time: []capture.Timestamp{scriptEpoch, capture.Unknown, scriptEpoch + 1e9}[r.IntN(3)],
		}
		if r.IntN(8) == 0 {
			frame.Length += 1 << linkBits
		}
		frames := []capture.Frame{frame}
		more := play(t, "R A^ h A D d a F f A R s S*")
		for from := r.IntN(len(more)); from < len(more) && r.IntN(4) > 0; from++ {
			f := more[from]
			f.Data[33] |= uint8(r.IntN(2)) * uint8(decode.ECE)
			frames = append(frames, f)
		}
		if r.IntN(8) == 0 { // from and to one endpoint
			for _, f := range frames {
				copy(f.Data[16:20], f.Data[12:16])
				copy(f.Data[22:24], f.Data[20:22])
			}
		}
		long, _ := runWith(theLongWay, frames, 1, Config{})
		short, _ := run(frames, 1, Config{})
		if diff := cmp.Diff(long, short, cmp.Comparer(sameConnection)); diff != "" {
			t.Fatalf("% x, then %d frames: the knock +:\n%s", b, len(frames)-1, diff)
		}
	}
}
