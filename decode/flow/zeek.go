package flow

// A zeekState is what Zeek thinks of one end; its conn_state follows from both.
type zeekState uint8

const (
	zeekInactive zeekState = iota
	zeekPartial
	zeekSYNSent
	zeekSYNACKSent
	zeekEstablished
	zeekClosed
	zeekReset
)

// zeekStates are the states of the key's two endpoints.
type zeekStates [2]zeekState

// update moves Zeek's states by a segment.
func (z *zeekStates) update(r *record, c *cell, h *handshake) {
	own, peer := &z[r.dir], &z[r.dir^1]
	switch {
	case *own == zeekReset:
	case r.flags&rst != 0:
		*own = zeekReset
	case r.flags&fin != 0:
		*own = zeekClosed
	case r.flags&(syn|ack) == syn:
		if *own == zeekInactive {
			*own = zeekSYNSent
		}
	case r.flags&syn != 0:
		switch {
		case *own != zeekInactive && *own != zeekSYNSent:
		case *peer == zeekSYNSent:
			*own, *peer = zeekEstablished, zeekEstablished
		default:
			*own = zeekSYNACKSent
		}
	case *own == zeekInactive:
		if *peer == zeekSYNACKSent && r.flags&ack != 0 {
			*own, *peer = zeekEstablished, zeekEstablished
		} else {
			*own = zeekPartial
		}
	}
}

// connState is Zeek's conn_state for originator o and responder r.
func connState(o, r zeekState, history string, payload bool) string {
	switch {
	case r == zeekReset:
		switch {
		case o == zeekSYNSent, o == zeekReset && !payload:
			return "REJ"
		case o == zeekInactive:
			return "RSTRH"
		}
		return "RSTR"
	case o == zeekReset:
		if r == zeekInactive && len(history) > 0 && history[0] == 'S' {
			return "RSTOS0"
		}
		return "RSTO"
	case o == zeekClosed && r == zeekClosed:
		return "SF"
	case o == zeekClosed && r == zeekInactive:
		return "SH"
	case o == zeekClosed:
		return "S2"
	case r == zeekClosed && o == zeekInactive:
		return "SHR"
	case r == zeekClosed:
		return "S3"
	case o == zeekSYNSent && r == zeekInactive:
		return "S0"
	case o == zeekEstablished && r == zeekEstablished:
		return "S1"
	}
	return "OTH"
}

// datagramState is conn_state and history of a connectionless conversation; first
// tells whether the client sent the first packet.
func datagramState(sent [2]volume, client uint8, clientFirst bool) (state, history string) {
	fromClient, fromServer := sent[client].packets > 0, sent[client^1].packets > 0
	switch {
	case fromClient && fromServer && clientFirst:
		return "SF", "Dd"
	case fromClient && fromServer:
		return "SF", "dD"
	case fromClient:
		return "S0", "D"
	}
	return "SHR", "d"
}
