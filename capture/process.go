package capture

// A Process is one that holds a socket of a captured connection, as it was when the
// socket was found. A Process is never changed once it was handed out, so that many
// connections share it. Strings are the process's own words, unescaped.
type Process struct {
	PID       int    // 0 when only a control group is known
	Name      string // the kernel's comm: up to 15 bytes
	Command   string // the arguments, with spaces between them; "" when they are not known
	HasUID    bool
	UID       uint32 // effective, in this host's user namespace
	User      string // "" when UID has no name here
	Unit      string // systemd's: "nginx.service"; "" when there is none
	Container string // the runtime's id, in hexadecimal; "" when there is none
	Netns     uint32 // inode of the network namespace of the socket; 0 when it is not known
}

// A Basis says how it is known that a process holds a socket.
type Basis uint8

const (
	NoBasis       Basis = iota // it is not known
	BasisExact                 // the kernel named the process for this very socket
	BasisListener              // the socket was accepted; the process is the one that listens
	BasisCgroup                // only the control group of the socket is known
)

// String is the word of the column process_basis; "" for NoBasis.
func (b Basis) String() string { return [...]string{"", "exact", "listener", "cgroup"}[b] }

// An Owner is the process behind one end of a connection, and how that is known.
// The zero value means that nothing is known. Two Owners are of the same process
// when their PID and Netns are, and they were seen in the same run; unless the kernel
// gave the number to another process in between, which has a Process of its own.
type Owner struct {
	*Process
	Basis Basis
}

// Known reports whether anything is known.
func (o Owner) Known() bool { return o.Process != nil }
