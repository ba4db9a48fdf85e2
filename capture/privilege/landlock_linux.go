package privilege

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What may be done beneath the files and directories of a fence. What is open already
// stays as it was opened.
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE
	readTree  = readFile | unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeTree = unix.LANDLOCK_ACCESS_FS_READ_DIR | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE |
		unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
)

// A fence is a Landlock ruleset (landlock(7)), with the directories that may be written
// to: they are opened before the user changes, who may not be able to.
type fence struct {
	abi         int // 0: the kernel has no Landlock
	rules       int
	directories []directory
}

type directory struct {
	name string
	fd   int
}

func newFence(cfg Config) (*fence, error) {
	f := &fence{rules: -1}
	for _, name := range cfg.Writable {
		fd, err := unix.Open(name, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			f.close()
			return nil, fmt.Errorf("open the directory %q: %w", name, err)
		}
		f.directories = append(f.directories, directory{name, fd})
	}
	if err := f.rule(cfg.Readable); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

// rule makes the ruleset: nothing is allowed but what is said here.
func (f *fence) rule(readable []string) error {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return nil // ENOSYS, or EOPNOTSUPP: not in this kernel, or switched off
	}
	f.abi = int(abi)
	attributes := handled(f.abi)
	rules, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&attributes)), unsafe.Sizeof(attributes), 0)
	if errno != 0 {
		return fmt.Errorf("a landlock ruleset: %w", errno)
	}
	f.rules = int(rules)
	for _, name := range append([]string{"/proc"}, readable...) {
		if err := f.allowReading(name); err != nil {
			return fmt.Errorf("a landlock rule for %q: %w", name, err)
		}
	}
	for _, d := range f.directories {
		if err := f.allow(d.fd, writeTree); err != nil {
			return fmt.Errorf("a landlock rule for %q: %w", d.name, err)
		}
	}
	return nil
}

// handled is all that Landlock can forbid in an ABI: access to files, and TCP.
func handled(abi int) unix.LandlockRulesetAttr {
	a := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_SYM<<1 - 1} // the highest of ABI 1
	if abi >= 2 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if abi >= 3 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if abi >= 4 {
		a.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP | unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if abi >= 5 {
		a.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return a
}

// allowReading lets a file be read, or all files beneath a directory.
func (f *fence) allowReading(name string) error {
	fd, err := unix.Open(name, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return f.allow(fd, readTree)
	}
	return f.allow(fd, readFile)
}

func (f *fence) allow(fd int, access uint64) error {
	beneath := unix.LandlockPathBeneathAttr{Allowed_access: access & handled(f.abi).Handled_access_fs, Parent_fd: int32(fd)}
	_, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(f.rules), unix.LANDLOCK_RULE_PATH_BENEATH,
		uintptr(unsafe.Pointer(&beneath)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// writable checks that the user it is now can make files where he is meant to.
func (f *fence) writable() error {
	for _, d := range f.directories {
		if err := unix.Faccessat(d.fd, ".", unix.W_OK|unix.X_OK, 0); err != nil {
			return fmt.Errorf("user %d cannot make files in %q: %w (-Z names another user)", unix.Getuid(), d.name, err)
		}
	}
	return nil
}

// enter closes the fence around all threads. Each gets a domain of its own, with the
// same rules; between threads of one process that makes no difference.
func (f *fence) enter() error {
	if f.abi == 0 {
		return nil
	}
	return onAllThreads("enter a landlock domain", unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(f.rules), 0, 0)
}

func (f *fence) close() {
	for _, d := range f.directories {
		_ = unix.Close(d.fd)
	}
	if f.rules >= 0 {
		_ = unix.Close(f.rules)
	}
}
