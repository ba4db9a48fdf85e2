package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

// A HiddenError says that ReadLinks may not look into some processes.
type HiddenError struct{ Hidden, Processes int }

func (e *HiddenError) Error() string {
	return fmt.Sprintf("no permission to look into %d of %d processes", e.Hidden, e.Processes)
}

func (e *HiddenError) Unwrap() error { return fs.ErrPermission }

// ReadLinks tells which sockets a process has open, or all processes with pid 0, by the
// links /proc/PID/fd/N → "socket:[INODE]". For other users' processes it needs
// CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH, and nothing else in this package does. proc is
// where procfs is mounted. It opens directories only. With a *HiddenError what could be read is returned; a process
// that ends meanwhile has no links.
func ReadLinks(proc string, pid int) ([]capture.Link, error) {
	pids := []int{pid}
	if pid == 0 {
		var err error
		if pids, err = listProcesses(proc); err != nil {
			return nil, err
		}
	}
	var links []capture.Link
	hidden := 0
	for _, pid := range pids {
		var err error
		if links, err = readLinks(links, filepath.Join(proc, strconv.Itoa(pid)), pid); errors.Is(err, fs.ErrPermission) {
			hidden++
		}
	}
	if hidden > 0 {
		return links, &HiddenError{hidden, len(pids)}
	}
	return links, nil
}

// listProcesses lists the numbers of all processes.
func listProcesses(proc string) ([]int, error) {
	fd, err := unix.Open(proc, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: proc, Err: err}
	}
	d := os.NewFile(uintptr(fd), proc)
	defer d.Close()
	names, err := d.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 && err == nil {
		err = fmt.Errorf("%s lists no process", proc)
	}
	return pids, err
}

// readLinks appends the links of one process, whose directory of procfs is dir. What is
// opened there belongs to that process for good, even when its number is given to another.
func readLinks(links []capture.Link, dir string, pid int) ([]capture.Link, error) {
	process, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return links, err
	}
	defer unix.Close(process)
	fd, err := unix.Openat(process, "fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return links, err
	}
	files := os.NewFile(uintptr(fd), "fd")
	defer files.Close()
	names, err := files.Readdirnames(-1)
	var target [64]byte
	var netns uint32
	for _, name := range names {
		n, linkErr := unix.Readlinkat(fd, name, target[:])
		if linkErr != nil {
			if errors.Is(linkErr, fs.ErrPermission) {
				err = linkErr
			}
			continue
		}
		inode, ok := linkInode(target[:n], "socket:[", 64)
		if !ok {
			continue
		}
		if netns == 0 {
			if n, err := unix.Readlinkat(process, "ns/net", target[:]); err == nil {
				ns, _ := linkInode(target[:n], "net:[", 32)
				netns = uint32(ns)
			}
		}
		links = append(links, capture.Link{PID: pid, Netns: netns, Inode: inode})
	}
	return links, err
}

// linkInode reads the number in "socket:[4711]".
func linkInode(target []byte, prefix string, bits int) (uint64, bool) {
	digits, ok := strings.CutPrefix(string(target), prefix)
	if !ok {
		return 0, false
	}
	inode, err := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, bits)
	return inode, err == nil
}

// reason is err without the operation that failed: "/proc: no such file or directory".
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}
