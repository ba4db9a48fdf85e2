package process

import (
	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"golang.org/x/sys/unix"
)

// The programs need no compiler and no type information of the kernel: they read only
// their contexts (linux/bpf.h), whose layout never changes.

// What an event tells.
const (
	eventCreate  = iota + 1 // a process made a socket
	eventConnect            // a process connects a socket
	eventTuple              // a TCP socket that connects has its addresses
	eventAccept             // a connection to a listener is established
	eventListen             // a TCP socket listens
	eventBind               // a UDP socket has an address
	eventRelease            // a process closed a socket for the last time
	eventExit               // a process ended
)

// Where the fields of an event are, in bytes from its beginning.
const (
	atKind       = 0
	atFamily     = 4
	atCookie     = 8
	atNetns      = 16 // cookie of the socket's network namespace
	atTime       = 24 // since boot, in ns
	atTask       = 32 // the process's PID in the upper half, the thread's in the lower
	atUser       = 40 // the UID in the lower half
	atCgroup     = 48
	atName       = 56
	atLocal      = 72
	atRemote     = 88
	atLocalPort  = 104 // host byte order
	atRemotePort = 108 // network byte order, in the last two bytes
	atProtocol   = 112
	atPacket     = 116 // EtherType of the packet that was sent, in network byte order
	eventSize    = 120
)

// Offsets in struct bpf_sock.
const (
	sockFamily   = 4
	sockProtocol = 12
	sockSrcIP4   = 24
	sockSrcIP6   = 28
	sockSrcPort  = 44
	sockDstPort  = 48
	sockDstIP4   = 52
	sockDstIP6   = 56
)

// Offsets in struct bpf_sock_addr, bpf_sock_ops and __sk_buff.
const (
	addrFamily   = 28
	addrProtocol = 36

	opsOp         = 0
	opsFamily     = 20
	opsRemoteIP4  = 24
	opsLocalIP4   = 28
	opsRemoteIP6  = 32
	opsLocalIP6   = 48
	opsRemotePort = 64
	opsLocalPort  = 68

	opConnect = 3  // BPF_SOCK_OPS_TCP_CONNECT_CB
	opAccept  = 5  // BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB
	opListen  = 11 // BPF_SOCK_OPS_TCP_LISTEN_CB

	skbProtocol = 16
	skbSock     = 168
)

// onStack is where a field of the event is on the program's stack.
func onStack(at int16) int16 { return at - eventSize }

// A writer writes a program. R6 holds its context.
type writer struct{ asm.Instructions }

func (w *writer) add(ins ...asm.Instruction) { w.Instructions = append(w.Instructions, ins...) }

// mark does nothing, at a place to jump to.
func mark(label string) asm.Instruction { return asm.Mov.Reg(asm.R6, asm.R6).WithSymbol(label) }

// begin keeps the context and clears the event.
func (w *writer) begin() {
	w.add(asm.Mov.Reg(asm.R6, asm.R1))
	w.clear()
}

func (w *writer) clear() {
	w.add(asm.Mov.Imm(asm.R2, 0))
	for at := int16(0); at < eventSize; at += 8 {
		w.add(asm.StoreMem(asm.RFP, onStack(at), asm.R2, asm.DWord))
	}
}

func (w *writer) kind(kind int64) {
	w.add(asm.StoreImm(asm.RFP, onStack(atKind), kind, asm.Word))
}

// word copies 32 bits of what from points to into the event.
func (w *writer) word(at int16, from asm.Register, offset int16) {
	w.add(asm.LoadMem(asm.R2, from, offset, asm.Word), asm.StoreMem(asm.RFP, onStack(at), asm.R2, asm.Word))
}

// address copies an IPv6 address.
func (w *writer) address(at int16, from asm.Register, offset int16) {
	for i := int16(0); i < 16; i += 4 {
		w.word(at+i, from, offset+i)
	}
}

// ofContext stores what a helper says of the context.
func (w *writer) ofContext(at int16, helper asm.BuiltinFunc) {
	w.add(asm.Mov.Reg(asm.R1, asm.R6), helper.Call(), asm.StoreMem(asm.RFP, onStack(at), asm.R0, asm.DWord))
}

