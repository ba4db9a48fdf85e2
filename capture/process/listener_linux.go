package process

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"sockscope/capture"
)

func listeners(proc string, port uint16) ([]capture.Socket, []string, error) {
	d, err := openDiag()
	if err != nil {
		return nil, nil, fmt.Errorf("process: %w", err)
	}
	defer d.close()
	all, _, incomplete, err := d.readAll(choice{states: 1<<stateListen | 1<<stateClosed, local: port})
	if err != nil {
		return nil, nil, fmt.Errorf("process: %w", err)
	}
	list := waiting(all, port)
	findOwners(cmp.Or(proc, "/proc"), list)
	return list, incomplete, nil
}

// waiting are the sockets at a port that wait for peers, in a total order.
func waiting(all []diagSocket, port uint16) []capture.Socket {
	var list []capture.Socket
	for i := range all {
		s := all[i].socket()
		// A raw address: that of an IPv6 socket stays one.
		s.Local = all[i].local
		if (port == 0 || s.Local.Port() == port) && s.Listens() {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b capture.Socket) int {
		return cmp.Or(
			cmp.Compare(a.Local.Port(), b.Local.Port()),
			cmp.Compare(a.Protocol, b.Protocol),
			a.Local.Addr().Compare(b.Local.Addr()),
			cmp.Compare(a.Inode, b.Inode),
		)
	})
	return list
}

// findOwners fills in which processes hold the sockets of list. It sets Unavailable
// where it cannot tell.
func findOwners(proc string, list []capture.Socket) {
	if len(list) == 0 {
		return
	}
	links, err := ReadLinks(proc, 0)
	d := identity{proc: proc}
	for i := range list {
		s := &list[i]
		for _, l := range links {
			if l.Inode == s.Inode && !slices.ContainsFunc(s.Owners, func(o capture.Owner) bool { return o.PID == l.PID }) {
				p := &capture.Process{PID: l.PID, Name: d.comm(l.PID), Netns: l.Netns}
				s.Owners = append(s.Owners, capture.Owner{Process: p, Basis: capture.BasisExact})
			}
		}
		slices.SortFunc(s.Owners, func(a, b capture.Owner) int { return cmp.Compare(a.PID, b.PID) })
		if len(s.Owners) == 0 {
			s.Unavailable = unavailable(err)
		}
	}
}

// unavailable says why no process holds a socket, as far as ReadLinks told with err.
func unavailable(err error) string {
	var hidden *HiddenError
	switch {
	case errors.As(err, &hidden):
		return hidden.Error() + " (try as root)"
	case err != nil:
		return reason(err)
	}
	return "no visible process holds it (the kernel itself, or another container's)"
}
