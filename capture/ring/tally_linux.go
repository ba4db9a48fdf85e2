package ring

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// maxInterfaces are told apart; the frames of more are counted as the ring's own.
const maxInterfaces = 4096

// A tally knows Stats' interfaces and counts their frames. When the ring is shared
// by several interfaces, the first is the ring itself: its drops belong to no
// interface.
type tally struct {
	interfaces []counted
	names      []string       // of the inputs
	number     map[int]uint32 // of an interface, by the kernel's index
	late       map[int]string // names of interfaces that are gone but may have frames in the ring
	dynamic    bool           // interfaces are added with their first frames
	snap       uint32

	lastIndex  int32 // of the last frame's interface, and its number
	lastNumber uint32
}

type counted struct {
	capture.Interface
	frames, bytes, captured uint64
}

func (y *tally) start(targets []target, snap uint32) {
	*y = tally{number: make(map[int]uint32), late: make(map[int]string), dynamic: len(targets) == 0, snap: snap, lastIndex: -1}
	for i := range targets {
		y.names = append(y.names, targets[i].name)
	}
	switch len(targets) {
	case 0:
		y.names = []string{"any"}
		y.add("any", capture.LinkSLL2, 0)
	case 1:
	default:
		y.add(strings.Join(y.names, ","), capture.LinkSLL2, 0)
	}
	for i := range targets {
		y.number[targets[i].index] = y.add(targets[i].name, interfaceLink(targets[i].hardware), i)
	}
}

// add is the number of a new interface.
func (y *tally) add(name string, link capture.LinkType, input int) uint32 {
	y.interfaces = append(y.interfaces, counted{Interface: capture.Interface{
		Name: name, Link: link, SnapLength: y.snap, Resolution: time.Nanosecond, Input: input,
	}})
	return uint32(len(y.interfaces) - 1)
}

// frame counts f and returns the number of its interface.
func (y *tally) frame(f *capture.Frame, address *unix.RawSockaddrLinklayer, links *links) uint32 {
	if address.Ifindex != y.lastIndex {
		y.lastIndex, y.lastNumber = address.Ifindex, y.lookUp(address, links)
	}
	c := &y.interfaces[y.lastNumber]
	c.frames++
	c.bytes += uint64(f.Length)
	c.captured += uint64(len(f.Data))
	return y.lastNumber
}

func (y *tally) lookUp(address *unix.RawSockaddrLinklayer, links *links) uint32 {
	index := int(address.Ifindex)
	if n, known := y.number[index]; known || !y.dynamic || len(y.interfaces) >= maxInterfaces {
		return n
	}
	// The message about a new interface may be waiting still. An error costs a name.
	_ = links.read(y.changed)
	name := y.late[index]
	if l := links.byIndex[index]; l != nil {
		name = l.name
	}
	if name == "" {
		name = fmt.Sprintf("interface %d", index)
	}
	n := y.add(name, interfaceLink(address.Hatype), 0)
	y.number[index] = n
	return n
}

// found says that the i-th target has another index now.
func (y *tally) found(i, index int) {
	y.number[index] = uint32(y.place(i))
	y.lastIndex = -1
}

// place is where the i-th target is among the interfaces.
func (y *tally) place(i int) int { return len(y.interfaces) - len(y.names) + i }

// changed notes that an interface is gone, or that an index has a new one.
func (y *tally) changed(c change) {
	switch {
	case c.is == nil:
		y.late[c.was.index] = c.was.name
		if len(y.late) > maxInterfaces {
			clear(y.late)
		}
	case c.was == nil:
		delete(y.number, c.is.index)
		y.lastIndex = -1
	}
}

// idle says that no frame of an interface that is gone can be in the ring any more.
func (y *tally) idle() { clear(y.late) }

func (y *tally) stats() capture.Stats {
	s := capture.Stats{
		Inputs:     make([]capture.Input, len(y.names)),
		Interfaces: make([]capture.Interface, len(y.interfaces)),
	}
	for i, name := range y.names {
		s.Inputs[i] = capture.Input{Name: name, Format: "live"}
	}
	for i := range y.interfaces {
		c := &y.interfaces[i]
		s.Interfaces[i] = c.Interface
		in := &s.Inputs[c.Input]
		in.Frames += c.frames
		in.Bytes += c.bytes
		in.Captured += c.captured
	}
	return s
}
