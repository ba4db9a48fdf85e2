package service

// stun looks for a message of STUN or TURN: two zero bits, a length in 32-bit words
// that fits, the magic cookie (RFC 8489 §5). Peers send each other binding
// requests, but only TURN's clients ask for an allocation (RFC 8656 §17).
func stun(b []byte, e *Evidence) bool {
	const header, cookie, allocate = 20, 0x2112a442, 0x003
	if len(b) < header || b[0]&0xc0 != 0 || uint32At(b, 4) != cookie {
		return false
	}
	if length := uint16At(b, 2); length%4 != 0 || length != len(b)-header {
		return false
	}
	kind := uint16At(b, 0)
	switch { // the class is two bits inside the method
	case kind == allocate:
		return e.prove("turn", FromClient)
	case kind == allocate|0x100, kind == allocate|0x110:
		return e.prove("turn", FromServer)
	}
	return e.prove("stun", UnknownSender)
}
