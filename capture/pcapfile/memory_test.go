package pcapfile

import (
	"bytes"
	"context"
	"math"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"sockscope/capture"
)

// TestMemoryFollowsContent: what is allocated follows what is really in a file,
// not what its length fields and headers say, and it is quick.
func TestMemoryFollowsContent(t *testing.T) {
	const mib = 1 << 20
	s, p := ngSpec{}, pcapSpec{}
	start := join(s.section(), s.iface(1, math.MaxUint32))
	huge := func(kind uint32) []byte { return s.words(kind, maxBlock) }
	tests := []struct {
		name    string
		content []byte
		size    int64 // of the file, the rest of which is a hole
		limit   uint64
	}{
		{"sparse pcap, captured length 1 GiB", join(pcapSpec{snap: 1 << 30}.header(), p.record(1, 1, 1<<30, 1<<30, nil)), 5 << 30, 2 * mib},
		{"snap length 2^32-1", join(pcapSpec{snap: math.MaxUint32}.header(), p.record(1, 1, math.MaxUint32, math.MaxUint32, nil)), 5 << 30, 2 * mib},
		{"longest captured length in a short file", join(p.header(), p.record(1, 1, maxCaptured, maxCaptured, nil)), 0, 2 * mib},
		{"packet block of 16 MiB", join(start, huge(blockEnhancedPacket), s.words(0, 0, 0, maxBlock-32, maxBlock-32)), 5 << 30, 4 * mib},
		{"packet length 4 GiB", join(start, s.block(blockEnhancedPacket, s.words(0, 0, 0, math.MaxUint32, 60), make([]byte, 64))), 0, 2 * mib},
		{"custom block of 16 MiB", join(start, huge(blockCustom)), 5 << 30, 4 * mib},
		{"block length 4 GiB", join(start, s.words(blockCustom, math.MaxUint32-3)), 5 << 30, 2 * mib},
		{"snoop, captured length 4 GiB", join(snoopFile(4), snoopWords(math.MaxUint32, math.MaxUint32, math.MaxUint32)), 5 << 30, 2 * mib},
		{"snoop, longest record in a short file", join(snoopFile(4), snoopWords(maxCaptured, maxCaptured, snoopLongest, 0, 1, 1)), 0, 2 * mib},
		{"Network Monitor, captured length 4 GiB", join(netmonSpec{}.header(1<<30, 4), ngSpec{}.words(0, 0, 60, math.MaxUint32)), 5 << 30, 2 * mib},
		{"Network Monitor, longest frame in a short file", join(netmonSpec{}.header(1<<30, 4), ngSpec{}.words(0, 0, maxCaptured, maxCaptured)), 0, 2 * mib},
		{"Network Monitor, frame table of 4 GiB", netmonSpec{}.header(netmonHeader, math.MaxUint32), 5 << 30, 2 * mib},
		{"NetXRay, records far away", netxraySpec{first: 1 << 30, end: math.MaxUint32}.header(0), 1 << 29, 2 * mib},
		{"100,000 pcap files in one", bytes.Repeat(p.header(), 100_000), 0, 64 * mib},
		{"100,000 interfaces", join(s.section(), bytes.Repeat(s.iface(1, 0), 100_000)), 0, 64 * mib},
		{"100,000 sections", bytes.Repeat(join(start, s.packet(0, 1, 1, []byte{1})), 100_000), 0, 32 * mib},
		{"100,000 bad blocks", join(start, bytes.Repeat(s.packet(9, 1, 1, []byte{1}), 100_000)), 0, 32 * mib},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, "input", test.content)
			if test.size > 0 {
				if err := os.Truncate(path, test.size); err != nil {
					t.Fatal(err)
				}
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begin := time.Now()
			r, err := Open(context.Background(), []string{path}, Config{})
			if err != nil {
				t.Fatal(err)
			}
			b := newBlock()
			for err == nil {
				err = r.Next(b)
			}
			took := time.Since(begin)
			runtime.ReadMemStats(&after)
			r.Close()
			if n := after.TotalAlloc - before.TotalAlloc; n > test.limit {
				t.Errorf("%d bytes allocated, limit %d", n, test.limit)
			}
			if took > 20*time.Second { // what follows a length field takes minutes
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestNoAllocations: reading on allocates nothing, whatever the records are.
func TestNoAllocations(t *testing.T) {
	s, p := ngSpec{}, pcapSpec{}
	cases := map[string][]byte{
		"pcap":           join(p.header(), bytes.Repeat(p.record(1, 1, 60, 60, frame(0, 60)), 20_000)),
		"pcap, odd":      join(p.header(), bytes.Repeat(p.record(1, 3e6, 60, 6, frame(0, 60)), 20_000)),
		"snoop":          join(snoopFile(4), bytes.Repeat(snoopPacket(1, 1, frame(0, 60)), 20_000)),
		"netmon":         netmonSpec{}.file(slices.Repeat([][]byte{netmonSpec{}.frame(1, 60, frame(0, 60))}, 20_000)...),
		"netxray":        netxraySpec{}.file(slices.Repeat([][]byte{netxraySpec{}.record(1, 60, frame(0, 60))}, 20_000)...),
		"pcapng":         join(s.section(), s.iface(1, 0), bytes.Repeat(s.packet(0, 1, 60, frame(0, 60)), 20_000)),
		"pcapng, owned":  join(s.section(), s.iface(1, 0), bytes.Repeat(s.packet(0, 1, 60, frame(0, 60), ownerOptions(curl), s.option(optEnd, nil)), 20_000)),
		"pcapng, unread": join(s.section(), s.iface(1, 0), bytes.Repeat(join(s.packet(0, 1, 60, frame(0, 60)), s.block(77, frame(0, 60))), 20_000)),
	}
	for name, content := range cases {
		t.Run(name, func(t *testing.T) {
			r, err := Open(context.Background(), []string{"-"}, Config{Stdin: bytes.NewReader(content)})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var b capture.Block
			r.Next(&b) // makes the memory
			r.Next(&b)
			if n := testing.AllocsPerRun(2, func() {
				if err := r.Next(&b); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%v allocations in a block of %d frames", n, len(b.Frames))
			}
		})
	}
}
