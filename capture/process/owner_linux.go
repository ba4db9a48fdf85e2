package process

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// findOwners fills in which processes hold the sockets of list, by the links
// /proc/PID/fd/N → "socket:[INODE]". It sets Unavailable where it cannot tell.
func findOwners(proc string, list []Listener) {
	if len(list) == 0 {
		return
	}
	byInode := make(map[uint32]int, len(list))
	for i, l := range list {
		if l.Inode != 0 {
			byInode[l.Inode] = i
		}
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		for i := range list {
			list[i].Unavailable = reason(err)
		}
		return
	}
	processes, hidden := 0, 0 // hidden: we may not look into them
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid <= 0 {
			continue
		}
		processes++
		inodes, err := socketInodes(filepath.Join(proc, e.Name(), "fd"))
		if errors.Is(err, fs.ErrPermission) {
			hidden++
		}
		var owner Owner
		for _, inode := range inodes {
			i, ok := byInode[inode]
			if !ok || slices.ContainsFunc(list[i].Owners, func(o Owner) bool { return o.PID == pid }) {
				continue
			}
			if owner.PID == 0 {
				owner = Owner{PID: pid, Name: comm(proc, pid)}
			}
			list[i].Owners = append(list[i].Owners, owner)
		}
	}
	for i := range list {
		l := &list[i]
		slices.SortFunc(l.Owners, func(a, b Owner) int { return cmp.Compare(a.PID, b.PID) })
		switch {
		case len(l.Owners) > 0:
		case processes == 0:
			l.Unavailable = proc + " lists no process"
		case hidden > 0:
			l.Unavailable = fmt.Sprintf("no permission to look into %d of %d processes (try as root)", hidden, processes)
		default:
			l.Unavailable = "no visible process holds it (the kernel itself, or another container's)"
		}
	}
}

// socketInodes gives the inodes of the sockets among the open files in dir. A
// process that ends meanwhile has none. The directory is opened as one: where only
// links are to be read, nothing else may be opened.
func socketInodes(dir string) ([]uint32, error) {
	d, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	var inodes []uint32
	for _, name := range names {
		link, linkErr := os.Readlink(filepath.Join(dir, name))
		if linkErr != nil {
			if errors.Is(linkErr, fs.ErrPermission) {
				err = linkErr
			}
			continue
		}
		digits, ok := strings.CutPrefix(link, "socket:[")
		if !ok {
			continue
		}
		inode, parseErr := strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 32)
		if parseErr == nil {
			inodes = append(inodes, uint32(inode))
		}
	}
	return inodes, err
}

// comm is the name of a process; "" when it has ended.
func comm(proc string, pid int) string {
	b, err := os.ReadFile(filepath.Join(proc, strconv.Itoa(pid), "comm"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(string(b), "\n")
}

// reason is err without the operation that failed: "/proc: no such file or directory".
func reason(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}
