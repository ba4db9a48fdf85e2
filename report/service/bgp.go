package service

// bgp looks for an OPEN message: the marker of 16 bytes, the length, type 1,
// version 4 (RFC 4271 §4.1, §4.2). Both sides send one.
func bgp(b []byte, e *Evidence) bool {
	const header, shortest, longest = 19, 29, 4096
	if len(b) < header+1 || b[18] != 1 || b[19] != 4 {
		return false
	}
	for _, c := range b[:16] {
		if c != 0xff {
			return false
		}
	}
	if length := uint16At(b, 16); length < shortest || length > longest {
		return false
	}
	return e.prove("bgp", UnknownSender)
}
