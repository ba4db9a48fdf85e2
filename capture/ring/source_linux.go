package ring

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
	"sockscope/capture/poller"
)

const (
	maxSnapLength = 262_144               // libpcap's MAXIMUM_SNAPLEN
	maxWait       = 90 * time.Millisecond // that Next waits for frames
	drainWait     = 10 * time.Millisecond // likewise while it drains
	drainTime     = 2 * time.Second

	lookEvery  = 16 // blocks between two looks for messages while there is no reason to wait
	countEvery = 64 // blocks between two readings of the kernel's counters, which have 32 bits

	ahead      = 6  // frames whose headers are fetched from memory at a time
	lineLength = 64 // of a processor's cache

	addressesAt = 30 // of IPv4 over Ethernet, in the middle of what a decoder reads first
)

// A source captures through one socket and one ring, whatever the number of
// interfaces: frames are in the order of the kernel, a connection seen on two
// interfaces included. The socket is bound to the interface when there is one, to
// all otherwise, with a program that knows several by index.
//
// Several rings (PACKET_FANOUT_HASH) do not pay: one reader needs a twentieth of the time
// that the kernel needs to carry a frame to the ring, and two rings with a reader each
// took a tenth more of it than one.
//
// It is no cooked socket for all interfaces: the ring tells the interface and the
// hardware of each frame, so frames keep their own headers and link types.
type source struct {
	ctx    context.Context // Next ends when it is done
	cfg    Config
	snap   uint32
	socket int
	poller *poller.Poller
	links  *links
	ring   *mapping

	targets []target // the interfaces asked for; none means all
	tally   tally
	notes   notes

	number, first   uint64 // of the next block, of the next frame
	received, drops uint64 // by the kernel's count, which has the drops among the received

	ending   error // what Next returns when the ring is drained; nil while frames come in
	deadline time.Time
	failed   error // of all further calls of Next
	closed   bool
	touched  byte // what was read only to have it in the cache; it means nothing
}

var errClosed = errors.New("capturing has ended")

