package ring

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

func TestTheKernelTakesThePrograms(t *testing.T) {
	newNetwork(t)
	long := make([]bpf.RawInstruction, 0, 4097)
	for len(long) < 4096 {
		long = append(long, bpf.RawInstruction{Op: returnConstant, K: 1})
	}
	for _, interfaces := range []int{0, 2, maxTargets} {
		for _, direction := range []Direction{InOut, In, Out} {
			for _, filter := range [][]bpf.RawInstruction{nil, long[:1], long[:3900]} {
				t.Run(fmt.Sprint(interfaces, direction, len(filter)), func(t *testing.T) {
					socket, err := newSocket()
					if err != nil {
						t.Fatal(err)
					}
					defer unix.Close(socket)
					p, err := program(&Config{Direction: direction, Filter: filter}, make([]int, interfaces), 96)
					if err != nil {
						t.Fatal(err)
					}
					if err := attach(socket, p); err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	if _, err := program(&Config{Filter: long}, nil, 96); err != errFilterTooLong {
		t.Errorf("error %v", err)
	}
}

func TestAProgramCutsToTheSnapLength(t *testing.T) {
	filter := []bpf.RawInstruction{{Op: returnConstant, K: 0}, {Op: returnConstant, K: 262_144}, {Op: returnConstant, K: 40}}
	p, err := program(&Config{Filter: filter}, nil, 96)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []uint32{0, 96, 40} {
		if got := p[len(p)-3+i].K; got != want {
			t.Errorf("%d for %d", got, filter[i].K)
		}
	}
	if filter[1].K != 262_144 {
		t.Error("the caller's filter was changed")
	}
}

// What a socket is told to capture stays, whoever gets hold of it.
func TestFilterIsLocked(t *testing.T) {
	newPair(t)
	for names, want := range map[string]error{"in": unix.EPERM, "any": unix.EPERM, "in out": nil} {
		s := newTap(t, Config{Interfaces: strings.Fields(names)}).source.(*source)
		p, err := program(&s.cfg, nil, s.snap)
		if err != nil {
			t.Fatal(err)
		}
		if err := attach(s.socket, p); !errors.Is(err, want) {
			t.Errorf("%s: another filter: error %v, want %v", names, err, want)
		}
		if err := unix.SetsockoptInt(s.socket, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0); !errors.Is(err, want) {
			t.Errorf("%s: no filter: error %v, want %v", names, err, want)
		}
	}
}
