package report

import (
	"strconv"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// The ends of a connection as Row.Owners has them.
const (
	clientEnd = iota
	serverEnd
)

// ownerEnd is the end whose process is told: the one that did it, else the client, who
// did not get what it asked for.
func ownerEnd(side flow.Side) int {
	if side == flow.ServerSide {
		return serverEnd
	}
	return clientEnd
}

// processSide is the end that the columns of processes tell of: the client's process is
// who began, so the server's is told only where that of the client is not known.
func (r *Row) processSide() flow.Side {
	switch {
	case r.Owners[clientEnd].Known():
		return flow.ClientSide
	case r.Owners[serverEnd].Known():
		return flow.ServerSide
	}
	return flow.Neither
}

// owner is who holds that end's socket.
func (r *Row) owner() capture.Owner {
	if r.processSide() == flow.ServerSide {
		return r.Owners[serverEnd]
	}
	return r.Owners[clientEnd]
}

// peer is the owner of the other end where both are known, as on loopback: the server's.
func (r *Row) peer() capture.Owner {
	if r.processSide() == flow.ClientSide {
		return r.Owners[serverEnd]
	}
	return capture.Owner{}
}

// hasOwner reports whether a process of one end is known.
func (r *Row) hasOwner() bool { return r.Owners[clientEnd].Known() || r.Owners[serverEnd].Known() }

// hasOwners reports whether that is so of one of rows.
func hasOwners(rows []Row) bool {
	for i := range rows {
		if rows[i].hasOwner() {
			return true
		}
	}
	return false
}

// idLen is how much of a container's id is shown to people, as container tools do.
const idLen = 12

// processName is "curl[4711]", unescaped; of a control group alone its unit or its
// container. A "~" stands before the name of a process that is known only to listen: it
// may have handed the connection to another one.
func processName(o capture.Owner) string { return string(appendProcess(nil, o)) }

func appendProcess(b []byte, o capture.Owner) []byte {
	if !o.Known() {
		return b
	}
	b = appendProcessName(b, o)
	if o.PID > 0 && o.Name != "" {
		b = append(strconv.AppendInt(append(b, '['), int64(o.PID), 10), ']')
	}
	return b
}

// appendProcessName appends the name of a process that is known, without its number.
func appendProcessName(b []byte, o capture.Owner) []byte {
	if !o.Known() {
		return b
	}
	return append(append(b, onlyListens(o)...), processWord(o)...)
}

// onlyListens is "~" where the process is known only to listen.
func onlyListens(o capture.Owner) string {
	if o.Basis == capture.BasisListener {
		return "~"
	}
	return ""
}

// processWord is a process's name, or what else there is to name it by.
func processWord(o capture.Owner) string {
	switch {
	case !o.Known():
		return "unknown"
	case o.Name != "":
		return o.Name
	case o.PID > 0:
		return "pid " + strconv.Itoa(o.PID)
	case o.Unit != "":
		return o.Unit
	case o.Container != "":
		return "container " + o.Container[:min(idLen, len(o.Container))]
	case o.User != "":
		return "user " + o.User
	case o.HasUID:
		return "uid " + strconv.FormatUint(uint64(o.UID), 10)
	}
	return "unknown"
}

// Processes is "curl[4711]→nginx[80]", unescaped: the processes at the two ends; "" when
// none is known.
func (r *Row) Processes() string { return string(r.appendProcesses(nil, "→", appendProcess)) }

// appendProcesses appends the processes at the two ends as name does each.
func (r *Row) appendProcesses(b []byte, arrow string, name func([]byte, capture.Owner) []byte) []byte {
	b = name(b, r.Owners[clientEnd])
	if server := r.Owners[serverEnd]; server.Known() {
		b = name(append(b, arrow...), server)
	}
	return b
}
