package ring

import (
	"context"
	"encoding/binary"
	"testing"

	"sockscope/decode/engine"
)

// datagram is a frame with a UDP datagram between the ports that n stands for.
func datagram(n int) []byte {
	b := numbered(0, 60)
	binary.BigEndian.PutUint16(b[12:], 0x0800)
	ip := b[14:]
	copy(ip, []byte{0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2})
	binary.BigEndian.PutUint16(ip[20:], uint16(1024+n%1000))
	binary.BigEndian.PutUint16(ip[22:], 53)
	binary.BigEndian.PutUint16(ip[24:], 26)
	return b
}

func TestWorkersReleaseBlocks(t *testing.T) {
	newPair(t)
	s := newSender(t, "out")
	p := newTap(t, Config{Interfaces: []string{"in"}, RingSize: 4 << 20})
	const want = 200_000
	go func() {
		for n := range want {
			s.send(datagram(n))
		}
		p.stop()
	}()
	result, err := engine.Run(context.Background(), p.source, engine.Config{Workers: 3})
	if err != nil {
		t.Fatal(err)
	}
	stats := p.source.Stats()
	given, drops := stats.Inputs[0].Frames, stats.Interfaces[0].Drops
	t.Logf("given %d, dropped %d, connections %d", given, drops, result.Len())
	if given+drops != want || result.Totals.Frames != given || result.Len() != 1000 {
		t.Errorf("sent %d, given %d, dropped %d, analysed %d in %d connections", want, given, drops, result.Totals.Frames, result.Len())
	}
}
