package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

func init() { programs["blast"] = blast }

// blast is a program of its own: it sends frames of TCP connections out of an interface
// and tells how many were sent and in what time. Its arguments are the interface, the
// number of frames, frames per second (0: as many as it can), their length, how many
// connections there are at a time, and after how many frames each of them is replaced by
// a new one (0: never).
func blast() {
	var name string
	var frames, rate, length, parallel, life int
	for i, to := range []any{&name, &frames, &rate, &length, &parallel, &life} {
		if _, err := fmt.Sscan(os.Args[1+i], to); err != nil {
			fmt.Fprintln(os.Stderr, "blast:", err)
			os.Exit(1)
		}
	}
	took, err := newTalk(length, parallel, life).send(name, frames, rate)
	if err != nil {
		fmt.Fprintln(os.Stderr, "blast:", err)
		os.Exit(1)
	}
	fmt.Println(frames, took)
}

// A talk is what connections say, each from its SYN on, without end: both sides send
// data by turns, and what they acknowledge is right. Segments are in order.
type talk struct {
	length, life int
	connections  []talker
	started      uint32
	random       *rand.Rand
}

type talker struct {
	id   uint32
	step int
	seq  [2]uint32
}

func newTalk(length, parallel, life int) *talk {
	t := &talk{length: max(length, 60), life: life, random: rand.New(rand.NewPCG(1, 2))}
	for range parallel {
		t.connections = append(t.connections, t.start())
	}
	return t
}

func (t *talk) start() talker {
	t.started++
	return talker{id: t.started - 1}
}

// next writes the next frame into b.
func (t *talk) next(b []byte) {
	c := &t.connections[0]
	if n := len(t.connections); n > 1 {
		c = &t.connections[t.random.IntN(n)]
	}
	const fin, syn, psh, ack = 1, 2, 8, 16
	side, flags, payload := c.step%2, ack|psh, t.length-54
	switch {
	case c.step == 0:
		flags, payload = syn, 0
	case c.step == 1:
		flags, payload = syn|ack, 0
	case c.step == 2:
		flags, payload = ack, 0
	case t.life > 0 && c.step >= t.life-3 && c.step < t.life-1:
		flags, payload = fin|ack, 0
	case t.life > 0 && c.step >= t.life-1:
		flags, payload = ack, 0
	}
	copy(b, "\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01\x08\x00\x45\x00\x00\x00\x00\x00\x40\x00\x40\x06")
	be := binary.BigEndian
	be.PutUint16(b[16:], uint16(40+payload)) // what is behind is padding
	addresses := [2]uint32{10<<24 | c.id>>12, 192<<24 | 2<<8 | c.id&15}
	ports := [2]uint16{uint16(20_000 + c.id>>4&255), 443}
	be.PutUint32(b[26:], addresses[side])
	be.PutUint32(b[30:], addresses[1-side])
	be.PutUint16(b[34:], ports[side])
	be.PutUint16(b[36:], ports[1-side])
	be.PutUint32(b[38:], c.seq[side])
	be.PutUint32(b[42:], c.seq[1-side])
	b[46], b[47] = 5<<4, byte(flags)
	be.PutUint16(b[48:], 500)
	c.seq[side] += uint32(payload)
	if flags&(syn|fin) != 0 {
		c.seq[side]++
	}
	c.step++
	if t.life > 0 && c.step == t.life {
		*c = t.start()
	}
}

// mmsghdr is the kernel's struct mmsghdr.
type mmsghdr struct {
	unix.Msghdr
	sent uint32
	_    uint32
}

// send sends frames out of an interface and tells what time that took.
func (t *talk) send(name string, frames, rate int) (time.Duration, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return 0, err
	}
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(socket)
	if err := unix.Bind(socket, &unix.SockaddrLinklayer{Ifindex: i.Index}); err != nil {
		return 0, err
	}
	var messages [32]mmsghdr
	var vectors [len(messages)]unix.Iovec
	var buffers [len(messages)][]byte
	for i := range messages {
		buffers[i] = make([]byte, t.length)
		vectors[i].Base = &buffers[i][0]
		vectors[i].SetLen(t.length)
		messages[i].Iov = &vectors[i]
		messages[i].Iovlen = 1
	}
	begin := time.Now()
	for sent := 0; sent < frames; {
		batch := min(len(messages), frames-sent)
		for i := range batch {
			t.next(buffers[i])
		}
		if rate > 0 {
			for due := begin.Add(time.Duration(sent) * time.Second / time.Duration(rate)); time.Now().Before(due); {
				time.Sleep(min(time.Until(due)-50*time.Microsecond, time.Millisecond))
			}
		}
		for i := 0; i < batch; {
			n, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(socket), uintptr(unsafe.Pointer(&messages[i])), uintptr(batch-i), 0, 0, 0)
			switch {
			case errno == 0:
				i += int(n)
			case errors.Is(errno, unix.ENOBUFS), errors.Is(errno, unix.EAGAIN), errors.Is(errno, unix.EINTR):
				time.Sleep(time.Millisecond)
			default:
				return 0, errno
			}
		}
		sent += batch
	}
	return time.Since(begin), nil
}
