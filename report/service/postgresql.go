package service

// postgresql looks for a client's first message: a StartupMessage of protocol 3, or
// one of the requests for encryption or cancelling, which have codes in place of the
// version (PostgreSQL documentation, "Message Formats").
func postgresql(b []byte, e *Evidence) bool {
	const cancel, tlsRequest, gssRequest = 80877102, 80877103, 80877104
	if len(b) < 8 || uint32At(b, 0) != uint32(len(b)) {
		return false
	}
	switch code := uint32At(b, 4); {
	case (code == tlsRequest || code == gssRequest) && len(b) == 8, code == cancel && len(b) == 16:
		return e.prove("postgresql", FromClient)
	case code>>16 == 3 && code&0xffff <= 9:
		// Parameters follow, name and value with a zero each, and a last zero.
		if len(b) < 14 || b[8] == 0 || b[len(b)-1] != 0 || b[len(b)-2] != 0 {
			return false
		}
		if hasPrefix(b[8:], "user\x00") || contains(b[8:], "\x00user\x00") {
			return e.prove("postgresql", FromClient)
		}
	}
	return false
}

// contains is bytes.Contains for a string, for short b.
func contains(b []byte, s string) bool {
	for i := 0; i+len(s) <= len(b); i++ {
		if string(b[i:i+len(s)]) == s {
			return true
		}
	}
	return false
}
