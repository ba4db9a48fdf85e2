package main

import (
	"fmt"
	"io"

	"sockscope/capture"
	"sockscope/capture/privilege"
	"sockscope/capture/process"
)

// usersFile has the names of users, which are looked up as their processes are seen.
const usersFile = "/etc/passwd"

// helper starts the process that keeps the privileges which show whose the sockets
// are. Without it other users' processes are not known: that is no reason not to
// capture. The Helper is nil then, and missing says why.
func (p *program) helper() (h *privilege.Helper, missing string) {
	if p.startHelper == nil {
		return nil, "not needed"
	}
	h, err := p.startHelper()
	if err != nil {
		return nil, p.escape(err.Error())
	}
	return h, ""
}

// dropPrivileges gives up those of this process, now that all is open, for good.
// missing is why there is no helper, "" when there is one.
func (p *program) dropPrivileges(cfg privilege.Config, missing string) error {
	if p.drop == nil {
		return nil
	}
	cfg.Readable = append(cfg.Readable, usersFile)
	state, err := p.drop(cfg)
	if err != nil {
		return err
	}
	if p.verbose {
		kept := "ptrace+dac_read (helper)"
		if missing != "" {
			kept = "no helper for other users' processes: " + missing
		}
		p.remark("", fmt.Sprintf("privileges: none (main), %s, %s", kept, state))
	}
	return nil
}

// serveLinks is what the helper does, and gives its exit status.
func serveLinks(stderr io.Writer) int {
	err := privilege.ServeLinks(func(pid int) ([]capture.Link, error) { return process.ReadLinks("/proc", pid) })
	if err != nil {
		fmt.Fprintf(stderr, "sockscope: %v\n", err)
		return exitNotStarted
	}
	return exitDone
}
