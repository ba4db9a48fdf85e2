package filter

import (
	"math"

	"golang.org/x/net/bpf"
)

// An origin is where in the frame something begins: at a fixed offset, or behind as
// many bytes more as a slot of scratch memory says.
type origin struct {
	offset   uint32
	variable bool
	slot     int
}

func (o origin) plus(n uint32) origin {
	o.offset += n
	return o
}

// load leaves size bytes behind o in register A. An offset before the beginning is
// made one that no frame has: the kernel has other things there.
func (o origin) load(offset uint32, size int) []bpf.Instruction {
	if !o.variable {
		return []bpf.Instruction{bpf.LoadAbsolute{Off: min(o.offset+offset, math.MaxInt32), Size: size}}
	}
	return []bpf.Instruction{
		bpf.LoadScratch{Dst: bpf.RegX, N: o.slot},
		bpf.LoadIndirect{Off: o.offset + offset, Size: size},
	}
}

// equal tests size bytes behind o.
func (o origin) equal(offset uint32, size int, value uint32) *condition {
	return test(o.load(offset, size), bpf.JumpEqual, value)
}

// masked tests the bits in mask of size bytes behind o.
func (o origin) masked(offset uint32, size int, mask, value uint32) *condition {
	return masked(o.load(offset, size), mask, value)
}

// bytes tests all of b, the last ones first: addresses differ most there.
func (o origin) bytes(offset uint32, b []byte) *condition {
	all := always
	for n := len(b); n > 0; {
		size := 1
		switch {
		case n >= 4:
			size = 4
		case n >= 2:
			size = 2
		}
		value := uint32(0)
		for _, x := range b[n-size : n] {
			value = value<<8 | uint32(x)
		}
		n -= size
		all = and(all, o.equal(offset+uint32(n), size, value))
	}
	return all
}

// Headers are the places of what the next words of a filter ask for.
type headers struct {
	layer   linkLayer // what link begins with
	link    origin    // of the link layer's header
	typ     origin    // of its type field, when it has one
	payload origin    // behind its header: LLC where there is one
	network uint32    // bytes from payload to the network header: LLC and SNAP, labels
	osi     uint32    // likewise to that of an OSI protocol, which has no SNAP
	labels  int       // MPLS labels before the network header
	tags    int       // VLAN tags
	inner   bool      // behind a Geneve header, which need not have a link layer
}

// net is where the network header begins.
func (h *headers) net() origin { return h.payload.plus(h.network) }

// transport4 leaves size bytes of the header behind an IPv4 header in register A.
func (h *headers) transport4(offset uint32, size int) []bpf.Instruction {
	return append(h.headerLength4(), bpf.LoadIndirect{Off: h.net().offset + offset, Size: size})
}

// headerLength4 leaves in register X what an offset from the network header's fixed
// one has to be added to for an offset from the transport header: IPv4's length.
func (h *headers) headerLength4() []bpf.Instruction {
	ip := h.net()
	if !ip.variable {
		return []bpf.Instruction{bpf.LoadMemShift{Off: ip.offset}}
	}
	return append(ip.load(0, 1),
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 2},
		bpf.ALUOpX{Op: bpf.ALUOpAdd},
		bpf.TAX{})
}
