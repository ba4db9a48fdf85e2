package flow

import "strings"

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

// zeekStates are the states of the key's two endpoints, in four bits each.
type zeekStates uint8

// of is the state of one endpoint.
func (z zeekStates) of(side uint8) zeekState { return zeekState(z >> (4 * (side & 1)) & 15) }

// update moves Zeek's states by a segment.
func (z *zeekStates) update(r *record) {
	d := r.side()
	own, peer := z.of(d), z.of(d^1)
	switch {
	case own == zeekReset:
	case r.flags&rst != 0:
		if own != zeekClosed || peer != zeekClosed {
			own = zeekReset
		}
	case r.flags&fin != 0:
		own = zeekClosed
	case r.flags&(syn|ack) == syn:
		if own == zeekInactive {
			own = zeekSYNSent
			if peer == zeekSYNSent { // both ends open at once
				own, peer = zeekEstablished, zeekEstablished
			}
		}
	case r.flags&syn != 0:
		switch {
		case own != zeekInactive && own != zeekSYNSent:
		case peer == zeekSYNSent:
			own, peer = zeekEstablished, zeekEstablished
		default:
			own = zeekSYNACKSent
		}
	case own == zeekInactive:
		if peer == zeekSYNACKSent && r.flags&ack != 0 {
			own, peer = zeekEstablished, zeekEstablished
		} else {
			own = zeekPartial
		}
	}
	*z = zeekStates(own<<(4*d) | peer<<(4*(d^1)))
}

// connState is Zeek's conn_state for originator o and responder r. A partial end, of
// which only the middle was seen, counts as inactive.
func connState(o, r zeekState, history string, payload bool) string {
	silent := func(s zeekState) bool { return s == zeekInactive || s == zeekPartial }
	switch {
	case r == zeekReset:
		switch {
		case o == zeekSYNSent, o == zeekReset && !payload:
			return "REJ"
		case silent(o):
			return "RSTRH"
		}
		return "RSTR"
	case o == zeekReset:
		switch {
		case !silent(r):
			return "RSTO"
		case onlySYNThenRST(history):
			return "RSTOS0"
		}
		return "OTH"
	case o == zeekClosed && r == zeekClosed:
		return "SF"
	case o == zeekClosed && silent(r):
		return "SH"
	case o == zeekClosed:
		return "S2"
	case r == zeekClosed && silent(o):
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

// onlySYNThenRST reports whether the originator's RST follows its SYN with nothing
// of weight between them.
func onlySYNThenRST(history string) bool {
	history, ok := strings.CutPrefix(strings.TrimPrefix(history, "^"), "S")
	end := strings.IndexByte(history, 'R')
	return ok && end >= 0 && !strings.ContainsAny(history[:end], "HAFGIQ")
}

// datagramState is conn_state and history of a connectionless conversation; clientFirst
// tells whether the client sent the first packet. Zeek knows neither but of UDP.
func datagramState(r *Connection, clientFirst bool) (state, history string) {
	if r.Protocol != protoUDP {
		return "OTH", ""
	}
	fromClient, fromServer := r.ToServer.Packets > 0, r.ToClient.Packets > 0
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
