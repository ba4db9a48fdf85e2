package privilege

import (
	"errors"
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

var errLinkedWithC = errors.New("this binary is linked with C code, build it with CGO_ENABLED=0")

// linkedWithC reports whether calls on all threads are impossible.
func linkedWithC() bool {
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	return errno == unix.ENOTSUP
}

func drop(cfg Config) (State, error) {
	if linkedWithC() {
		return State{}, errLinkedWithC
	}
	to, err := findIdentity(cfg)
	if err != nil {
		return State{}, err
	}
	held, err := heldCapabilities()
	if err != nil {
		return State{}, err
	}
	_, _ = time.Now().Zone() // loads the time zone, for times that are printed later
	fence, err := newFence(cfg)
	if err != nil {
		return State{}, err
	}
	defer fence.close()
	if err := noDumps(); err != nil {
		return State{}, err
	}
	if held.has(capSetPCap) {
		if err := bound(0); err != nil {
			return State{}, err
		}
	}
	if err := to.become(); err != nil {
		return State{}, err
	}
	if err := keep(0); err != nil {
		return State{}, err
	}
	if err := noNewPrivileges(); err != nil {
		return State{}, err
	}
	if err := noDumps(); err != nil { // becoming another user undoes it
		return State{}, err
	}
	if err := fence.writable(); err != nil {
		return State{}, err
	}
	if err := fence.enter(); err != nil {
		return State{}, err
	}
	s := State{User: to.uid, Landlock: fence.abi}
	if s.Seccomp, err = confine(captureCalls(cfg)); err != nil {
		return State{}, err
	}
	return s, check("/proc/self/task", expectation{bounded: held.has(capSetPCap), who: to, seccomp: s.Seccomp})
}

// noDumps keeps the process's memory, which has what others sent, out of core files
// and from other processes of the user.
func noDumps() error {
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return fmt.Errorf("no core files: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil { // of the whole process
		return fmt.Errorf("not dumpable: %w", err)
	}
	return nil
}

// noNewPrivileges makes that no program that is started has more than this one.
func noNewPrivileges() error {
	return onAllThreads("no new privileges", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// onAllThreads makes a system call on each thread of the process: credentials, and
// much of what prctl sets, belong to one thread.
func onAllThreads(what string, trap, a1, a2, a3 uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall(trap, a1, a2, a3); errno != 0 {
		return fmt.Errorf("%s: %w", what, errno)
	}
	return nil
}
