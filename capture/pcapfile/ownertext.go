package pcapfile

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"sockscope/capture"
)

// An ownerText is what the comments of a packet say about its owner. The first has the
// form that ptcpdump writes and Wireshark shows:
//
//	PID: 4242
//	Cmd: curl
//	Args: curl -s http://192.0.2.1/
//
// and the second, where there is more to say, lines of its other comments (UserId,
// ContainerId) and of our own (User, Unit, Netns, Basis). ptcpdump's Cmd is the path of
// the program (its early versions call it Command), ours the kernel's name of the process.
// Comments of any other form are only text.
//
// The slices point into the block that is read.
type ownerText struct {
	pid, uid, netns                      uint32
	hasUID                               bool
	basis                                capture.Basis
	name, command, user, unit, container []byte
}

const (
	pidKey, nameKey, commandKey = "PID: ", "Cmd: ", "Args: "
	earlyNameKey                = "Command: "

	maxOwnerName    = 256  // bytes of a name that are kept
	maxOwnerCommand = 2048 // likewise of a command's arguments
	maxComm         = 15   // bytes of the kernel's name of a process
)

// comment takes in what a comment says, when it has one of the forms.
func (o *ownerText) comment(c []byte) {
	c = bytes.TrimRight(c, "\x00")
	if rest, ok := bytes.CutPrefix(c, []byte(pidKey)); ok {
		o.process(rest)
		return
	}
	for first := true; len(c) > 0; first = false {
		var line []byte
		line, c, _ = bytes.Cut(c, []byte("\n"))
		key, value, _ := bytes.Cut(line, []byte(": "))
		if !o.detail(key, value) && first {
			return // another kind of comment
		}
	}
}

// process takes the comment with the process apart, behind its first key.
func (o *ownerText) process(c []byte) {
	pid, rest, more := bytes.Cut(c, []byte("\n"))
	n, ok := decimal(pid)
	if !ok || n == 0 || !more {
		return
	}
	name, ok := bytes.CutPrefix(rest, []byte(nameKey))
	if !ok {
		if name, ok = bytes.CutPrefix(rest, []byte(earlyNameKey)); !ok {
			return
		}
	}
	name, rest, more = bytes.Cut(name, []byte("\n"))
	if !more {
		return
	}
	command, ok := bytes.CutPrefix(rest, []byte(commandKey))
	if !ok {
		return
	}
	o.pid, o.name, o.command = n, clip(name, maxOwnerName), clip(command, maxOwnerCommand)
}

// detail takes in a line of the second comment and reports whether its key is known.
func (o *ownerText) detail(key, value []byte) bool {
	switch string(key) {
	case "UserId":
		o.uid, o.hasUID = decimal(value)
	case "Netns":
		o.netns, _ = decimal(value)
	case "User":
		o.user = clip(value, maxOwnerName)
	case "Unit":
		o.unit = clip(value, maxOwnerName)
	case "ContainerId":
		o.container = clip(value, maxOwnerName)
	case "ContainerName":
	case "Basis":
		for _, b := range []capture.Basis{capture.BasisExact, capture.BasisListener, capture.BasisCgroup} {
			if string(value) == b.String() {
				o.basis = b
			}
		}
	default:
		return false
	}
	return true
}

// known reports whether the packet has an owner at all.
func (o *ownerText) known() bool {
	return o.pid != 0 || o.basis == capture.BasisCgroup && len(o.unit)+len(o.container) > 0
}

// key appends to b what two owners that are the same have in common.
func (o *ownerText) key(b []byte) []byte {
	for _, n := range [...]uint32{o.pid, o.uid, o.netns} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	has := byte(0)
	if o.hasUID {
		has = 1
	}
	b = append(b, has, byte(o.basis))
	for _, s := range [...][]byte{o.name, o.command, o.user, o.unit, o.container} {
		b = binary.LittleEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return b
}

// owner is what o says, in memory of its own. Who names a process without a basis
// watched the system calls, as ptcpdump does, and gives the path of the program.
func (o *ownerText) owner() capture.Owner {
	name, basis := string(o.name), o.basis
	if basis == capture.NoBasis {
		basis = capture.BasisExact
		name = name[strings.LastIndexByte(name, '/')+1:]
		name = name[:min(len(name), maxComm)]
	}
	return capture.Owner{Basis: basis, Process: &capture.Process{
		PID: int(o.pid), Name: name, Command: string(o.command), HasUID: o.hasUID, UID: o.uid,
		User: string(o.user), Unit: string(o.unit), Container: string(o.container), Netns: o.netns,
	}}
}

// processComment is the first comment of a packet of o; "" without a process.
func processComment(o capture.Owner) string {
	if o.PID <= 0 {
		return ""
	}
	return pidKey + strconv.Itoa(o.PID) + "\n" + nameKey + oneLine(o.Name, maxOwnerName) + "\n" + commandKey + oneLine(o.Command, maxOwnerCommand)
}

// detailComment is the second.
func detailComment(o capture.Owner) string {
	var lines []string
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, key+": "+oneLine(value, maxOwnerName))
		}
	}
	if o.HasUID {
		add("UserId", strconv.FormatUint(uint64(o.UID), 10))
	}
	add("User", o.User)
	add("Unit", o.Unit)
	add("ContainerId", o.Container)
	if o.Netns != 0 {
		add("Netns", strconv.FormatUint(uint64(o.Netns), 10))
	}
	add("Basis", o.Basis.String())
	return strings.Join(lines, "\n")
}

// oneLine is s as a comment may have it: UTF-8 without anything that ends the line, or
// that a terminal would obey when a program shows the comment as it is.
func oneLine(s string, most int) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		piece := s[i : i+n]
		if r == utf8.RuneError && n == 1 || !unicode.IsPrint(r) {
			piece = ""
			for _, c := range []byte(s[i : i+n]) {
				piece += `\x` + string("0123456789abcdef"[c>>4]) + string("0123456789abcdef"[c&15])
			}
		}
		if b.Len()+len(piece) > most {
			break
		}
		b.WriteString(piece)
		i += n
	}
	return b.String()
}

// clip is the beginning of b.
func clip(b []byte, most int) []byte { return b[:min(len(b), most)] }

// decimal is the number that b is.
func decimal(b []byte) (uint32, bool) {
	if len(b) == 0 || len(b) > 10 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return uint32(n), n <= 1<<32-1
}
