package ring

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// blockSize holds any frame: with GRO they reach 64 KiB, with BIG TCP 512.
	blockSize = 1 << 20

	defaultRing = 64 << 20
	leastRing   = 8 << 20 // what is still worth trying when memory is short
)

// A mapping is the ring: blocks of memory shared with the kernel, which fills them
// in order and hands each over when it is full or its time is up. It stays mapped
// until its owner and all blocks have let it go.
type mapping struct {
	memory []byte
	place  int    // of the block that is due
	number uint64 // the kernel's for it: what an earlier round left there has a lower one
	refs   atomic.Int64
}

// newMapping makes the socket's ring, of less than size when memory is short, and
// maps it. Blocks retire after timeout milliseconds.
func newMapping(socket, size, timeout int) (*mapping, error) {
	size, err := fit(max(size, 2*blockSize), func(size int) error {
		blocks := uint32(size / blockSize)
		return unix.SetsockoptTpacketReq3(socket, unix.SOL_PACKET, unix.PACKET_RX_RING, &unix.TpacketReq3{
			Block_size:     blockSize,
			Block_nr:       blocks,
			Frame_size:     blockSize, // frames have any size in a block: one is the count that passes the kernel's check
			Frame_nr:       blocks,
			Retire_blk_tov: uint32(timeout),
		})
	})
	if err != nil {
		return nil, fmt.Errorf("a ring of %d MiB: %w", size>>20, err)
	}
	memory, err := unix.Mmap(socket, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map a ring of %d MiB: %w", size>>20, err)
	}
	m := &mapping{memory: memory, number: 1}
	m.refs.Store(1)
	return m, nil
}

// fit calls set with size in whole blocks and, as long as memory does not suffice,
// with half of it, and half of that, down to leastRing. It returns the last size.
func fit(size int, set func(size int) error) (int, error) {
	size = size / blockSize * blockSize
	for {
		err := set(size)
		if !errors.Is(err, unix.ENOMEM) || size <= leastRing {
			return size, err
		}
		size = max(size/2/blockSize*blockSize, leastRing)
	}
}

// header is the kernel's header of a block.
func header(block []byte) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&block[8])) // behind version and offset to private data
}

// take returns the block that is due, or nil when the kernel has not handed it over.
func (m *mapping) take() []byte {
	block := m.memory[m.place*blockSize:][:blockSize:blockSize]
	h := header(block)
	if atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER == 0 || h.Seq_num != m.number {
		return nil
	}
	m.refs.Add(1)
	m.number++
	m.place++
	if m.place*blockSize == len(m.memory) {
		m.place = 0
	}
	return block
}

// giveBack lets the kernel fill a block again. Any goroutine may call it. What is no
// block of this ring is left alone.
func (m *mapping) giveBack(block []byte) {
	first, p := uintptr(unsafe.Pointer(&m.memory[0])), uintptr(unsafe.Pointer(&block[0]))
	if p < first || p-first >= uintptr(len(m.memory)) {
		return
	}
	atomic.StoreUint32(&header(block).Block_status, unix.TP_STATUS_KERNEL)
	m.drop()
}

// drop is one reference less. The last one unmaps.
func (m *mapping) drop() {
	if m.refs.Add(-1) == 0 {
		_ = unix.Munmap(m.memory) // it is mapped and whole: there is no way to fail
	}
}
