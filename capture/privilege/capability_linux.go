package privilege

import (
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// capabilities is a set of them, by number (capabilities(7)).
type capabilities uint64

const (
	capDACReadSearch = unix.CAP_DAC_READ_SEARCH
	capSetPCap       = unix.CAP_SETPCAP
	capSysPtrace     = unix.CAP_SYS_PTRACE

	// linkCapabilities show the open files of all processes. Either alone does not.
	linkCapabilities capabilities = 1<<capDACReadSearch | 1<<capSysPtrace
)

func (c capabilities) has(number int) bool { return c&(1<<number) != 0 }

// heldCapabilities is what this thread may use.
func heldCapabilities() (capabilities, error) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData // 32 capabilities each
	if err := unix.Capget(&header, &data[0]); err != nil {
		return 0, fmt.Errorf("read the capabilities: %w", err)
	}
	return capabilities(data[1].Effective)<<32 | capabilities(data[0].Effective), nil
}

// bound takes all but kept from what any later program may have. It needs CAP_SETPCAP.
func bound(kept capabilities) error {
	for c := range 64 {
		switch set, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(c), 0, 0, 0); {
		case err != nil:
			return nil // the kernel knows no more
		case set == 0 || kept.has(c):
			continue
		}
		if err := onAllThreads("bound the capabilities", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, uintptr(c), 0); err != nil {
			return err
		}
	}
	return nil
}

// keep gives up all capabilities but those in kept.
func keep(kept capabilities) error {
	if err := onAllThreads("no ambient capabilities", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil {
		return err
	}
	header := &unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	data := &[2]unix.CapUserData{
		{Effective: uint32(kept), Permitted: uint32(kept)},
		{Effective: uint32(kept >> 32), Permitted: uint32(kept >> 32)},
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(header)), uintptr(unsafe.Pointer(data)), 0)
	if errno != 0 {
		return fmt.Errorf("give up the capabilities: %w", errno)
	}
	return nil
}
