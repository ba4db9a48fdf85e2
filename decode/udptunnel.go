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

// tunnelPorts has each of these ports in a place that its number tells, so that asking for
// one is no row of guesses. No two have the same place, or this would not compile, and none
// is empty that belongs to port 0.
var tunnelPorts = [16]uint16{
	portL2TP * spread & 0xffff >> 12:     portL2TP,
	portGTPU * spread & 0xffff >> 12:     portGTPU,
	portTeredo * spread & 0xffff >> 12:   portTeredo,
	portLISP * spread & 0xffff >> 12:     portLISP,
	portVXLAN * spread & 0xffff >> 12:    portVXLAN,
	portVXLANGPE * spread & 0xffff >> 12: portVXLANGPE,
	portAYIYA * spread & 0xffff >> 12:    portAYIYA,
	portCAPWAP * spread & 0xffff >> 12:   portCAPWAP,
	portGeneve * spread & 0xffff >> 12:   portGeneve,
	portMPLS * spread & 0xffff >> 12:     portMPLS,
	portVXLANOld * spread & 0xffff >> 12: portVXLANOld,
}

const spread = 1547 // a factor that makes their places differ

// IsTunnelPort tells whether datagrams on port are looked into.
func IsTunnelPort(port uint16) bool { return tunnelPorts[port*spread>>12] == port }

// udpTunnel looks for a tunnel in the datagram's payload, by either port. A port alone proves
// nothing: what does not look like the tunnel's header is an ordinary payload, without an error.
func (w *walk) udpTunnel() header {
	const minLen = 8 // no tunnel's header is shorter
	port := w.p.DstPort
	if !IsTunnelPort(port) {
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
