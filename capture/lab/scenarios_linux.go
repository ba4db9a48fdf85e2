package lab

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// scenarios are what the ends do in each lab.
var scenarios = map[string]func(*experiment){
	"handshake":                 handshake,
	"refused":                   refused,
	"no-reply":                  noReply,
	"half-open":                 halfOpen,
	"simultaneous-open":         simultaneousOpen,
	"close":                     orderlyClose,
	"half-close":                halfClose,
	"time-wait":                 timeWait,
	"reset":                     reset,
	"port-reuse":                portReuse,
	"retransmission":            retransmission,
	"zero-window":               zeroWindow,
	"udp":                       udp,
	"udp-refused":               udpRefused,
	"raw":                       raw,
	"one-port-many-sockets":     onePortManySockets,
	"stream-vs-datagram-vs-raw": streamDatagramRaw,
	"ports-and-ranges":          portsAndRanges,
}

const (
	stream = unix.SOCK_STREAM
	dgram  = unix.SOCK_DGRAM
)

// ackDelay is longer than a kernel keeps an acknowledgment back (RFC 9293 §3.8.6.3).
const ackDelay = 300 * time.Millisecond

func at(a netip.Addr, port uint16) netip.AddrPort { return netip.AddrPortFrom(a, port) }

// web is the server's port 80, of which most labs are about.
var web = at(serverAddress, 80)

// listening is a socket of the server that waits for connections.
func (x *experiment) listening(a netip.AddrPort) int {
	l := x.server.socket(stream, 0)
	x.server.bind(l, a)
	x.server.listen(l, 8)
	return l
}

// connected is a connection: the client's socket and the server's.
func (x *experiment) connected(l int, a netip.AddrPort) (c, s int) {
	accepted := x.server.accepting(l)
	c = x.client.socket(stream, 0)
	x.client.connect(c, a)
	return c, accepted()
}

// say sends data from one end's socket to the other's, which waits for it.
func say(from *end, fd int, to *end, other int, data string) {
	received := to.receiving(other, 4096)
	from.send(fd, data)
	received()
}

func handshake(x *experiment) {
	x.connected(x.listening(web), web)
	x.table(x.client)
	x.table(x.server)
}

func refused(x *experiment) {
	c := x.client.socket(stream, 0)
	x.client.connect(c, at(serverAddress, 81))
	x.table(x.server)
}

func noReply(x *experiment) {
	c := x.client.socket(stream, 0)
	x.client.userTimeout(c, 3300)
	gone := x.client.later(x.client.connection(c, at(nobodyAddress, 80)))
	x.pause(100 * time.Millisecond)
	gone()
}

// halfOpen sends a SYN of a host that does not exist, so that nobody answers the SYN-ACK.
func halfOpen(x *experiment) {
	x.listening(web)
	c := x.client.socket(unix.SOCK_RAW, unix.IPPROTO_RAW)
	syn := segment{from: at(nobodyAddress, 4000), to: web, seq: 1000, flags: flagSYN, window: 64240, options: []byte{2, 4, 5, 0xb4}}
	packet := ipv4(nobodyAddress, serverAddress, protocolTCP, 1, syn.encode())
	answered := x.more(3) // the SYN, the SYN-ACK and this once more
	x.client.sendTo(c, packet, fmt.Sprintf("SYN %v > %v", syn.from, syn.to), at(serverAddress, 0))
	x.table(x.server)
	x.until(answered)
}

// simultaneousOpen lets both ends connect before either has heard of the other: what they
// send waits until both have.
func simultaneousOpen(x *experiment) {
	a, b := at(clientAddress, 5000), at(serverAddress, 6000)
	releaseA, releaseB := x.client.hold(), x.server.hold()
	c := x.client.socket(stream, 0)
	x.client.bind(c, a)
	s := x.server.socket(stream, 0)
	x.server.bind(s, b)
	clientDone := x.client.later(x.client.connection(c, b))
	serverDone := x.server.later(x.server.connection(s, a))
	releaseA()
	releaseB()
	clientDone()
	serverDone()
	x.table(x.client)
	x.table(x.server)
}

