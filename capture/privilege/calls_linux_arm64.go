package privilege

import "golang.org/x/sys/unix"

// auditArch is the architecture that the numbers of the calls belong to.
const auditArch = unix.AUDIT_ARCH_AARCH64

var runtimeCallsHere = list(unix.SYS_FSTATAT)
