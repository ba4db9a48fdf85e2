package main

import (
	"fmt"
	"io"

	"sockscope/capture"
	"sockscope/capture/privilege"
	"sockscope/capture/process"
)

// readLater are the files that a live capture opens after privileges are dropped.
var readLater = []string{"/etc/passwd"}

// dropPrivileges gives up what the program needs no longer, now that everything is
// open, where that is its to decide.
func (p *program) dropPrivileges(user string) (*privilege.Helper, error) {
	if p.relinquish == nil {
		return nil, nil
	}
	return p.relinquish(p, user)
}

// relinquish gives up the privileges of this process for good, and starts the helper
// that keeps those which show whose the sockets are. Without a helper, other users'
// processes are not known: that is no reason not to capture.
func relinquish(p *program, user string) (*privilege.Helper, error) {
	helper, helperErr := privilege.StartHelper()
	state, err := privilege.Drop(privilege.Config{User: user, Readable: readLater})
	if err != nil {
		helper.Close()
		return nil, err
	}
	if p.verbose {
		kept := "ptrace+dac_read (helper)"
		if helperErr != nil {
			kept = "no helper for other users' processes: " + p.escape(helperErr.Error())
		}
		p.remark("", fmt.Sprintf("privileges: none (main), %s, %s", kept, state))
	}
	return helper, nil
}

// serveLinks is the helper, and gives its exit status.
func serveLinks(stderr io.Writer) int {
	err := privilege.ServeLinks(func(pid int) ([]capture.Link, error) { return process.ReadLinks("/proc", pid) })
	if err != nil {
		fmt.Fprintf(stderr, "sockscope: %v\n", err)
		return exitNotStarted
	}
	return exitDone
}
