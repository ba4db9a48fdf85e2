package page

import "sockscope/report"

// listeners is the table of sockets that nobody talked to.
type listeners struct {
	Caption string
	Lines   []listener
	Cut     string
}

// A listener is a line of it.
type listener struct {
	Protocol string
	Address  end
	Service  string
	Process  string
	Reach    string
}

func newListeners(h *report.Host) listeners {
	l := listeners{Caption: h.UnvisitedCount()}
	for i := range h.Unvisited {
		u := &h.Unvisited[i]
		line := listener{
			Protocol: report.EscapeText(u.Protocol),
			Address:  endpoint(u.Address, true),
			Service:  report.EscapeText(u.Service),
			Process:  report.EscapeText(u.Processes()),
			Reach:    "other hosts, too",
		}
		if u.LoopbackOnly {
			line.Reach = "this host only"
		}
		l.Lines = append(l.Lines, line)
	}
	if h.LeftOut > 0 {
		l.Cut = "and " + count(h.LeftOut) + " more."
	}
	return l
}