// of stores what a helper without arguments says.
func (w *writer) of(at int16, helper asm.BuiltinFunc) {
	w.add(helper.Call(), asm.StoreMem(asm.RFP, onStack(at), asm.R0, asm.DWord))
}

// task stores who runs.
func (w *writer) task() {
	w.of(atTask, asm.FnGetCurrentPidTgid)
	w.of(atUser, asm.FnGetCurrentUidGid)
	w.add(
		asm.Mov.Reg(asm.R1, asm.RFP), asm.Add.Imm(asm.R1, int32(onStack(atName))),
		asm.Mov.Imm(asm.R2, 16),
		asm.FnGetCurrentComm.Call(),
	)
}

// only leaves the program unless R2 is one of the values.
func (w *writer) only(label string, values ...int32) {
	for _, v := range values {
		w.add(asm.JEq.Imm(asm.R2, v, label))
	}
	w.add(asm.Ja.Label("out"), mark(label))
}

// internet leaves the program unless the socket is TCP or UDP over IPv4 or IPv6.
func (w *writer) internet(family, protocol int16) {
	w.word(atFamily, asm.R6, family)
	w.only("family", unix.AF_INET, unix.AF_INET6)
	w.word(atProtocol, asm.R6, protocol)
	w.only("protocol", unix.IPPROTO_TCP, unix.IPPROTO_UDP)
}

// end sends the event, counts it when there was no room, and lets things happen.
func (w *writer) end(maps *programMaps) asm.Instructions {
	w.add(
		asm.LoadMapPtr(asm.R1, maps.events.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -eventSize),
		asm.Mov.Imm(asm.R3, eventSize),
		asm.Mov.Imm(asm.R4, 0), // wake the reader when it has read all before
		asm.FnRingbufOutput.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.StoreImm(asm.RFP, -eventSize, 0, asm.Word), // the key
		asm.LoadMapPtr(asm.R1, maps.lost.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, -eventSize),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Imm(asm.R1, 1),
		asm.StoreXAdd(asm.R0, asm.R1, asm.DWord),
		asm.Mov.Imm(asm.R0, 1).WithSymbol("out"),
		asm.Return(),
	)
	return w.Instructions
}

// A program is one of ours and where it is attached.
type program struct {
	name   string
	kind   ebpf.ProgramType
	attach ebpf.AttachType
	write  func(*programMaps) asm.Instructions
	plain  func(*programMaps) asm.Instructions // for a kernel that refuses the former; nil when there is none
}

// programs are attached in this order: who made a socket is known before its addresses.
var programs = []program{
	{"create", ebpf.CGroupSock, ebpf.AttachCGroupInetSockCreate, ofTask(eventCreate, sockFamily, sockProtocol), nil},
	{"release", ebpf.CGroupSock, ebpf.AttachCgroupInetSockRelease, ofTask(eventRelease, sockFamily, sockProtocol), nil},
	{"connect4", ebpf.CGroupSockAddr, ebpf.AttachCGroupInet4Connect, ofTask(eventConnect, addrFamily, addrProtocol), nil},
	{"connect6", ebpf.CGroupSockAddr, ebpf.AttachCGroupInet6Connect, ofTask(eventConnect, addrFamily, addrProtocol), nil},
	{"tcp", ebpf.SockOps, ebpf.AttachCGroupSockOps, ofTCP, ofTCPWithoutTask},
	{"bind4", ebpf.CGroupSock, ebpf.AttachCGroupInet4PostBind, ofBind4, nil},
	{"bind6", ebpf.CGroupSock, ebpf.AttachCGroupInet6PostBind, ofBind6, nil},
	{"datagram", ebpf.CGroupSKB, ebpf.AttachCGroupInetEgress, ofDatagram, nil},
}

// ofTask tells which process makes, connects or closes a socket: who connects it may have got
// it from another.
func ofTask(kind int64, family, protocol int16) func(*programMaps) asm.Instructions {
	return func(maps *programMaps) asm.Instructions {
		var w writer
		w.begin()
		w.internet(family, protocol)
		w.kind(kind)
		w.ofContext(atCookie, asm.FnGetSocketCookie)
		w.ofContext(atNetns, asm.FnGetNetnsCookie)
		w.of(atTime, asm.FnKtimeGetBootNs)
		w.of(atCgroup, asm.FnGetCurrentCgroupId)
		w.task()
		return w.end(maps)
	}
}

