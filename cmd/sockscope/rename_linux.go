package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// renameNew renames a file of root to a name that nobody has.
func renameNew(root *os.Root, from, to string) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	fd := int(dir.Fd())
	err = unix.Renameat2(fd, from, fd, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) { // not on this filesystem
		return renameByLink(root, from, to)
	}
	return err
}