func orderlyClose(x *experiment) {
	c, s := x.connected(x.listening(web), web)
	received := x.server.receiving(s, 4096)
	x.client.close(c)
	received()
	x.pause(ackDelay)
	x.table(x.client)
	x.table(x.server)
	x.server.close(s)
	x.table(x.client)
	x.table(x.server)
}

func halfClose(x *experiment) {
	c, s := x.connected(x.listening(web), web)
	received := x.server.receiving(s, 4096)
	x.client.shutdownWrite(c)
	received()
	x.pause(ackDelay)
	x.table(x.client)
	x.table(x.server)
	say(x.server, s, x.client, c, "still here")
	x.pause(ackDelay)
	received = x.client.receiving(c, 4096)
	x.server.close(s)
	received()
}

// timeWait lets the server close first, so that it is the one that must wait.
func timeWait(x *experiment) {
	l := x.server.socket(stream, 0)
	x.server.reuse(l) // both must have said so: the old socket and the new one
	x.server.bind(l, web)
	x.server.listen(l, 8)
	c, s := x.connected(l, web)
	received := x.client.receiving(c, 4096)
	x.server.close(s)
	received()
	x.pause(ackDelay)
	x.client.close(c)
	x.table(x.client)
	x.table(x.server)
	x.server.close(l)
	again := x.server.socket(stream, 0)
	x.server.bind(again, web)
	x.server.reuse(again)
	x.server.bind(again, web)
}

func reset(x *experiment) {
	c, s := x.connected(x.listening(web), web)
	received := x.server.receiving(s, 4096)
	x.client.linger(c)
	x.client.close(c)
	received()
	x.table(x.client)
	x.table(x.server)
}

// portReuse connects twice from the same port: the second SYN meets a server in TIME-WAIT.
func portReuse(x *experiment) {
	l := x.listening(web)
	for range 2 {
		accepted := x.server.accepting(l)
		c := x.client.socket(stream, 0)
		x.client.reuse(c)
		x.client.bind(c, at(clientAddress, 4000))
		x.client.connect(c, web)
		s := accepted()
		received := x.client.receiving(c, 4096)
		x.server.close(s)
		received()
		x.pause(ackDelay)
		x.client.close(c)
		x.table(x.server)
	}
}

func retransmission(x *experiment) {
	c, s := x.connected(x.listening(web), web)
	x.lose()
	received := x.server.receiving(s, 4096)
	again := x.more(2) // it, and it once more
	x.client.send(c, "hello")
	x.until(again)
	x.deliver()
	received()
	x.pause(ackDelay)
}

// zeroWindow fills the server's buffer, which has room for two segments.
func zeroWindow(x *experiment) {
	const half = 724 // bytes in a segment: TCP sends at most half of what the other end has room for
	l := x.server.socket(stream, 0)
	x.server.receiveBuffer(l, 2304)
	x.server.bind(l, web)
	x.server.listen(l, 8)
	c, s := x.connected(l, web)
	x.client.sendNow(c, strings.Repeat("a", 3*half))
	x.until(probed)
	x.table(x.client)
	x.table(x.server)
	for range 2 {
		x.server.receiving(s, 4*half)()
		x.pause(ackDelay)
	}
}

// probed reports whether a window of 0 was announced, asked about, and announced again.
func probed(frames []capture.Frame) bool {
	full, asked := false, false
	for i := range frames {
		b := frames[i].Data
		const ethernet, ip = 14, 20
		if len(b) < ethernet+2*ip || b[ethernet+9] != protocolTCP {
			continue
		}
		window := binary.BigEndian.Uint16(b[ethernet+ip+14:])
		switch answer := frames[i].Direction == capture.Inbound; {
		case answer && window == 0 && asked:
			return true
		case answer:
			full, asked = window == 0, false
		case full:
			asked = true
		}
	}
	return false
}

