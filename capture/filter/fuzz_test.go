package filter

import (
	"testing"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// FuzzFilter checks, of any text, link type and frame, that nothing panics, that the
// canonical text means the same, and that Match and x/net/bpf's machine agree.
func FuzzFilter(f *testing.F) {
	frame := eth(0x0800, ip4(6, 0, tcp(40000, 80, 2)))
	for i, a := range readAgreements(f) {
		if i%4 == 0 {
			f.Add(a.text, uint16(linkNamed(a.link)), frame)
		}
	}
	for _, b := range wifiFrames() {
		f.Add("tcp port 80 or wlan host 1:2:3:4:5:6", uint16(capture.LinkWiFi), b)
	}
	f.Fuzz(func(t *testing.T, text string, link uint16, frame []byte) {
		parsed, err := Parse(text)
		if err != nil {
			checkError(t, err)
			return
		}
		canonical := parsed.String()
		again, err := Parse(canonical)
		if err != nil && len(canonical) <= maxText {
			t.Fatalf("%q gives %q: %v", text, canonical, err)
		}
		cfg := Config{Link: capture.LinkType(link), Service: someServices}
		p, err := parsed.Compile(cfg)
		if err != nil {
			checkError(t, err)
			return
		}
		checkJumps(t, p)
		if again != nil {
			if q, err := again.Compile(cfg); err != nil || listing(p) != listing(q) {
				t.Fatalf("%q and %q differ: %v", text, canonical, err)
			}
		}
		cfg.Live = true
		if live, err := parsed.Compile(cfg); err == nil {
			live.Match(frame, uint32(len(frame)))
		}
		instructions, ok := bpf.Disassemble(p.Raw())
		if !ok {
			t.Fatalf("%q: not all instructions are known", text)
		}
		vm, err := bpf.NewVM(instructions)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		n, err := vm.Run(frame)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := p.Match(frame, uint32(len(frame))); got != (n != 0) {
			t.Fatalf("%q: Match says %v, x/net/bpf's machine %d", text, got, n)
		}
	})
}

// checkError checks that an error can be shown.
func checkError(t *testing.T, err error) {
	e, ok := err.(*Error)
	if !ok {
		t.Fatalf("no *Error: %v", err)
	}
	if e.Start < 0 || e.Start > e.End || e.End > len(e.Text) {
		t.Fatalf("%v: from %d to %d of %d", e, e.Start, e.End, len(e.Text))
	}
	e.Caret()
}
