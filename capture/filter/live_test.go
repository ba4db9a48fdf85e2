package filter

import (
	"testing"

	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// What the kernel keeps beside a frame.
type beside struct {
	tagged  bool
	tag     uint32
	sent    bool
	ifindex uint32
}

// kernel runs a program as the kernel does, with what is beside the frame: the loads of
// that become loads of constants, which x/net/bpf's machine can run.
func kernel(t *testing.T, p *Program, frame []byte, b beside) bool {
	t.Helper()
	instructions, ok := bpf.Disassemble(p.Raw())
	if !ok {
		t.Fatal("not all instructions are known")
	}
	for i, in := range instructions {
		l, ok := in.(bpf.LoadExtension)
		if !ok || l.Num == bpf.ExtLen {
			continue
		}
		value := map[bpf.Extension]uint32{
			bpf.ExtVLANTagPresent: uint32(index(b.tagged)), bpf.ExtVLANTag: b.tag,
			bpf.ExtType: uint32(4 * index(b.sent)), bpf.ExtInterfaceIndex: b.ifindex,
		}[l.Num]
		instructions[i] = bpf.LoadConstant{Dst: bpf.RegA, Val: value}
	}
	vm, err := bpf.NewVM(instructions)
	if err != nil {
		t.Fatal(err)
	}
	n, err := vm.Run(frame)
	if err != nil {
		t.Fatal(err)
	}
	return n != 0
}

func TestLive(t *testing.T) {
	syn := ip4(6, 0, tcp(40000, 80, 2))
	plain, tagged := eth(0x0800, syn), eth(0x8100, join("0064 0800", syn))
	double := eth(0x8100, join("00c8 0800", syn)) // the outer tag is beside it
	tests := []struct {
		name, text string
		frame      []byte
		beside     beside
		want       bool
	}{
		{"no tag", "vlan", plain, beside{}, false},
		{"a tag beside the frame", "vlan", plain, beside{tagged: true, tag: 100}, true},
		{"its number", "vlan 100", plain, beside{tagged: true, tag: 0x6064}, true},
		{"another number", "vlan 101", plain, beside{tagged: true, tag: 100}, false},
		{"a tag in the frame", "vlan 100", tagged, beside{}, true},
		{"what follows, with the tag beside", "vlan 100 and tcp port 80", plain, beside{tagged: true, tag: 100}, true},
		{"what follows, with the tag inside", "vlan 100 and tcp port 80", tagged, beside{}, true},
		{"bytes of what follows", "vlan and tcp[13] = 2", tagged, beside{}, true},
		{"two tags", "vlan 100 and vlan 200 and ip", double, beside{tagged: true, tag: 100}, true},
		{"two tags, the wrong way round", "vlan 200 and vlan 100", double, beside{tagged: true, tag: 100}, false},
		{"without the word the tag beside does not matter", "tcp port 80", plain, beside{tagged: true, tag: 100}, true},
		{"not", "not vlan", plain, beside{}, true},
		{"sent", "outbound", plain, beside{sent: true}, true},
		{"received", "inbound and tcp", plain, beside{}, true},
		{"not received", "inbound", plain, beside{sent: true}, false},
		{"the interface", "ifindex 7", plain, beside{ifindex: 7}, true},
		{"another interface", "ifindex 8 or arp", plain, beside{ifindex: 7}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := compile(t, tt.text, Config{Link: capture.LinkEthernet, Live: true})
			if got := kernel(t, p, tt.frame, tt.beside); got != tt.want {
				t.Errorf("%v\n%s", got, listing(p))
			}
		})
	}
}
