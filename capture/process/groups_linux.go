package process

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"sockscope/capture"
)

// groups finds control groups by the number that the kernel gives a socket's.
type groups struct {
	root string // where they are mounted; "" when they are not

	mu    sync.Mutex
	known map[uint64]*capture.Process
	read  time.Time
}

// process stands for a control group of which no process is known; nil when its name
// says nothing.
func (g *groups) process(id uint64) *capture.Process {
	const pause = time.Second // between two walks through all groups
	g.mu.Lock()
	defer g.mu.Unlock()
	p, ok := g.known[id]
	if !ok && g.root != "" && time.Since(g.read) > pause {
		g.walk()
		p = g.known[id]
		g.read = time.Now()
	}
	return p
}

// walk reads the numbers of all groups, which are those of their directories.
func (g *groups) walk() {
	if g.known == nil {
		g.known = make(map[uint64]*capture.Process)
	}
	_ = filepath.WalkDir(g.root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return nil
		}
		info, err := os.Lstat(name)
		if err != nil {
			return nil
		}
		id := info.Sys().(*syscall.Stat_t).Ino
		if _, ok := g.known[id]; ok {
			return nil
		}
		unit, container := cgroupNames(strings.TrimPrefix(name, g.root))
		var p *capture.Process
		if unit != "" || container != "" {
			p = &capture.Process{Unit: unit, Container: container}
		}
		g.known[id] = p
		return nil
	})
}
