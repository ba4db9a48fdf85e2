package ring

import (
	"errors"

	"golang.org/x/net/bpf"
)

// maxTargets is how many interfaces the jumps of a program reach.
const maxTargets = 128

const (
	packetOutgoing   = 4    // PACKET_OUTGOING of linux/if_packet.h
	hardwareLoopback = 772  // ARPHRD_LOOPBACK of linux/if_arp.h
	returnConstant   = 0x06 // the operation BPF_RET|BPF_K
)

var errFilterTooLong = errors.New("the filter is too long: the kernel takes 4,096 instructions")

// program is what the socket runs on each frame: only those of the interfaces (all
// when there are none), only those of the direction, each of loopback only once,
// and what the user's filter says, cut to snap bytes.
//
// It asks for the direction even where PACKET_IGNORE_OUTGOING does the same at less
// cost: that needs Linux 4.20, and works for all interfaces of a socket or none.
func program(cfg *Config, interfaces []int, snap uint32) ([]bpf.RawInstruction, error) {
	var p []bpf.Instruction
	if n := len(interfaces); n > 0 {
		p = append(p, bpf.LoadExtension{Num: bpf.ExtInterfaceIndex})
		for i, index := range interfaces {
			p = append(p, bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(index), SkipTrue: uint8(n - i)})
		}
		p = append(p, drop)
	}
	switch outgoing := (bpf.JumpIf{Cond: bpf.JumpEqual, Val: packetOutgoing, SkipTrue: 1}); cfg.Direction {
	case In:
		outgoing.Cond = bpf.JumpNotEqual
		p = append(p, bpf.LoadExtension{Num: bpf.ExtType}, outgoing, drop)
	case Out:
		p = append(p, bpf.LoadExtension{Num: bpf.ExtType}, outgoing, drop)
	default:
		outgoing.Cond = bpf.JumpNotEqual
		p = append(p, bpf.LoadExtension{Num: bpf.ExtLinkLayerType}, bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: hardwareLoopback, SkipTrue: 3},
			bpf.LoadExtension{Num: bpf.ExtType}, outgoing, drop)
	}
	if len(cfg.Filter) == 0 {
		p = append(p, bpf.RetConstant{Val: snap})
	} else {
		p = append(p, bpf.LoadConstant{Dst: bpf.RegA}) // programs may count on starting with 0
	}
	raw, err := bpf.Assemble(p)
	if err != nil {
		return nil, err
	}
	for _, i := range cfg.Filter {
		if i.Op == returnConstant {
			i.K = min(i.K, snap)
		}
		raw = append(raw, i)
	}
	if len(raw) > 4096 {
		return nil, errFilterTooLong
	}
	return raw, nil
}

var drop = bpf.RetConstant{}
