package report

import (
	"slices"

	"sockscope/capture"
)

// hostMembers are what the kernel said of this host.
func hostMembers(h *Host) []member {
	known := h.EphemeralHigh > 0
	return slices.Concat(
		maybe(known, "ephemeral_low", uint64(h.EphemeralLow)), maybe(known, "ephemeral_high", uint64(h.EphemeralHigh)),
		[]member{{"all_interfaces", h.AllInterfaces}, {"client_connections", h.Clients}},
		maybe(known, "client_connections_ephemeral", h.Ephemeral),
		[]member{{"listening", h.Listening}, {"unvisited_left_out", h.LeftOut},
			{"listen_overflows", h.ListenOverflows}, {"listen_drops", h.ListenDrops}},
		maybe(len(h.Incomplete) > 0, "incomplete", h.Incomplete),
	)
}

func listenerRecords(listeners []Listener) []record {
	return recordsOf(listeners, func(l *Listener) []member {
		owners := recordsOf(l.Owners, func(o *capture.Owner) []member { return ownerMembers(*o) })
		return slices.Concat(
			[]member{{"proto", l.Protocol}, {"ip", l.Address.Addr().String()}, {"port", uint64(l.Address.Port())}},
			named("service", l.Service),
			maybe(l.LoopbackOnly, "loopback_only", true),
			maybe(len(owners) > 0, "processes", owners),
			named("processes_unavailable", l.Unavailable),
		)
	})
}

// processMembers are a list of processes, and the connections of those beyond it; nothing
// where no process is known.
func processMembers(name string, p *Processes) []member {
	if !p.known() {
		return nil
	}
	list := recordsOf(p.List, func(u *ProcessUse) []member {
		return append(ownerMembers(u.Owner), member{"connections", u.Connections})
	})
	return append([]member{{name, list}}, maybe(p.Others > 0, name+"_left_out", p.Others)...)
}

// ownerMembers are what is known of a process, in the words of the connection record.
func ownerMembers(o capture.Owner) []member {
	if !o.Known() {
		return nil
	}
	pid, known := pidOf(o.Process)
	return slices.Concat(
		maybe(known, "pid", pid), named("process", o.Name), named("user", o.User),
		named("unit", o.Unit), named("container", o.Container), named("process_basis", o.Basis.String()),
	)
}
