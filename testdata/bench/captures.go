package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// A capture is made by the generator, the same bytes each time.
type capture struct {
	name, what string
	args       []string
}

var allCaptures = []capture{
	{"mix128", "10 M packets of 500 k connections, snap length 128", []string{"-packets", "10000000", "-flows", "500000", "-snaplen", "128"}},
	{"mixfull", "2 M packets of 100 k connections, whole", []string{"-packets", "2000000", "-flows", "100000"}},
	{"synflood", "5 M SYNs, each from another source", []string{"-mix", "synflood", "-packets", "5000000"}},
	{"elephants", "5 M packets of 10 connections, snap length 128", []string{"-mix", "elephants", "-packets", "5000000", "-flows", "10", "-snaplen", "128"}},
	{"small", "200 k packets of 10 k connections, whole", []string{"-packets", "200000", "-flows", "10000"}},
}

// make makes the capture in file, unless it is there. It has its name only when it is whole.
func (c *capture) make(dir, file string) error {
	if _, err := os.Stat(file); err == nil {
		return nil
	} else if !os.IsNotExist(err) {
		return err
	}
	part := file + ".part"
	cmd := exec.Command(filepath.Join(dir, "gen"), append([]string{"-o", part}, c.args...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return os.Rename(part, file)
}
