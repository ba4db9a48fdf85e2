// Package privilege gives up what the program needs no longer once its sockets and
// files are open: capabilities, the user root, and with Landlock and seccomp most of
// what any process may do. What still needs capabilities, to see which process holds
// a socket, is left to a helper: another process, which can do nothing else.
package privilege

import "fmt"

// Config says what is kept. The zero value keeps what a capture needs that writes to
// files it has opened already.
type Config struct {
	// User is whom the program becomes when it is root: a name or a number. "" is
	// nobody, 65534, or the owner of the first directory in Writable, who may be root: in
	// a directory of root's nobody else can make files. "root" stays root, though without
	// capabilities. Who is not root stays who he is, and may name no other.
	User string

	// Readable are the files and directories that are opened for reading later. /proc
	// always is. What does not exist is left out.
	Readable []string

	// Writable are the directories in which files are made, renamed or removed later.
	// The user must be able to. Files made before belong to the user of before, who alone
	// may rename them in a directory such as /tmp: better make them after Drop.
	Writable []string

	// Maps says that maps of eBPF programs are read.
	Maps bool
}

// State is what was given up. The kernel lacks what is not on.
type State struct {
	User     int // the user it is now
	Landlock int // ABI number of the kernel's Landlock, 0: off
	Seccomp  bool
}

// String is s in words: "landlock abi 7, seccomp on".
func (s State) String() string {
	landlock, seccomp := "off", "off"
	if s.Landlock > 0 {
		landlock = fmt.Sprintf("abi %d", s.Landlock)
	}
	if s.Seccomp {
		seccomp = "on"
	}
	return "landlock " + landlock + ", seccomp " + seccomp
}

// Drop gives up all privileges, on all threads, for good. Call it when everything is
// open and before anything foreign is read. After an error the program must end: it
// may have lost some of them. It looks from inside at what the kernel says about each
// thread before it returns nil.
//
// A program that is linked with C code cannot do that, since only C's library knows all
// the threads: there Drop changes nothing and fails.
func Drop(cfg Config) (State, error) {
	s, err := drop(cfg)
	if err != nil {
		return s, fmt.Errorf("cannot drop privileges: %w", err)
	}
	return s, nil
}
