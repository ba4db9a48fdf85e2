package decode

// Ports of UDP (IANA) whose datagrams are looked into.
const (
	portL2TP     = 1701
	portGTPU     = 2152
	portTeredo   = 3544
	portLISP     = 4341
	portVXLAN    = 4789
	portVXLANGPE = 4790
	portAYIYA    = 5072
	portCAPWAP   = 5247
	portGeneve   = 6081
	portMPLS     = 6635
	portVXLANOld = 8472 // what Linux used before there was a number
)

// isTunnelPort tells whether datagrams on port are looked into.
func isTunnelPort(port uint16) bool {
	switch port {
	case portL2TP, portGTPU, portTeredo, portLISP, portVXLAN, portVXLANGPE, portAYIYA, portCAPWAP, portGeneve,
		portMPLS, portVXLANOld:
		return true
	}
	return false
}

// udpTunnel looks for a tunnel in the datagram's payload, by either port. A port alone proves
// nothing: what does not look like the tunnel's header is an ordinary payload, without an error.
func (w *walk) udpTunnel() header {
	const minLen = 8 // no tunnel's header is shorter
	port := w.p.DstPort
	if !isTunnelPort(port) {
		port = w.p.SrcPort
	}
	if len(w.b) < minLen {
		return done
	}
	switch port {
	case portVXLAN, portVXLANOld:
		return w.vxlan()
	case portVXLANGPE:
		return w.vxlanGPE()
	case portGeneve:
		return w.geneve()
	case portGTPU:
		return w.gtpu()
	case portTeredo:
		return w.teredo()
	case portL2TP:
		return w.l2tp()
	case portAYIYA:
		return w.ayiya()
	case portLISP:
		return w.lisp()
	case portMPLS:
		return w.mplsInUDP()
	case portCAPWAP:
		return w.capwap()
	}
	return done
}

// looksLikeIP tells whether b plausibly begins with an IP header of a packet that fits into n
// bytes: for content that nothing describes.
func looksLikeIP(b []byte, n int) bool {
	if len(b) < 20 {
		return false
	}
	switch b[0] >> 4 {
	case 4:
		total := int(be16(b[2:]))
		return b[0]&0xf >= 5 && total >= 20 && total <= n
	case 6:
		return 40+int(be16(b[4:])) <= n
	}
	return false
}
