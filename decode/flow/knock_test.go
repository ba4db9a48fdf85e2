package flow

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode"
)

// synOptions are what SYNs carry: common options, rare ones, and broken ones.
var synOptions = [][]byte{
	{2, 4, 5, 180}, {2, 4, 0, 0}, {3, 3, 7}, {3, 3, 255}, {4, 2}, {8, 10, 0, 0, 0, 9, 0, 0, 0, 0}, {1}, {0},
	{30, 12, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, {34, 2}, {34, 10, 1, 2, 3, 4, 5, 6, 7, 8}, {254, 4, 0xf9, 0x89},
	{5, 10, 0, 0, 0, 1, 0, 0, 0, 2}, {2, 3, 5}, {19, 18, 0, 0}, {77, 3, 1}, {2, 99},
}

// anySYN is a bare SYN of any kind, mostly of one that a knock is kept of.
func anySYN(r *rand.Rand) capture.Frame {
	tcp := make([]byte, 20, 60)
	a, b := r.IntN(4), r.IntN(4)
	binary.BigEndian.PutUint16(tcp[0:], uint16(r.IntN(3)))
	binary.BigEndian.PutUint16(tcp[2:], uint16(r.IntN(3)))
	binary.BigEndian.PutUint32(tcp[4:], []uint32{0, 7, 1<<32 - 1, r.Uint32()}[r.IntN(4)])
	binary.BigEndian.PutUint32(tcp[8:], uint32(r.IntN(2))*r.Uint32()) // means nothing without ACK
	binary.BigEndian.PutUint16(tcp[14:], []uint16{0, 1, 65535}[r.IntN(3)])
	for range r.IntN(5) {
		o := synOptions[r.IntN(len(synOptions))]
		if len(tcp)+len(o) <= cap(tcp) {
			tcp = append(tcp, o...)
		}
	}
	for len(tcp)%4 != 0 {
		tcp = append(tcp, 0)
	}
	const others = 0xfff &^ (syn | ack | rst | fin) // URG, PSH, ECE, CWR and what is reserved
	binary.BigEndian.PutUint16(tcp[12:], uint16(len(tcp)/4)<<12|syn|uint16(r.IntN(2)*r.IntN(1<<12))&others)
	if r.IntN(16) == 0 {
		tcp = append(tcp, "data"...)
	}
	var packet []byte
	if r.IntN(2) == 0 {
		packet = ipv4(protoTCP, [4]byte{10, 0, 0, byte(a)}, [4]byte{10, 0, 0, byte(b)}, 1, 0, r.IntN(16) == 0, tcp)
		packet[8] = uint8(r.IntN(256))
	} else {
		packet = ipv6(protoTCP, [16]byte{15: byte(a)}, [16]byte{15: byte(b)}, tcp)
	}
	f := capture.Frame{Data: packet, Link: capture.LinkRaw, Interface: uint32(r.IntN(3)), Time: scriptEpoch + capture.Timestamp(r.IntN(1e9))}
	if r.IntN(2) == 0 {
		types := map[byte][]byte{4: {8, 0}, 6: {0x86, 0xdd}}
		header := make([]byte, 12)
		if r.IntN(8) == 0 {
			header = append(header, 0x81, 0, 0, 5)
		}
		f.Link, f.Data = capture.LinkEthernet, slices.Concat(header, types[packet[0]>>4], packet)
	}
	f.Length = uint32(len(f.Data))
	switch r.IntN(12) {
	case 0:
		f.Time = capture.Unknown
	case 1:
		f.Length += uint32(r.IntN(2 << linkBits)) // behind the packet, more than counts can hold
	case 2:
		f.Data = f.Data[:len(f.Data)-r.IntN(min(len(f.Data), 48))] // by the snap length
	}
	return f
}

// What is told of a connection with nothing but a SYN is what is told of it when it was
// opened, whatever the SYN is like.
func TestUnopenedIsToldAsIfItWereOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	seed := NewSeed()
	recorder := NewRecorder(seed)
	batches := make([]Batch, 1)
	var knocks, self, narrow, options int
	for range rounds(2000) {
		table := NewTable(Config{RoundTrips: r.IntN(2) == 0}, seed)
		frames := make([]capture.Frame, 1+r.IntN(8))
		for i := range frames {
			frames[i] = anySYN(r)
		}
		recorder.Record(&capture.Block{First: 1 + r.Uint64N(1<<40), Frames: frames}, batches)
		table.Apply(&batches[0])
		for _, s := range table.Sequences() {
			if s.class&hasKnock == 0 {
				continue
			}
			var last *Sequence
			var again Connection
			for i := range s.Len() {
				var told, open Connection
				s.Connection(i, &told)
				s.Another(i, &again, last, table.histories)
				last = &s
				if diff := cmp.Diff(told, again, cmp.Comparer(sameConnection)); diff != "" {
					t.Fatalf("told in the place of another one +:\n%s", diff)
				}
				n := s.number(i)
				isNarrow := table.networks.at(n) == nil
				m := table.number(table.cells.at(n).key.class())
				if !isNarrow {
					*table.networks.at(m) = *table.networks.at(n)
				}
				table.knocked(table.knockAt(n), m, table.cells.at(m))
				table.connection(m, &open)
				if diff := cmp.Diff(open, told, cmp.Comparer(sameConnection)); diff != "" {
					t.Fatalf("told of what is not open +:\n%s", diff)
				}
				knocks++
				if told.Client == told.Server {
					self++
				}
				if isNarrow {
					narrow++
				}
				if o := told.ToServer.Options; o.HasMSS || o.HasFastOpen || o.MPTCP || o.Cut {
					options++
				}
			}
		}
	}
	if self == 0 || narrow == 0 || narrow == knocks || options == 0 || options == knocks {
		t.Errorf("of %d SYNs %d to themselves, %d over IPv4, %d with options: not all kinds", knocks, self, narrow, options)
	}
}

