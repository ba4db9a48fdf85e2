package service

// snmp looks for a message of SNMP version 1, 2c (RFC 3416 §3) or 3 (RFC 3412 §6): a BER
// sequence as long as the datagram, the version, then the community and a PDU, or
// version 3's header.
func snmp(b []byte, e *Evidence) bool {
	const integer, octetString, sequence = 0x02, 0x04, 0x30
	body, rest, ok := berValue(b, sequence)
	if !ok || len(rest) != 0 {
		return false
	}
	version, body, ok := berValue(body, integer)
	if !ok || len(version) != 1 {
		return false
	}
	switch version[0] {
	case 0, 1:
		_, body, ok = berValue(body, octetString)
		if !ok || len(body) < 2 {
			return false
		}
		kind := body[0]
		if _, rest, ok = berValue(body, kind); !ok || len(rest) != 0 {
			return false
		}
		switch kind {
		case 0xa0, 0xa1, 0xa3, 0xa5: // get, get-next, set, get-bulk
			return e.prove("snmp", FromClient)
		case 0xa2: // response, also to an inform
			return e.prove("snmp", UnknownSender)
		case 0xa4, 0xa6, 0xa7: // traps and inform: to the manager's port
			return e.prove("snmptrap", FromClient)
		}
	case 3:
		var header []byte
		header, body, ok = berValue(body, sequence) // id, maximum size, flags, security model
		if !ok {
			return false
		}
		if _, header, ok = berValue(header, integer); !ok {
			return false
		}
		if _, _, ok = berValue(header, integer); !ok {
			return false
		}
		if _, _, ok = berValue(body, octetString); ok {
			return e.prove("snmp", UnknownSender)
		}
	}
	return false
}

// berValue takes the value with a tag off the start of b. Lengths have at most
// two bytes: more do not fit a datagram.
func berValue(b []byte, tag byte) (value, rest []byte, ok bool) {
	if len(b) < 2 || b[0] != tag {
		return nil, nil, false
	}
	length, start := int(b[1]), 2
	switch {
	case length == 0x81 && len(b) >= 3:
		length, start = int(b[2]), 3
	case length == 0x82 && len(b) >= 4:
		length, start = uint16At(b, 2), 4
	case length >= 0x80:
		return nil, nil, false
	}
	if length > len(b)-start {
		return nil, nil, false
	}
	return b[start : start+length], b[start+length:], true
}
