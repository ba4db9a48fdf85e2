//go:build !linux

package main

import "os"

// renameNew renames a file of root to a name that nobody has.
func renameNew(root *os.Root, from, to string) error { return renameByLink(root, from, to) }
