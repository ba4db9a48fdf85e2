package service

// dhcp looks for a BOOTP or DHCP message: op, hardware type and address length, and
// the cookie behind the fixed fields (RFC 2131 §2, §3).
func dhcp(b []byte, e *Evidence) bool {
	const minimum = 240 // up to and with the cookie
	if len(b) < minimum || b[2] > 16 || uint32At(b, 236) != 0x63825363 {
		return false
	}
	switch b[0] {
	case 1:
		return e.prove("bootps", FromClient)
	case 2:
		return e.prove("bootps", FromServer)
	}
	return false
}
