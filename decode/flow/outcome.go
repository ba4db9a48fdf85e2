package flow

// outcome is the word for a TCP attempt as it stands (spec, section 4).
func outcome(c *cell, h *handshake) Outcome {
	client, known := c.client()
	if !known {
		if c.has(goesOn.both()) {
			return Midstream
		}
		return ReplyOnly // only resets
	}
	server := client ^ 1
	if h.verdict == wasAborted { // a later ACK does not undo the reset
		return Aborted
	}
	if !c.has(sawSYN.of(client)) {
		if c.has(goesOn.of(client)) || c.has(goesOn.of(server)) {
			return Midstream
		}
		return ReplyOnly
	}
	if c.has(isSelf) {
		if c.has(sawSYNACK.of(client)) && h.isn[server] == h.isn[client] { // it acknowledges its own SYN
			return Complete
		}
	} else if c.has(sawSYN.of(server)) && h.flags&uint16(Simultaneous) != 0 {
		if c.has(ackedSYN.of(0)) && c.has(ackedSYN.of(1)) && c.has(sawSYNACK.both()) {
			return Complete
		}
	} else if c.has(sawSYNACK.of(server)) && c.has(ackedSYN.of(client)) {
		return Complete
	}
	switch {
	case c.has(goesOn.of(client)), c.has(goesOn.of(server)) && c.answers(h, server):
		return Implied
	case h.verdict == wasRefused:
		return Refused
	case c.has(sawSYNACK.of(server)):
		return HalfOpen
	case h.verdict == wasUnreachable:
		return Unreachable
	case h.has(badSYNACK.of(server)):
		return Mismatched
	}
	return Unanswered
}

// answers reports whether a side acknowledges the other one's SYN, or went on with data or
// FIN and acknowledged what the other one may have sent since its SYN, though the capture
// lacks it. (An ACK without either may be a challenge by an older connection.)
func (c *cell) answers(h *handshake, side uint8) bool {
	return c.has(ackedSYN.of(side)) || h.has(fits.of(side))
}

// follows reports whether ack is of what may have been sent since the SYN with number isn.
func follows(isn, ack uint32) bool {
	const lost = 1 << 20 // bytes that the capture may lack: of a few windows
	return ack-isn-1 <= lost
}

// established reports whether a connection with that outcome went on behind its handshake.
func established(o Outcome) bool { return o == Complete || o == Implied || o == Midstream }

// closing is how a TCP connection with that outcome ended (spec, section 5).
func closing(c *cell, h *handshake, o Outcome) Close {
	switch {
	case !established(o):
		return Never
	case c.has(closed.of(0)), c.has(isSelf) && c.has(sawFIN.of(0)) && !after(h.finEnd[0], c.acked[0]):
		return Fin
	case c.has(closed.of(1)) && h.has(afterFIN):
		return ResetAfterFin
	case c.has(closed.of(1)):
		return Reset
	case c.has(sawFIN.both()):
		return HalfClose
	}
	return Open
}
