package report

import "sockscope/capture"

// processColumns are the record's columns of processes.
var processColumns = ofProcesses(
	ownerCount("pid", (*Row).owner, pidOf),
	ownerText("process", (*Row).owner, func(p *capture.Process) string { return p.Name }),
	ownerText("cmdline", (*Row).owner, func(p *capture.Process) string { return p.Command }),
	ownerCount("uid", (*Row).owner, func(p *capture.Process) (uint64, bool) { return uint64(p.UID), p.HasUID }),
	ownerText("user", (*Row).owner, func(p *capture.Process) string { return p.User }),
	ownerText("unit", (*Row).owner, func(p *capture.Process) string { return p.Unit }),
	ownerText("container", (*Row).owner, func(p *capture.Process) string { return p.Container }),
	ownerCount("netns", (*Row).owner, func(p *capture.Process) (uint64, bool) { return uint64(p.Netns), p.Netns != 0 }),
	wordColumn("process_side", func(r *Row) string { return r.processSide().String() }),
	wordColumn("process_basis", func(r *Row) string { return r.owner().Basis.String() }),
	ownerCount("peer_pid", (*Row).peer, pidOf),
	ownerText("peer_process", (*Row).peer, func(p *capture.Process) string { return p.Name }),
	wordColumn("peer_process_basis", func(r *Row) string { return r.peer().Basis.String() }),
)

// ofProcesses marks columns that are absent where no process is known.
func ofProcesses(columns ...recordColumn) []recordColumn {
	for i := range columns {
		columns[i].process = true
	}
	return columns
}

// ownerText makes a column of what is known of an owner.
func ownerText(name string, owner func(*Row) capture.Owner, text func(*capture.Process) string) recordColumn {
	return textColumn(name, func(r *Row) string {
		if o := owner(r); o.Known() {
			return text(o.Process)
		}
		return ""
	})
}

// ownerCount makes a column of a number that is known of an owner.
func ownerCount(name string, owner func(*Row) capture.Owner, count func(*capture.Process) (uint64, bool)) recordColumn {
	return countColumn(name, func(r *Row) (uint64, bool) {
		if o := owner(r); o.Known() {
			return count(o.Process)
		}
		return 0, false
	})
}

// pidOf is the process's number; 0 means that only a control group is known.
func pidOf(p *capture.Process) (uint64, bool) { return uint64(max(0, p.PID)), p.PID > 0 }
