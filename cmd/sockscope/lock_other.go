//go:build !unix

package main

import "os"

// lock reports that nobody else has the file: it is not known here.
func lock(*os.File) bool { return true }
