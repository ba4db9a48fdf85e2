package pcapfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"sockscope/capture"
)

// stretch is a block's worth of records as a snapped mix of traffic has them.
func stretch(record func(n int) []byte) []byte {
	var b []byte
	for i := 0; len(b) < blockSize-200; i++ {
		b = append(b, record([]int{54, 66, 128, 128, 74, 128, 60, 128}[i%8])...)
	}
	return b
}

// BenchmarkWalk is the walk over records that are in memory, without reading.
func BenchmarkWalk(b *testing.B) {
	p, s := pcapSpec{}, ngSpec{}
	pcap := func(spec pcapSpec) []byte {
		return stretch(func(n int) []byte { return spec.record(1, 2, uint32(n), uint32(n), make([]byte, n)) })
	}
	ng := stretch(func(n int) []byte { return s.packet(0, 1e15, uint32(n), make([]byte, n)) })
	noted := stretch(func(n int) []byte {
		return s.packet(0, 1e15, uint32(n), make([]byte, n), s.option(2, s.words(0)), s.option(optEnd, nil))
	})
	owned := stretch(func(n int) []byte {
		return s.packet(0, 1e15, uint32(n), make([]byte, n), ownerOptions(curl), s.option(optEnd, nil))
	})
	big := pcapSpec{order: binary.BigEndian}
	for _, bench := range []struct {
		name          string
		header, stuff []byte
	}{
		{"pcap", p.header(), pcap(p)},
		{"pcap,bigendian", big.header(), pcap(big)},
		{"pcapng", join(s.section(), s.iface(1, 0)), ng},
		{"pcapng,options", join(s.section(), s.iface(1, 0)), noted},
		{"pcapng,owners", join(s.section(), s.iface(1, 0)), owned},
	} {
		b.Run(bench.name, func(b *testing.B) {
			r, err := Open(context.Background(), []string{"-"}, Config{})
			if err != nil {
				b.Fatal(err)
			}
			c := newCursor(r.inputs[0], blockSize)
			frames, _ := c.step(bench.header, false, nil)
			frames, _ = c.step(bench.stuff, false, frames)
			records := len(frames)
			b.SetBytes(int64(len(bench.stuff)))
			b.ReportAllocs()
			for b.Loop() {
				frames, _ = c.step(bench.stuff, false, frames[:0])
			}
			if len(frames) != records {
				b.Fatalf("%d records, want %d", len(frames), records)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(records), "ns/record")
		})
	}
}

// BenchmarkRead reads a file of 64 MiB: plain, compressed and as one of two.
func BenchmarkRead(b *testing.B) {
	p := pcapSpec{}
	content := join(p.header(), bytes.Repeat(stretch(func(n int) []byte { return p.record(1, 2, uint32(n), uint32(n), make([]byte, n)) }), 256))
	plainFile := write(b, "plain", content)
	inputs := map[string][]string{
		"plain":  {plainFile},
		"merged": {plainFile, write(b, "second", at("", 2))},
		"gzip":   {write(b, "gzip", pack(b, "gzip", content))},
		"zstd":   {write(b, "zstd", pack(b, "zstd", content))},
		"lz4":    {write(b, "lz4", pack(b, "lz4", content))},
	}
	for _, name := range []string{"plain", "merged", "gzip", "zstd", "lz4"} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			var blocks [4]capture.Block
			records := 0
			for b.Loop() {
				r, err := Open(context.Background(), inputs[name], Config{})
				if err != nil {
					b.Fatal(err)
				}
				for i := 0; ; i++ {
					block := &blocks[i%len(blocks)]
					err := r.Next(block)
					if errors.Is(err, io.EOF) {
						break
					}
					if err != nil {
						b.Fatal(err)
					}
					records += len(block.Frames)
				}
				r.Close()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(records), "ns/record")
		})
	}
}
