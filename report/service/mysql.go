package service

// mysqlProtocol is the version of the handshake of all servers since 3.21.
const mysqlProtocol = 10

// mysql looks for a server's greeting: packet length and number 0, protocol 10, the
// version as text, thread id, 8 bytes of a nonce, a zero
// (MySQL client/server protocol, HandshakeV10).
func mysql(b []byte, e *Evidence) bool {
	const header, longest, afterVersion = 4, 64, 4 + 8 + 1
	if len(b) < header+2 || int(b[0])|int(b[1])<<8|int(b[2])<<16 != len(b)-header || b[3] != 0 || b[4] != mysqlProtocol {
		return false
	}
	version := b[header+1:]
	for i, c := range version[:min(len(version), longest)] {
		switch {
		case c == 0:
			if i >= 3 && len(version) > i+afterVersion && version[i+afterVersion] == 0 {
				return e.prove("mysql", FromServer)
			}
			return false
		case i == 0 && (c < '0' || c > '9'), c < ' ', c > '~':
			return false
		}
	}
	return false
}