func udp(x *experiment) {
	echo := at(serverAddress, 7) // RFC 862
	s := x.server.socket(dgram, 0)
	x.server.bind(s, echo)
	received := x.server.receivingFrom(s, 512, quoted)
	c := x.client.socket(dgram, 0)
	x.client.sendTo(c, []byte("hello"), `"hello"`, echo)
	received()
	var from unix.Sockaddr
	x.client.program.do(func() { from, _ = unix.Getsockname(c) })
	received = x.client.receivingFrom(c, 512, quoted)
	x.server.sendTo(s, []byte("hello"), `"hello"`, at(clientAddress, addrPort(from).Port()))
	received()
	x.table(x.client)
	x.table(x.server)
}

func udpRefused(x *experiment) {
	c := x.client.socket(dgram, 0)
	x.client.connect(c, at(serverAddress, 54))
	x.client.send(c, "ping")
	x.client.receiving(c, 512)()
}

// raw asks with an ICMP echo request (RFC 792); the server's kernel answers by itself.
func raw(x *experiment) {
	c := x.client.socket(unix.SOCK_RAW, unix.IPPROTO_ICMP)
	x.client.sendTo(c, message(8, 0, 1<<16|1, []byte("sockscope")), "ICMP echo request", at(serverAddress, 0))
	x.client.receivingFrom(c, 512, func(b []byte) string {
		const headers = 20 + 8 // of IP and ICMP
		if len(b) > headers && b[20] == 0 {
			return "IP header, ICMP echo reply"
		}
		return quoted(b)
	})()
	x.table(x.client)
	x.table(x.server)
}

func onePortManySockets(x *experiment) {
	l := x.listening(web)
	for range 3 {
		x.connected(l, web)
	}
	x.table(x.client)
	x.table(x.server)
}

func streamDatagramRaw(x *experiment) {
	// A stream has no borders.
	c, s := x.connected(x.listening(web), web)
	x.client.send(c, "one")
	x.client.send(c, "two")
	x.pause(ackDelay)
	x.server.receiving(s, 512)()
	// Datagrams have.
	discard := at(serverAddress, 9) // RFC 863
	s = x.server.socket(dgram, 0)
	x.server.bind(s, discard)
	c = x.client.socket(dgram, 0)
	x.client.sendTo(c, []byte("one"), `"one"`, discard)
	x.client.sendTo(c, []byte("two"), `"two"`, discard)
	x.server.receivingFrom(s, 512, quoted)()
	x.server.receivingFrom(s, 512, quoted)()
	// A raw socket has not even ports: the number behind is a protocol's.
	s = x.server.socket(unix.SOCK_RAW, protocolExperiment)
	c = x.client.socket(unix.SOCK_RAW, protocolExperiment)
	x.client.sendTo(c, []byte("one"), `"one"`, at(serverAddress, 0))
	x.server.receivingFrom(s, 512, func(b []byte) string {
		if n := int(b[0]&15) * 4; len(b) >= n {
			return "IP header, " + quoted(b[n:])
		}
		return quoted(b)
	})()
	x.table(x.server)
}

func portsAndRanges(x *experiment) {
	x.client.readSetting("ipv4/ip_unprivileged_port_start")
	x.client.readSetting("ipv4/ip_local_port_range")
	x.client.unprivileged()
	any := netip.IPv4Unspecified()
	c := x.client.socket(stream, 0)
	x.client.bind(c, at(any, 80))
	x.client.bind(c, at(any, 8080))
	c = x.client.socket(stream, 0)
	x.client.bind(c, at(any, 8080))
	x.client.bind(c, at(any, 0))
	x.client.ownAddress(c)
	l := x.listening(web)
	for range 2 {
		c, _ = x.connected(l, web)
		x.client.ownAddress(c)
	}
	x.table(x.client)
}
