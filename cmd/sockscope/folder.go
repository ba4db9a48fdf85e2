package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// A folder is where the files of a capture are made: in this directory and nowhere else,
// whatever happens in it meanwhile. A file has its name with ".part" while it is written
// and is renamed when it is whole. No file is written to or replaced that this run has not
// made, no link is followed; only force lets a regular file be replaced, in one step.
type folder struct {
	root  *os.Root
	path  string
	force bool
	made  map[string]fs.FileInfo // by name

	inputs []fs.FileInfo // files that are read, which not even force may replace
}

// errTaken is finish's error when nothing is left of the file.
var errTaken = errors.New("was removed or replaced while it was written")

var errInput = errors.New("is read and cannot be written to")

// isInput reports whether a file is one of those that are read.
func (d *folder) isInput(info fs.FileInfo) bool {
	return slices.ContainsFunc(d.inputs, func(in fs.FileInfo) bool { return os.SameFile(in, info) })
}

const (
	partSuffix = ".part"
	maxMade    = 65_536 // names that are remembered, and so files of a ring
)

// openFolder opens the directory of the file at path and gives the file's own name.
func openFolder(path string, force bool) (*folder, string, error) {
	dir, name := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	if name == "" || name == "." || name == ".." {
		return nil, "", errors.New("that is a directory's name")
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, "", systemError(err)
	}
	return &folder{root: root, path: dir, force: force, made: make(map[string]fs.FileInfo)}, name, nil
}

// in is the path of a name, for messages.
func (d *folder) in(name string) string { return filepath.Join(d.path, name) }

// A partial is a file that is being written.
type partial struct {
	*os.File
	folder *folder
	name   string
}

// create begins the file with that name.
func (d *folder) create(name string) (*partial, error) {
	if err := d.vacate(name); err != nil {
		return nil, err
	}
	part := name + partSuffix
	f, err := d.open(part)
	if errors.Is(err, fs.ErrExist) && d.replaceable(part) && d.abandoned(part) {
		if err = d.root.Remove(part); err == nil {
			f, err = d.open(part)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%s exists: another capture writes it, or was killed while it did", part)
	}
	if err != nil {
		return nil, systemError(err)
	}
	if err := f.Chmod(0o600); err != nil { // whatever the umask
		f.Close()
		return nil, systemError(err)
	}
	lock(f)
	return &partial{f, d, name}, nil
}

func (d *folder) open(name string) (*os.File, error) {
	return d.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// vacate makes sure that a file can get the name in the end. One that this run has made
// goes: a ring of files holds no more than it is meant to.
func (d *folder) vacate(name string) error {
	info, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return systemError(err)
	}
	if d.isInput(info) {
		return errInput
	}
	if made, ok := d.made[name]; ok && os.SameFile(made, info) {
		return systemError(d.root.Remove(name))
	}
	if d.replaceable(name) {
		return nil // when the new one is whole
	}
	return errExists(info)
}

// replaceable reports whether force lets the name be taken from what has it.
func (d *folder) replaceable(name string) bool {
	info, err := d.root.Lstat(name)
	return d.force && err == nil && info.Mode().IsRegular() && !d.isInput(info)
}

// abandoned reports whether no other capture writes the file any more: each has a lock on
// its own.
func (d *folder) abandoned(name string) bool {
	f, err := d.root.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return lock(f)
}

// errExists is the error for a name that something has.
func errExists(info fs.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return errors.New("exists already (--force replaces it)")
	case mode.IsDir():
		return errors.New("is a directory")
	case mode&fs.ModeSymlink != 0:
		return errors.New("is a symbolic link: refusing to write through it")
	}
	return errors.New("exists already and is no regular file (-w - writes to standard output)")
}

// finish gives the file its name.
func (f *partial) finish() error {
	defer f.Close() // and with it the lock, when the file has its name
	info, err := f.Stat()
	if err != nil {
		return systemError(err)
	}
	d, part := f.folder, f.name+partSuffix
	if now, err := d.root.Lstat(part); err != nil || !os.SameFile(now, info) {
		return fmt.Errorf("%s %w", part, errTaken)
	}
	if d.replaceable(f.name) {
		err = d.root.Rename(part, f.name)
	} else {
		err = renameNew(d.root, part, f.name)
	}
	if err != nil {
		return fmt.Errorf("%w: what was captured stays in %s", systemError(err), part)
	}
	if len(d.made) < maxMade {
		d.made[f.name] = info
	}
	return systemError(f.Close()) // some file systems tell only now that they are full
}

// discard removes the file.
func (f *partial) discard() {
	f.Close()
	_ = f.folder.root.Remove(f.name + partSuffix)
}

// renameByLink renames where the system has no call that refuses to replace a file.
func renameByLink(root *os.Root, from, to string) error {
	if err := root.Link(from, to); err != nil {
		return err
	}
	return root.Remove(from)
}