func ofTCP(maps *programMaps) asm.Instructions            { return ofTCPEvent(maps, true) }
func ofTCPWithoutTask(maps *programMaps) asm.Instructions { return ofTCPEvent(maps, false) }

// ofTCPEvent tells the addresses of a TCP socket when they are known; with task also which
// process connects or listens, which Linux tells here since 6.10: a socket below one of
// MPTCP, as servers in Go have them, is made by the kernel and not otherwise told.
func ofTCPEvent(maps *programMaps, task bool) asm.Instructions {
	var w writer
	w.add( // most runs end here
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R7, asm.R6, opsOp, asm.Word),
		asm.Mov.Imm(asm.R8, eventTuple), asm.JEq.Imm(asm.R7, opConnect, "kind"),
		asm.Mov.Imm(asm.R8, eventAccept), asm.JEq.Imm(asm.R7, opAccept, "kind"),
		asm.Mov.Imm(asm.R8, eventListen), asm.JEq.Imm(asm.R7, opListen, "kind"),
		asm.Ja.Label("out"),
		mark("kind"),
	)
	w.clear()
	w.add(
		asm.StoreMem(asm.RFP, onStack(atKind), asm.R8, asm.Word),
		asm.StoreImm(asm.RFP, onStack(atProtocol), unix.IPPROTO_TCP, asm.Word),
	)
	w.word(atLocalPort, asm.R6, opsLocalPort)
	w.word(atRemotePort, asm.R6, opsRemotePort)
	w.word(atFamily, asm.R6, opsFamily)
	w.add(asm.JEq.Imm(asm.R2, unix.AF_INET6, "six"))
	w.word(atLocal, asm.R6, opsLocalIP4)
	w.word(atRemote, asm.R6, opsRemoteIP4)
	w.add(asm.Ja.Label("done"), mark("six"))
	w.address(atLocal, asm.R6, opsLocalIP6)
	w.address(atRemote, asm.R6, opsRemoteIP6)
	w.add(mark("done"))
	w.ofContext(atCookie, asm.FnGetSocketCookie)
	w.ofContext(atNetns, asm.FnGetNetnsCookie)
	w.of(atTime, asm.FnKtimeGetBootNs)
	if task {
		w.add(asm.JEq.Imm(asm.R7, opAccept, "accepted")) // while the kernel works for anybody
		w.of(atTask, asm.FnGetCurrentPidTgid)
		w.add(mark("accepted"))
	}
	return w.end(maps)
}

func ofBind4(maps *programMaps) asm.Instructions { return ofBind(maps, sockSrcIP4, 4) }
func ofBind6(maps *programMaps) asm.Instructions { return ofBind(maps, sockSrcIP6, 16) }

// ofBind tells the address that a UDP socket was bound to: it may receive before it
// sends.
func ofBind(maps *programMaps, ip, size int16) asm.Instructions {
	var w writer
	w.begin()
	w.word(atProtocol, asm.R6, sockProtocol)
	w.only("udp", unix.IPPROTO_UDP)
	w.kind(eventBind)
	w.word(atFamily, asm.R6, sockFamily)
	w.word(atLocalPort, asm.R6, sockSrcPort)
	for i := int16(0); i < size; i += 4 {
		w.word(atLocal+i, asm.R6, ip+i)
	}
	w.ofContext(atCookie, asm.FnGetSocketCookie)
	w.ofContext(atNetns, asm.FnGetNetnsCookie)
	w.of(atTime, asm.FnKtimeGetBootNs)
	w.task()
	return w.end(maps)
}

