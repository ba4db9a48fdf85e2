package filter

import (
	"testing"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

var benchmarkFilters = []string{
	"tcp", "tcp port 443", "port 80 or 8080 or 443", "host 10.0.0.1", "net 10.0.0.0/8 and not port 22",
	"ip6 and udp port 53", "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0", "greater 1000", "geneve and tcp",
}

// BenchmarkMatch measures a frame, in the mix of testdata's.
func BenchmarkMatch(b *testing.B) {
	frames := mixedFrames(b)[capture.LinkEthernet]
	for _, text := range benchmarkFilters {
		b.Run(text, func(b *testing.B) {
			p := compile(b, text, Config{Link: capture.LinkEthernet})
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f := &frames[i%len(frames)]
				p.Match(f.Data, f.Length)
			}
		})
	}
}

// BenchmarkMachine measures x/net/bpf's machine with the same.
func BenchmarkMachine(b *testing.B) {
	frames := mixedFrames(b)[capture.LinkEthernet]
	for _, text := range benchmarkFilters {
		b.Run(text, func(b *testing.B) {
			instructions, _ := bpf.Disassemble(compile(b, text, Config{Link: capture.LinkEthernet}).Raw())
			vm, err := bpf.NewVM(instructions)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := vm.Run(frames[i%len(frames)].Data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkCompile(b *testing.B) {
	const text = "(src net 10.0.0.0/8 and dst net 192.168.0.0/16) or (tcp portrange 6000-6100) and not port 22"
	b.ReportAllocs()
	for b.Loop() {
		f, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Compile(Config{Link: capture.LinkEthernet}); err != nil {
			b.Fatal(err)
		}
	}
}
