// Package flow puts packets together into connections: who talked to whom, how
// each attempt came out, how it ended, and which frames show it.
//
// A [Recorder] decodes frames into records, a [Table] applies records to
// connections. Between them the records are split into partitions by address
// pair, so that all that belongs to one connection (its packets in both
// directions, later fragments, ICMP errors that quote it) meets in one table,
// in the order of the frames; what a run finds does not depend on the number of
// partitions.
//
//	frame ─▶ Recorder ─▶ record ─▶ Table: key ─▶ cell      what each packet touches; of a lone SYN all there is: a knock
//	                                             ├ meta      start, tunnels, evidence
//	                                             ├ handshake TCP: frames, times, states, and quality where something is amiss
//	                                             └ rare      what does not fit these
//
// A segment in the middle of an established connection takes the short way
// (Table.steadySegment) and touches the cell alone. Everything else goes through
// Table.segment, which notes facts (see facts) and moves both ends' states
// (see transitions). Outcome, close and role are derived from the facts when they
// are asked for (outcome, closing, Table.role), so a later fact can always
// outweigh an earlier one.
//
// Connections stay in their table until the end of the run, unless Config.Ending hands each
// out when it is over and uses its number and memory again: see ending.go. What refers to a
// connection by its number must then ask whether it is still that one, as fragments do.
//
// # The state of each end
//
// What an observer knows of an end's state (RFC 9293 §3.3.2), by what the end did: send
// something, or receive it. Nothing was seen of an unseen end; all else stays.
//
//	unseen ───────┬─ send SYN, recv SYN-ACK ─▶ SYN-SENT
//	              ├─ send SYN-ACK ─▶ SYN-RECEIVED
//	              ├─ send FIN ─▶ FIN-WAIT-1
//	              ├─ send ACK of FIN ─▶ CLOSE-WAIT
//	              ├─ send RST, recv RST ─▶ CLOSED
//	              └─ send segment, recv segment ─▶ ESTABLISHED
//	CLOSED ───────── send SYN ─▶ SYN-SENT
//	LISTEN ───────┬─ send SYN-ACK ─▶ SYN-RECEIVED
//	              └─ send RST ─▶ CLOSED
//	SYN-SENT ─────┬─ recv SYN, send SYN-ACK ─▶ SYN-RECEIVED
//	              ├─ send ACK, send segment ─▶ ESTABLISHED
//	              ├─ send FIN ─▶ FIN-WAIT-1
//	              └─ send RST, recv RST ─▶ CLOSED
//	SYN-RECEIVED ─┬─ recv SYN-ACK, send ACK, recv ACK, send segment ─▶ ESTABLISHED
//	              ├─ send FIN ─▶ FIN-WAIT-1
//	              ├─ send ACK of FIN ─▶ CLOSE-WAIT
//	              └─ send RST, recv RST ─▶ CLOSED
//	ESTABLISHED ──┬─ send FIN ─▶ FIN-WAIT-1
//	              ├─ send ACK of FIN ─▶ CLOSE-WAIT
//	              └─ send RST, recv RST ─▶ CLOSED
//	FIN-WAIT-1 ───┬─ send ACK of FIN ─▶ CLOSING
//	              ├─ recv ACK of FIN ─▶ FIN-WAIT-2
//	              └─ send RST, recv RST ─▶ CLOSED
//	FIN-WAIT-2 ───┬─ send ACK of FIN ─▶ TIME-WAIT
//	              └─ send RST, recv RST ─▶ CLOSED
//	CLOSE-WAIT ───┬─ send FIN ─▶ LAST-ACK
//	              └─ send RST, recv RST ─▶ CLOSED
//	CLOSING ──────┬─ recv ACK of FIN ─▶ TIME-WAIT
//	              └─ send RST, recv RST ─▶ CLOSED
//	LAST-ACK ─────── recv ACK of FIN, send RST, recv RST ─▶ CLOSED
//	TIME-WAIT ────── recv RST ─▶ CLOSED
//
// The package has no clock and starts no goroutines: time comes with the frames.
package flow