// ofDatagram tells the addresses of a UDP socket when it sends: the kernel chooses its
// port after connect was called, and nobody else says which. The program runs for each
// packet of every protocol, so that it is as short as it can be for most: a socket is
// told once, and again when it has another port or peer or sends by the other version of
// IP.
func ofDatagram(maps *programMaps) asm.Instructions {
	const key, value = -eventSize - 8, -eventSize - 16 // on the stack
	var w writer
	w.add(
		asm.Mov.Reg(asm.R6, asm.R1),
		asm.LoadMem(asm.R1, asm.R6, skbSock, asm.DWord),
		asm.JEq.Imm(asm.R1, 0, "out"),
		asm.FnSkFullsock.Call(),
		asm.JEq.Imm(asm.R0, 0, "out"),
		asm.Mov.Reg(asm.R7, asm.R0),
		asm.LoadMem(asm.R2, asm.R7, sockProtocol, asm.Word),
		asm.JNE.Imm(asm.R2, unix.IPPROTO_UDP, "out"),
		// Ports and IP version, for the comparison with what was told.
		asm.LoadMem(asm.R8, asm.R7, sockSrcPort, asm.Word),
		asm.LoadMem(asm.R9, asm.R7, sockDstPort, asm.Half),
		asm.LSh.Imm(asm.R9, 32),
		asm.Or.Reg(asm.R8, asm.R9),
		asm.LoadMem(asm.R9, asm.R6, skbProtocol, asm.Word),
		asm.LSh.Imm(asm.R9, 16),
		asm.Or.Reg(asm.R8, asm.R9),
		asm.Mov.Reg(asm.R1, asm.R6),
		asm.FnGetSocketCookie.Call(),
		asm.StoreMem(asm.RFP, key, asm.R0, asm.DWord),
		asm.LoadMapPtr(asm.R1, maps.told.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key),
		asm.FnMapLookupElem.Call(),
		asm.JEq.Imm(asm.R0, 0, "tell"),
		asm.LoadMem(asm.R1, asm.R0, 0, asm.DWord),
		asm.JEq.Reg(asm.R1, asm.R8, "out"),
		asm.StoreMem(asm.RFP, value, asm.R8, asm.DWord).WithSymbol("tell"),
		asm.LoadMapPtr(asm.R1, maps.told.FD()),
		asm.Mov.Reg(asm.R2, asm.RFP), asm.Add.Imm(asm.R2, key),
		asm.Mov.Reg(asm.R3, asm.RFP), asm.Add.Imm(asm.R3, value),
		asm.Mov.Imm(asm.R4, 0),
		asm.FnMapUpdateElem.Call(),
	)
	w.clear()
	w.kind(eventBind)
	w.add(
		asm.StoreImm(asm.RFP, onStack(atProtocol), unix.IPPROTO_UDP, asm.Word),
		asm.LoadMem(asm.R1, asm.RFP, key, asm.DWord),
		asm.StoreMem(asm.RFP, onStack(atCookie), asm.R1, asm.DWord),
		asm.LoadMem(asm.R1, asm.R7, sockDstPort, asm.Half),
		asm.StoreMem(asm.RFP, onStack(atRemotePort+2), asm.R1, asm.Half),
	)
	w.word(atPacket, asm.R6, skbProtocol)
	w.word(atLocalPort, asm.R7, sockSrcPort)
	w.word(atFamily, asm.R7, sockFamily)
	w.add(asm.JEq.Imm(asm.R2, unix.AF_INET6, "six"))
	w.word(atLocal, asm.R7, sockSrcIP4)
	w.word(atRemote, asm.R7, sockDstIP4)
	w.add(asm.Ja.Label("done"), mark("six"))
	w.address(atLocal, asm.R7, sockSrcIP6)
	w.address(atRemote, asm.R7, sockDstIP6)
	w.add(asm.FnKtimeGetBootNs.Call().WithSymbol("done"), asm.StoreMem(asm.RFP, onStack(atTime), asm.R0, asm.DWord))
	return w.end(maps)
}

// ofExit tells that a process ended, so that another with its number is not mistaken
// for it. A thread that is not the process's first ends in silence.
func ofExit(maps *programMaps) asm.Instructions {
	var w writer
	w.begin()
	w.of(atTask, asm.FnGetCurrentPidTgid)
	w.add(
		asm.LoadMem(asm.R1, asm.RFP, onStack(atTask), asm.Word),
		asm.LoadMem(asm.R2, asm.RFP, onStack(atTask+4), asm.Word),
		asm.JNE.Reg(asm.R1, asm.R2, "out"),
	)
	w.kind(eventExit)
	w.of(atTime, asm.FnKtimeGetBootNs)
	return w.end(maps)
}