// Of a SYN that says more than a knock keeps, and of all other segments, there is none.
func TestNoKnockIsKept(t *testing.T) {
	knocks := func(frames ...capture.Frame) int {
		seed := NewSeed()
		recorder, table, batches := NewRecorder(seed), NewTable(Config{}, seed), make([]Batch, 1)
		recorder.Record(&capture.Block{First: 1, Frames: frames}, batches)
		table.Apply(&batches[0])
		return table.numbering[hasKnock].len()
	}
	plain := play(t, "S")[0]
	vlan := plain
	vlan.Link = capture.LinkEthernet
	vlan.Data = slices.Concat(make([]byte, 12), []byte{0x81, 0, 0, 5, 8, 0}, plain.Data)
	vlan.Length = uint32(len(vlan.Data))
	owned := plain
	owned.Owner = 1
	ports := plain
	ports.Data = ports.Data[:24]
	for _, tt := range []struct {
		rule  string
		frame capture.Frame
		want  int
	}{
		{"a bare SYN", plain, 1},
		{"with urgent data and ECN", raws((&segmentWords{flags: syn | decode.PSH | decode.ECE | decode.CWR}).frame())[0], 1},
		{"in a VLAN", vlan, 0},
		{"in a tunnel", raws(ipv4(17, hostA, hostB, 1, 0, false, udp(9999, 4789, vxlan(7, plain.Data))))[0], 0},
		{"with data", play(t, "S+")[0], 0},
		{"with an ACK", play(t, "H")[0], 0},
		{"with an RST", raws((&segmentWords{flags: syn | rst}).frame())[0], 0},
		{"with a FIN", raws((&segmentWords{flags: syn | fin}).frame())[0], 0},
		{"of a known process", owned, 0},
		{"cut behind the ports", ports, 0},
	} {
		if got := knocks(tt.frame); got != tt.want {
			t.Errorf("%s: %d knocks, want %d", tt.rule, got, tt.want)
		}
	}
}
