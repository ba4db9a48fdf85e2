package ring

import (
	"encoding/binary"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// linkMessage is the kernel's message about a link whose hardware has missed frames:
// some that found its FIFO full, and others.
func linkMessage(index int, fifo, missed uint64) *syscall.NetlinkMessage {
	ne := binary.NativeEndian
	data := make([]byte, unix.SizeofIfInfomsg)
	ne.PutUint32(data[4:], uint32(index))
	ne.PutUint32(data[8:], unix.IFF_UP)
	add := func(kind uint16, value []byte) {
		data = ne.AppendUint16(data, uint16(4+len(value)))
		data = ne.AppendUint16(data, kind)
		data = append(data, value...)
		data = append(data, make([]byte, -len(data)&3)...)
	}
	add(unix.IFLA_IFNAME, []byte("nic0\x00"))
	add(unix.IFLA_MTU, []byte{0, 0, 0, 0})
	counters := make([]byte, 25*8) // struct rtnl_link_stats64
	for i := range counters {
		counters[i] = 0xee // the others do not matter
	}
	ne.PutUint64(counters[14*8:], fifo)
	ne.PutUint64(counters[15*8:], missed)
	add(unix.IFLA_STATS64, counters)
	return &syscall.NetlinkMessage{Header: syscall.NlMsghdr{Type: unix.RTM_NEWLINK}, Data: data}
}

func TestFramesThatTheInterfaceMissed(t *testing.T) {
	tests := []struct {
		name   string
		counts [][2]uint64 // the first is that before the capture
		want   uint64
	}{
		{"none while captured", [][2]uint64{{7, 9}, {7, 9}}, 0},
		{"both kinds", [][2]uint64{{7, 9}, {8, 11}, {8, 12}}, 4},
		{"the driver starts again at 0", [][2]uint64{{0, 9}, {0, 12}, {0, 0}, {0, 2}}, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := source{socket: -1, links: &links{byIndex: make(map[int]*link)}}
			const index = 3
			if err := s.links.apply(linkMessage(index, tt.counts[0][0], tt.counts[0][1]), s.changed); err != nil {
				t.Fatal(err)
			}
			s.cfg.Interfaces = []string{"nic0"}
			if err := s.resolve(); err != nil {
				t.Fatal(err)
			}
			for _, c := range tt.counts[1:] {
				if err := s.links.apply(linkMessage(index, c[0], c[1]), s.changed); err != nil {
					t.Fatal(err)
				}
			}
			s.ending = errClosed // there is no kernel to ask
			stats := s.Stats()
			if got := stats.Interfaces[0].Missed; got != tt.want || stats.Interfaces[0].Drops != 0 || len(stats.Inputs[0].Notes) != 0 {
				t.Errorf("%d missed, %d drops, notes %q; want %d", got, stats.Interfaces[0].Drops, stats.Inputs[0].Notes, tt.want)
			}
		})
	}
}

// An interface's counters are those of now, not those of its last message.
func TestCountersAreAskedFor(t *testing.T) {
	newPair(t)
	s := newTap(t, Config{Interfaces: []string{"in"}}).source.(*source)
	s.links.byIndex[s.targets[0].index].missed = 5 // the kernel says 0
	s.Stats()
	if n := s.links.byIndex[s.targets[0].index].missed; n != 0 {
		t.Errorf("%d missed", n)
	}
	index := s.targets[0].index
	ip(t, "link del in")
	if err := s.links.ask(index, 0); err != nil {
		t.Error(err)
	}
	if err := s.links.read(s.changed); err != nil { // that it is not there is no error
		t.Error(err)
	}
}
