package service

// rdp looks for the connection request and its confirmation, with which a session of
// the Remote Desktop Protocol begins (MS-RDPBCGR §2.2.1.1, §2.2.1.2). Other services
// begin with the same TPKT and X.224 headers, so what RDP puts behind them decides.
func rdp(b []byte, e *Evidence) bool {
	const header, negotiation = 11, 8 // TPKT and X.224; type, flags, length, protocols
	if len(b) < header+negotiation || b[0] != 3 || b[1] != 0 || uint16At(b, 2) != len(b) || int(b[4]) != len(b)-5 {
		return false
	}
	last := b[len(b)-negotiation:]
	negotiates := func(kind byte) bool {
		return last[0] == kind && last[2] == negotiation && last[3] == 0 && last[5] == 0 && last[6] == 0 && last[7] == 0
	}
	switch b[5] {
	case 0xe0:
		if hasPrefix(b[header:], "Cookie: mstshash=") || negotiates(1) && (len(b) == header+negotiation || hasPrefix(b[header:], "Cookie: ")) {
			return e.prove("ms-wbt-server", FromClient)
		}
	case 0xd0:
		if len(b) == header+negotiation && (negotiates(2) || negotiates(3)) {
			return e.prove("ms-wbt-server", FromServer)
		}
	}
	return false
}
