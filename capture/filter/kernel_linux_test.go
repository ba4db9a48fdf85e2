package filter

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The kernel takes every program of the table's expressions: it checks jumps, shifts,
// and that scratch memory is written before it is read. Any socket will do to ask it.
func TestKernelTakesPrograms(t *testing.T) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	longest := 0
	for _, a := range readAgreements(t) {
		f, err := Parse(a.text)
		if err != nil {
			continue
		}
		for _, live := range []bool{false, true} {
			p, err := f.Compile(Config{Link: linkNamed(a.link), Live: live, Service: someServices})
			if err != nil {
				continue
			}
			program := make([]unix.SockFilter, len(p.Raw()))
			for i, in := range p.Raw() {
				program[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
			}
			longest = max(longest, len(program))
			if err := unix.SetsockoptSockFprog(socket, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}); err != nil {
				t.Errorf("%s %q: %v\n%s", a.link, a.text, err, listing(p))
			}
		}
	}
	t.Logf("the longest has %d instructions", longest)
}
