package service

// ntp looks for a message of NTP versions 1 to 4 in mode 3 (client) or 4 (server)
// (RFC 5905 §7.3). The format has no mark of its own, so every field must make sense.
func ntp(b []byte, e *Evidence) bool {
	const header = 48
	if len(b) < header || b[0]>>3&7 < 1 || b[0]>>3&7 > 4 {
		return false
	}
	if n := len(b) - header; n != 0 && (n%4 != 0 || n < 16) { // extensions, key id and digest
		return false
	}
	const (
		rootDelay, rootDispersion, reference, origin, receive, transmit = 4, 8, 16, 24, 32, 40
	)
	// Clients and servers are at most 16 s from the primary server (MAXDIST is less).
	near := uint16At(b, rootDelay) < 16 && uint16At(b, rootDispersion) < 16
	switch b[0] & 7 {
	case 3:
		// A client needs to say nothing but a nonce in transmit, and many don't say more.
		blank := b[1] == 0 && allZero(b[rootDelay:transmit])
		full := b[1] <= 16 && near && recent(b, reference) && recent(b, transmit)
		if (blank || full) && len(b) == header || full {
			return e.prove("ntp", FromClient)
		}
	case 4:
		if b[1] <= 15 && near && recent(b, receive) && recent(b, transmit) &&
			uint32At(b, transmit)-uint32At(b, receive) <= 2 { // a server answers at once
			return e.prove("ntp", FromServer)
		}
	}
	return false
}

// recent reports whether the timestamp at i lies in 1985 to 2036, the end of era 0.
func recent(b []byte, i int) bool { return b[i] >= 0xa0 }

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
