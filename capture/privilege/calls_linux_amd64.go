package privilege

import "golang.org/x/sys/unix"

// auditArch is the architecture that the numbers of the calls belong to.
const auditArch = unix.AUDIT_ARCH_X86_64

const archSetFS = 0x1002 // of arch_prctl: where a thread's local storage is

var runtimeCallsHere = append(list(unix.SYS_NEWFSTATAT),
	call{unix.SYS_ARCH_PRCTL, []condition{{0, all, []uint32{archSetFS}}}})