func open(ctx context.Context, cfg Config) (capture.Source, error) {
	if cfg.SnapLength < 0 || cfg.RingSize < 0 {
		return nil, errors.New("snap length and ring size cannot be negative")
	}
	s := &source{ctx: ctx, cfg: cfg, socket: -1, first: 1, snap: maxSnapLength}
	if cfg.SnapLength > 0 {
		s.snap = uint32(min(cfg.SnapLength, maxSnapLength))
	}
	if err := s.start(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// start opens all that a source needs, in an order in which no frame enters before
// the filter is set.
func (s *source) start() (err error) {
	if s.socket, err = newSocket(); err != nil {
		return err
	}
	if s.links, err = watchLinks(); err != nil {
		return err
	}
	if err := s.resolve(); err != nil {
		return err
	}
	if err := s.filter(); err != nil {
		return err
	}
	if len(s.targets) < 2 { // the program of several changes with their indexes
		if err := unix.SetsockoptInt(s.socket, unix.SOL_SOCKET, unix.SO_LOCK_FILTER, 1); err != nil {
			return fmt.Errorf("lock the filter: %w", err)
		}
	}
	if s.incomingOnly() {
		// Saves the kernel a clone of each frame; the filter says the same.
		_ = unix.SetsockoptInt(s.socket, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	if err := s.allocate(); err != nil {
		return err
	}
	// Edges of the socket: while a block is held by someone else it stays readable,
	// though there is nothing to take.
	if s.poller, err = poller.New(); err == nil {
		err = s.poller.Add(s.socket, unix.EPOLLIN|unix.EPOLLET)
	}
	if err == nil {
		err = s.poller.Add(s.links.socket, unix.EPOLLIN)
	}
	if err != nil {
		return fmt.Errorf("wait for frames: %w", err)
	}
	for i := range s.targets {
		t := &s.targets[i]
		if err := s.listen(t); err != nil {
			return fmt.Errorf("capture from %s: %w", quote(t.name), err)
		}
		if !t.up {
			s.notes.add("%s is down: nothing is received until it is up", t.name)
		}
	}
	if len(s.targets) != 1 {
		if err := bind(s.socket, 0, unix.ETH_P_ALL); err != nil {
			return fmt.Errorf("capture from all interfaces: %w", err)
		}
	}
	return nil
}

// resolve finds the interfaces asked for.
func (s *source) resolve() error {
	names := s.cfg.Interfaces
	if slices.Contains(names, "any") {
		names = nil
	}
	for _, name := range names {
		l := s.links.find(name)
		if l == nil {
			return fmt.Errorf("no interface \"%s\" (have: %s)", name, s.links.names())
		}
		if !slices.ContainsFunc(s.targets, func(t target) bool { return t.index == l.index }) {
			s.targets = append(s.targets, target{name: name, link: *l})
		}
	}
	if len(s.targets) > maxTargets {
		return fmt.Errorf("%d interfaces: at most %d can be named, capture from \"any\" instead", len(s.targets), maxTargets)
	}
	s.tally.start(s.targets, s.snap)
	return nil
}

// incomingOnly reports whether the socket has no use for outgoing frames at all.
func (s *source) incomingOnly() bool {
	loopback := len(s.targets) == 1 && s.targets[0].hardware == unix.ARPHRD_LOOPBACK
	return s.cfg.Direction == In || s.cfg.Direction == InOut && loopback
}

// filter attaches the program for the interfaces as they are now.
func (s *source) filter() error {
	var indexes []int
	if len(s.targets) > 1 {
		for i := range s.targets {
			indexes = append(indexes, s.targets[i].index) // 0, which no frame has, for one that is gone
		}
	}
	p, err := program(&s.cfg, indexes, s.snap)
	if err != nil {
		return err
	}
	return attach(s.socket, p)
}

// allocate makes the ring.
func (s *source) allocate() (err error) {
	size, timeout := s.cfg.RingSize, 60
	if size == 0 {
		size = defaultRing
	}
	if s.cfg.Immediate {
		timeout = 1
	}
	if s.ring, err = newMapping(s.socket, size, timeout); err != nil {
		return fmt.Errorf("cannot capture: %w", err)
	}
	if got := len(s.ring.memory); got < size-blockSize {
		s.notes.add("the ring has %d MiB instead of %d: not enough memory", got>>20, size>>20)
	}
	return nil
}

// Next gives one block of the ring, or after a while a block without frames.
func (s *source) Next(b *capture.Block) error {
	s.Release(b) // of a caller who has not done so
	b.Frames = b.Frames[:0]
	if s.failed != nil {
		return s.failed
	}
	if s.ending == nil && s.ctx.Err() != nil {
		s.refresh()
		s.stop(io.EOF)
	}
	if s.number%lookEvery == 0 {
		if err := s.wait(0); err != nil {
			s.failed = err
			return err
		}
	}
	memory := s.ring.take()
	if memory == nil {
		timeout := time.Duration(maxWait)
		if s.ending != nil {
			timeout = drainWait
		}
		if err := s.wait(timeout); err != nil {
			s.failed = err
			return err
		}
		memory = s.ring.take()
	}
	if memory == nil && s.ending != nil && s.drained() {
		s.failed = s.ending
		return s.failed
	}
	if s.number%countEvery == 0 {
		s.count()
	}
	b.Number, b.First, b.Memory, b.Now = s.number, s.first, memory, 0
	if memory != nil {
		s.frames(b)
	} else {
		b.Now = capture.Timestamp(time.Now().UnixNano()) // the kernel's clock of frames
	}
	s.number++
	s.first += uint64(len(b.Frames))
	return nil
}

// frames lists the frames of b's memory.
func (s *source) frames(b *capture.Block) {
	h := header(b.Memory)
	n, at := int(h.Num_pkts), h.Offset_to_first_pkt
	b.Frames = slices.Grow(b.Frames, n)[:n]
	step := uint32(0) // from the frame before
	for i := range b.Frames {
		f := &b.Frames[i]
		h, address := frameHeader(b.Memory, at)
		frame(f, h, address, b.Memory, at)
		if uint32(len(f.Data)) > s.snap { // a tag put back, or a program that returns what it computed
			f.Data = f.Data[:s.snap:s.snap]
		}
		f.Interface = s.tally.frame(f, address, s.links)
		if len(f.Data) > addressesAt {
			// Fetched from memory while the next header is; the decoder then has it at hand.
			s.touched += f.Data[addressesAt]
		}
		if further := at + ahead*h.Next_offset; h.Next_offset == step && further+2*lineLength < uint32(len(b.Memory)) {
			// Frames come in runs of one length, so there probably is a header: with that of the
			// frame behind it, it is fetched while those between are read. Otherwise each frame
			// waits for memory to know where the next one is.
			s.touched += b.Memory[further] + b.Memory[further+lineLength] + b.Memory[further+2*lineLength]
		}
		step = h.Next_offset
		at += h.Next_offset
	}
}

// Release lets the kernel fill b's memory again.
func (s *source) Release(b *capture.Block) {
	if len(b.Memory) > 0 {
		s.ring.giveBack(b.Memory)
		b.Memory, b.Frames = nil, b.Frames[:0]
	}
}

// wait waits for a block or a message, not longer than timeout, and heeds the messages.
// It may be too early.
func (s *source) wait(timeout time.Duration) error {
	events, err := s.poller.Wait(timeout)
	if err != nil {
		return fmt.Errorf("wait for frames: %w", err)
	}
	for _, e := range events {
		switch {
		case int(e.Fd) == s.links.socket:
			if err := s.links.read(s.changed); err != nil {
				return err
			}
		case e.Events&unix.EPOLLERR != 0:
			if err := pending(s.socket); err != nil {
				return fmt.Errorf("capture: %w", err)
			}
		}
	}
	if len(events) == 0 && timeout == maxWait {
		s.tally.idle()
	}
	return nil
}

// stop makes the socket deaf and Next end with err once the ring is drained. What
// the kernel had received before is in the ring then, in a block that it hands over
// when its time is up.
func (s *source) stop(err error) {
	if s.ending != nil {
		return
	}
	s.ending, s.deadline = err, time.Now().Add(drainTime)
	const nobody = 0xffff // an EtherType that is reserved: no frame has it
	_ = bind(s.socket, 0, nobody)
}

// drained reports whether all frames that the kernel counted have been given. When
// some do not come in time they are counted as dropped.
func (s *source) drained() bool {
	s.count()
	given := s.first - 1 + s.drops
	if given >= s.received {
		return true
	}
	if time.Now().Before(s.deadline) {
		return false
	}
	s.drops += s.received - given
	return true
}

// count takes the kernel's counters, which start again at 0 when read.
func (s *source) count() {
	if s.socket < 0 {
		return
	}
	c, err := unix.GetsockoptTpacketStatsV3(s.socket, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return
	}
	s.received += uint64(c.Packets)
	s.drops += uint64(c.Drops)
}

// Stats tells what has been given so far.
func (s *source) Stats() capture.Stats {
	s.count()
	s.refresh()
	stats := s.tally.stats()
	stats.Interfaces[0].Drops = s.drops
	for i := range s.targets {
		stats.Interfaces[s.tally.place(i)].Missed = s.targets[i].lost
	}
	stats.Inputs[0].Notes = s.notes.list()
	return stats
}

// Close ends the capture; blocks not yet released stay valid until they are.
func (s *source) Close() error {
	if s.failed == nil {
		s.failed = errClosed
	}
	if s.poller != nil {
		s.poller.Close()
		s.poller = nil
	}
	if s.socket >= 0 {
		_ = unix.Close(s.socket)
		s.socket = -1
	}
	if s.links != nil {
		s.links.close()
		s.links = nil
	}
	if s.ring != nil && !s.closed {
		s.closed = true
		s.ring.drop()
	}
	return nil
}

// quote escapes what a terminal must not get.
func quote(s string) string {
	q := strconv.Quote(s)
	return q[1 : len(q)-1]
}
