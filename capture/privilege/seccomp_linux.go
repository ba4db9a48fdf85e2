package privilege

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A call is a system call that stays possible.
type call struct {
	number uintptr
	where  []condition // all must hold; none: whatever the arguments are
}

// A condition is that an argument, or rather the bits of it in mask, is one of values.
// Only the low 32 bits are looked at: the kernel takes no more of the arguments here.
type condition struct {
	argument int // from 0
	mask     uint32
	values   []uint32
}

const all = ^uint32(0) // a mask

// Offsets in struct seccomp_data (seccomp(2)). Both architectures are little-endian:
// the low half of an argument comes first.
const (
	numberAt    = 0
	archAt      = 4
	argumentsAt = 16
)

// otherwise is what happens to a process that makes another call: "refuse" makes the
// call fail with EPERM, "kill" ends the process, so that a test sees it. The linker
// sets it, for tests.
var otherwise = "refuse"

// confine leaves all threads only the calls given, and reports whether it could: the
// kernel may lack seccomp, and there is no list of calls for some architectures.
func confine(calls []call) (bool, error) {
	if len(calls) == 0 {
		return false, nil
	}
	program := compile(calls)
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	// The other threads get it, too (and no_new_privs, which they have). The result is
	// the number of one that cannot, because it has other filters.
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p)))
	switch {
	case errno == unix.ENOSYS:
		return false, nil
	case errno != 0:
		return false, fmt.Errorf("a seccomp filter: %w", errno)
	case thread != 0:
		return false, errors.New("a seccomp filter: a thread has others")
	}
	return true, nil
}

// compile gives the filter as a program of the kernel's packet filter. As long as a
// call has no conditions, only its number is looked at: of such calls the kernel
// remembers the answer and does not run the program again.
func compile(calls []call) []unix.SockFilter {
	refuse := ret(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	if otherwise == "kill" {
		refuse = ret(unix.SECCOMP_RET_KILL_PROCESS)
	}
	program := []unix.SockFilter{
		load(archAt),
		jumpIf(auditArch, 1, 0),
		ret(unix.SECCOMP_RET_KILL_PROCESS), // numbers mean something else there
		load(numberAt),
	}
	for _, c := range calls {
		var body []unix.SockFilter
		for _, w := range c.where {
			body = append(body, load(argumentsAt+8*uint32(w.argument)))
			if w.mask != all {
				body = append(body, unix.SockFilter{Code: unix.BPF_ALU | unix.BPF_AND | unix.BPF_K, K: w.mask})
			}
			for i, v := range w.values {
				body = append(body, jumpIf(v, uint8(len(w.values)-i), 0)) // past refuse
			}
			body = append(body, refuse)
		}
		body = append(body, ret(unix.SECCOMP_RET_ALLOW))
		program = append(program, jumpIf(uint32(c.number), 0, uint8(len(body))))
		program = append(program, body...)
	}
	return append(program, refuse)
}

// load takes a 32-bit word of struct seccomp_data.
func load(offset uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
}

// jumpIf skips yes instructions when the word is k, no ones when it is not.
func jumpIf(k uint32, yes, no uint8) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
}

func ret(action uint32) unix.SockFilter {
	return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: action}
}
