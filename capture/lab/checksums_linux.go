package lab

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sumInSoftware makes the kernel itself compute the checksums of what an interface sends,
// as there is no hardware that would: a capture then has the right ones, and segments as
// long as a wire can carry.
func sumInSoftware(name string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	off := struct{ command, value uint32 }{unix.ETHTOOL_STXCSUM, 0} // struct ethtool_value
	request := struct {                                             // struct ifreq
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}{data: unsafe.Pointer(&off)}
	copy(request.name[:unix.IFNAMSIZ-1], name)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(socket), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request)))
	runtime.KeepAlive(&off)
	if errno != 0 {
		return errno
	}
	return nil
}
