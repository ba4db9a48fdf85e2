package lab

import (
	"fmt"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// The calls of an end. Each is recorded as it was made, with what the kernel said.

// socketNames are the words for what socket is asked for.
var socketNames = map[int]string{
	unix.SOCK_STREAM: "SOCK_STREAM", unix.SOCK_DGRAM: "SOCK_DGRAM", unix.SOCK_RAW: "SOCK_RAW",
}

var protocolNames = map[int]string{
	0: "0", unix.IPPROTO_ICMP: "IPPROTO_ICMP", unix.IPPROTO_RAW: "IPPROTO_RAW", protocolExperiment: fmt.Sprint(protocolExperiment),
}

func (e *end) socket(kind, protocol int) (fd int) {
	asked := fmt.Sprintf("socket(AF_INET, %s, %s)", socketNames[kind], protocolNames[protocol])
	e.now(func() {
		e.record(Call{Name: "socket", Asked: asked}, func() (string, string) {
			var err error
			if fd, err = unix.Socket(unix.AF_INET, kind, protocol); err == nil {
				e.opened(fd)
			}
			return outcome(fd, err), ""
		})
	})
	return fd
}

// simple is a call that gives nothing but its result.
func (e *end) simple(name, arguments string, f func() error) {
	e.now(func() {
		e.record(Call{Name: name, Asked: name + "(" + arguments + ")"}, func() (string, string) { return outcome(0, f()), "" })
	})
}

func (e *end) bind(fd int, a netip.AddrPort) {
	e.simple("bind", fmt.Sprintf("%d, %v", fd, a), func() error { return unix.Bind(fd, sockaddr(a)) })
}

func (e *end) listen(fd, backlog int) {
	e.simple("listen", fmt.Sprintf("%d, %d", fd, backlog), func() error { return unix.Listen(fd, backlog) })
}

func (e *end) shutdownWrite(fd int) {
	e.simple("shutdown", fmt.Sprintf("%d, SHUT_WR", fd), func() error { return unix.Shutdown(fd, unix.SHUT_WR) })
}

func (e *end) close(fd int) {
	e.simple("close", fmt.Sprint(fd), func() error { e.forget(fd); return unix.Close(fd) })
}

// reuse lets an address be bound that a connection in TIME-WAIT has.
func (e *end) reuse(fd int) {
	e.simple("setsockopt", fmt.Sprintf("%d, SOL_SOCKET, SO_REUSEADDR, 1", fd), func() error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
}

// receiveBuffer bounds what the kernel keeps for the program; it doubles the number.
func (e *end) receiveBuffer(fd, bytes int) {
	e.simple("setsockopt", fmt.Sprintf("%d, SOL_SOCKET, SO_RCVBUF, %d", fd, bytes), func() error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
	})
}

// linger makes close throw away what was not sent, and reset the connection.
func (e *end) linger(fd int) {
	e.simple("setsockopt", fmt.Sprintf("%d, SOL_SOCKET, SO_LINGER, {1, 0}", fd), func() error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
}

// userTimeout bounds how long TCP goes on without an answer (RFC 5482).
func (e *end) userTimeout(fd, milliseconds int) {
	e.simple("setsockopt", fmt.Sprintf("%d, IPPROTO_TCP, TCP_USER_TIMEOUT, %d", fd, milliseconds), func() error {
		return unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, milliseconds)
	})
}

// connection is a connect to be made.
func (e *end) connection(fd int, a netip.AddrPort) func() {
	kind, _ := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return func() {
		asked := fmt.Sprintf("connect(%d, %v)", fd, a)
		e.record(Call{Name: "connect", Asked: asked, Waits: kind == unix.SOCK_STREAM}, func() (string, string) {
			return outcome(0, e.patiently(func() error { return unix.Connect(fd, sockaddr(a)) })), ""
		})
	}
}

func (e *end) connect(fd int, a netip.AddrPort) { e.now(e.connection(fd, a)) }

// accepting makes an accept that waits. What it gives waits for the connected socket.
func (e *end) accepting(fd int) (accepted func() int) {
	connected := -1
	wait := e.later(func() {
		e.record(Call{Name: "accept", Asked: fmt.Sprintf("accept(%d, …)", fd), Waits: true}, func() (string, string) {
			var from unix.Sockaddr
			err := e.patiently(func() (err error) {
				connected, from, err = unix.Accept4(fd, 0)
				return err
			})
			if err != nil {
				return outcome(0, err), ""
			}
			e.opened(connected)
			return outcome(connected, nil), fmt.Sprintf("accept(%d, %v)", fd, addrPort(from))
		})
	})
	return func() int { wait(); return connected }
}

func (e *end) send(fd int, data string) {
	e.simpleSend(fmt.Sprintf("send(%d, %s, %d, 0)", fd, quoted([]byte(data)), len(data)), func() (int, error) {
		return unix.SendmsgN(fd, []byte(data), nil, nil, 0)
	})
}

// sendNow is send for as much as the kernel takes without waiting.
func (e *end) sendNow(fd int, data string) {
	e.simpleSend(fmt.Sprintf("send(%d, %s, %d, MSG_DONTWAIT)", fd, quoted([]byte(data)), len(data)), func() (int, error) {
		return unix.SendmsgN(fd, []byte(data), nil, nil, unix.MSG_DONTWAIT)
	})
}

// sendTo sends data, which text describes where it is no text.
func (e *end) sendTo(fd int, data []byte, text string, to netip.AddrPort) {
	destination := to.String()
	if to.Port() == 0 {
		destination = to.Addr().String()
	}
	e.simpleSend(fmt.Sprintf("sendto(%d, %s, %d, 0, %s)", fd, text, len(data), destination), func() (int, error) {
		return unix.SendmsgN(fd, data, nil, sockaddr(to), 0)
	})
}

func (e *end) simpleSend(asked string, f func() (int, error)) {
	name, _, _ := strings.Cut(asked, "(")
	e.now(func() {
		e.record(Call{Name: name, Asked: asked}, func() (string, string) {
			n, err := f()
			return outcome(n, err), ""
		})
	})
}

// receiving makes a recv that waits, of at most size bytes. What it gives waits for it.
func (e *end) receiving(fd, size int) (received func()) {
	return e.receive("recv", fd, size, func(data []byte, _ netip.AddrPort) string {
		return fmt.Sprintf("recv(%d, %s, %d, 0)", fd, quoted(data), size)
	})
}

// receivingFrom is receiving with the sender's address, as recvfrom has it.
func (e *end) receivingFrom(fd, size int, describe func([]byte) string) (received func()) {
	return e.receive("recvfrom", fd, size, func(data []byte, from netip.AddrPort) string {
		source := from.String()
		if from.Port() == 0 {
			source = from.Addr().String()
		}
		return fmt.Sprintf("recvfrom(%d, %s, %d, 0, %s)", fd, describe(data), size, source)
	})
}

func (e *end) receive(name string, fd, size int, text func([]byte, netip.AddrPort) string) func() {
	return e.later(func() {
		asked := fmt.Sprintf("%s(%d, …, %d, 0)", name, fd, size)
		e.record(Call{Name: name, Asked: asked, Waits: true}, func() (string, string) {
			data, n := make([]byte, size), 0
			var from unix.Sockaddr
			err := e.patiently(func() (err error) {
				n, from, err = unix.Recvfrom(fd, data, 0)
				return err
			})
			if err != nil {
				return outcome(0, err), ""
			}
			return outcome(n, nil), text(data[:n], addrPort(from))
		})
	})
}

// ownAddress asks which address and port a socket has.
func (e *end) ownAddress(fd int) {
	e.now(func() {
		e.record(Call{Name: "getsockname", Asked: fmt.Sprintf("getsockname(%d, …)", fd)}, func() (string, string) {
			a, err := unix.Getsockname(fd)
			if err != nil {
				return outcome(0, err), ""
			}
			return outcome(0, nil), fmt.Sprintf("getsockname(%d, %v)", fd, addrPort(a))
		})
	})
}

// readSetting reads one of the kernel's settings of the network.
func (e *end) readSetting(name string) {
	e.now(func() {
		e.record(Call{Name: "cat", Asked: "cat /proc/sys/net/" + name}, func() (string, string) {
			value, err := os.ReadFile("/proc/sys/net/" + name)
			if err != nil {
				return err.Error(), ""
			}
			return strings.Join(strings.Fields(string(value)), " "), ""
		})
	})
}

func writeSetting(name, value string) { _ = os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) }

// unprivileged takes the capability from the end that is needed for ports below 1024.
func (e *end) unprivileged() {
	e.simple("capset", "-CAP_NET_BIND_SERVICE", func() error {
		header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var data [2]unix.CapUserData
		if err := unix.Capget(&header, &data[0]); err != nil {
			return err
		}
		data[0].Effective &^= 1 << unix.CAP_NET_BIND_SERVICE
		return unix.Capset(&header, &data[0])
	})
}
