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
//	frame ─▶ Recorder ─▶ record ─▶ Table: key ─▶ cell      what each packet touches
//	                                             ├ meta      start, tunnels, evidence
//	                                             └ handshake TCP: frames, times, states, and quality where something is amiss
//
// A segment in the middle of an established connection takes the short way
// (cell.inOrder) and touches the cell alone. Everything else goes through
// Table.segment, which notes facts (see facts) and moves both ends' states
// (see transitions). Outcome, close and role are derived from the facts when they
// are asked for (outcome, closing, Table.role), so a later fact can always
// outweigh an earlier one.
//
// The package has no clock and starts no goroutines: time comes with the frames.
package flow
