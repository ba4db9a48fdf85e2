package privilege

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// questions is the helper's end of the pair of sockets, which StartHelper gave it.
const questions = 3

func serve(read func(pid int) ([]capture.Link, error)) error {
	if err := checkSocket(); err != nil {
		return fmt.Errorf("%s: not started by sockscope: %w", helperName, err)
	}
	// Ctrl-C is meant for the program, which may still ask, and whose end ends this, too.
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	if err := narrow(); err != nil {
		return err
	}
	packet := make([]byte, 0, packetSize)
	if err := send(appendPart(packet, 0, 0, last)); err != nil {
		return err
	}
	for {
		question, pid, err := nextQuestion()
		if err != nil || question == 0 {
			return err
		}
		links, err := read(pid)
		if err := reply(packet, question, links, err); err != nil {
			return err
		}
	}
}

// checkSocket makes sure that the descriptor is what StartHelper gives.
func checkSocket() error {
	kind, err := unix.GetsockoptInt(questions, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil {
		return err
	}
	domain, err := unix.GetsockoptInt(questions, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return err
	}
	peer, err := unix.GetsockoptUcred(questions, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return err
	}
	if kind != unix.SOCK_SEQPACKET || domain != unix.AF_UNIX || int(peer.Pid) != os.Getppid() {
		return errors.New("descriptor 3 is something else")
	}
	return nil
}

// narrow gives up what the helper does not need.
func narrow() error {
	held, err := heldCapabilities()
	if err != nil {
		return err
	}
	if held.has(capSetPCap) {
		if err := bound(linkCapabilities); err != nil {
			return err
		}
	}
	if err := keep(linkCapabilities); err != nil {
		return err
	}
	if err := noNewPrivileges(); err != nil {
		return err
	}
	if err := noDumps(); err != nil {
		return err
	}
	_, err = confine(helperCalls())
	return err
}

// nextQuestion waits for a question; number 0 is the end. Of several that wait it
// takes the last: nobody waits any more for answers to the others.
func nextQuestion() (number uint32, pid int, err error) {
	var b [questionSize + 1]byte
	for flags := 0; ; {
		n, _, err := unix.Recvfrom(questions, b[:], flags)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return number, pid, nil
		case err != nil:
			return 0, 0, err
		}
		if number, pid = readQuestion(b[:n]); number == 0 {
			return 0, 0, nil
		}
		flags = unix.MSG_DONTWAIT
	}
}

// reply sends the links in as many packets as they need, and err.
func reply(packet []byte, question uint32, links []capture.Link, err error) error {
	if len(links) > maxLinks {
		links, err = links[:maxLinks], fmt.Errorf("more than %d open sockets", maxLinks)
	}
	for number := uint16(0); ; number++ {
		n := min(len(links), linksInPacket)
		kind := more
		if n == len(links) && err == nil {
			kind = last
		}
		packet = appendPart(packet[:0], question, number, kind)
		for _, l := range links[:n] {
			packet = appendLink(packet, l)
		}
		links = links[n:]
		if err := send(packet); err != nil || kind == last {
			return err
		}
		if len(links) == 0 {
			text := err.Error()
			packet = appendPart(packet[:0], question, number+1, failed)
			return send(append(packet, text[:min(len(text), maxText)]...))
		}
	}
}

func send(packet []byte) error {
	for {
		_, err := unix.Write(questions, packet)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
