package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"sockscope/capture"
)

// ReadLinks tells which sockets a process holds, or, with PID 0, all processes, as
// proc, which is /proc, has it. It only opens directories and reads links. Its error
// tells of processes that it may not look into; the links of the others are right.
func ReadLinks(proc string, pid int) ([]capture.Link, error) {
	if pid != 0 {
		return appendLinks(nil, proc, pid)
	}
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, errors.New(reason(err))
	}
	var links []capture.Link
	processes, hidden := 0, 0
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid <= 0 {
			continue
		}
		processes++
		if links, err = appendLinks(links, proc, pid); errors.Is(err, fs.ErrPermission) {
			hidden++
		}
	}
	if hidden > 0 {
		return links, fmt.Errorf("no permission to look into %d of %d processes", hidden, processes)
	}
	return links, nil
}

func appendLinks(links []capture.Link, proc string, pid int) ([]capture.Link, error) {
	dir := filepath.Join(proc, strconv.Itoa(pid))
	inodes, err := socketInodes(filepath.Join(dir, "fd"))
	if len(inodes) == 0 {
		return links, err
	}
	var netns uint64
	if link, err := os.Readlink(filepath.Join(dir, "ns/net")); err == nil {
		if digits, ok := strings.CutPrefix(link, "net:["); ok {
			netns, _ = strconv.ParseUint(strings.TrimSuffix(digits, "]"), 10, 32)
		}
	}
	for _, inode := range inodes {
		links = append(links, capture.Link{PID: pid, Netns: uint32(netns), Inode: uint64(inode)})
	}
	return links, err
}
