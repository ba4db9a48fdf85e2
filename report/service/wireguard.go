package service

// wireguard looks for the first two messages of a handshake. Only the type, three
// zeros and the length are fixed; the second authenticator is zero too unless a peer is under load
// (WireGuard paper §5.4), and without that there is too little to be certain.
func wireguard(b []byte, e *Evidence) bool {
	const shortest, authenticator = 92, 16
	if len(b) < shortest || b[1] != 0 || b[2] != 0 || b[3] != 0 || !allZero(b[len(b)-authenticator:]) {
		return false
	}
	if b[4]|b[5]|b[6]|b[7] == 0 { // a random index
		return false
	}
	switch {
	case b[0] == 1 && len(b) == 148 && !allZero(b[8:40]):
		return e.prove("wireguard", FromClient)
	case b[0] == 2 && len(b) == 92 && !allZero(b[12:44]):
		return e.prove("wireguard", FromServer)
	}
	return false
}
