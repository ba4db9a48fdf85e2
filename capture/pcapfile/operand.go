package pcapfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// An operand is one file to read, after directories and patterns were expanded.
type operand struct {
	name string
	size int64 // in bytes; -1 for a stream, whose length is unknown
	stat fs.FileInfo
	err  error // why it cannot be opened
}

// expand turns the user's names into operands, in the user's order; those of a
// directory or a pattern are sorted by name.
func expand(names []string) []operand {
	var ops []operand
	for _, name := range names {
		ops = append(ops, expandName(name)...)
	}
	return ops
}

func expandName(name string) []operand {
	if name == "-" {
		return []operand{{name: name, size: -1}}
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		matches, globErr := filepath.Glob(name)
		if globErr != nil || len(matches) == 0 {
			return []operand{{name: name, err: err}}
		}
		ops := make([]operand, 0, len(matches))
		for _, m := range matches {
			ops = append(ops, examine(m))
		}
		return ops
	case err != nil:
		return []operand{{name: name, err: err}}
	case info.IsDir():
		return expandDirectory(name)
	}
	return []operand{examine(name)}
}

var (
	errDirectory = errors.New("is a directory")
	errNoFiles   = errors.New("is a directory without files")
)

// expandDirectory gives the regular files of a directory. What else is in it
// (directories, sockets, FIFOs that would wait) was not meant.
func expandDirectory(dir string) []operand {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []operand{{name: dir, err: err}}
	}
	var ops []operand
	for _, e := range entries {
		if op := examine(filepath.Join(dir, e.Name())); op.err != nil || op.stat.Mode().IsRegular() {
			if !errors.Is(op.err, errDirectory) {
				ops = append(ops, op)
			}
		}
	}
	if len(ops) == 0 {
		return []operand{{name: dir, err: errNoFiles}}
	}
	return ops
}

func examine(name string) operand {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return operand{name: name, err: err}
	case info.IsDir():
		return operand{name: name, err: errDirectory}
	case !info.Mode().IsRegular():
		return operand{name: name, stat: info, size: -1}
	}
	return operand{name: name, stat: info, size: info.Size()}
}

// noteRepeats tells of files that are read more than once, under whatever name.
func noteRepeats(inputs []*input) {
	type key struct {
		size, mtime int64
	}
	known := make(map[key][]*input)
	for _, in := range inputs {
		if in.stat == nil || in.err != nil {
			continue
		}
		k := key{in.stat.Size(), in.stat.ModTime().UnixNano()}
		for _, other := range known[k] {
			if os.SameFile(in.stat, other.stat) {
				in.note("the same file as " + other.name + ": read again")
				break
			}
		}
		known[k] = append(known[k], in)
	}
}
