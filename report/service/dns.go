package service

// Bits of the second 16-bit word of a DNS header (RFC 1035 §4.1.1, RFC 4035 §3).
const (
	dnsResponse           = 1 << 15
	dnsOpcode             = 15 << 11
	dnsRecursionDesired   = 1 << 8
	dnsRecursionAvailable = 1 << 7
	dnsReserved           = 1 << 6
	dnsAuthenticData      = 1 << 5
	dnsCheckingDisabled   = 1 << 4
	dnsResponseCode       = 15
)

const dnsHeader = 12 // bytes

// Types of NetBIOS questions (RFC 1002 §4.2.1.2); the DNS calls 33 SRV.
const (
	typeNB     = 32
	typeNBSTAT = 33
)

// dnsStream looks for a DNS message after its length (RFC 7766 §8). The length
// must fit unless the message goes on in the next segment.
func dnsStream(b []byte, e *Evidence) bool {
	if len(b) < 2+dnsHeader || b[6] != 0 || b[7] != 1 {
		return false
	}
	length := uint16At(b, 0)
	if length < dnsHeader+5 {
		return false
	}
	b = b[2:]
	if len(b) > length {
		b = b[:length] // the next message follows
	}
	found := Evidence{Room: e.Room}
	if !dns(b, &found) || found.Service != "domain" {
		return false
	}
	*e = found
	return true
}

// dns looks for a message with one question of the DNS (RFC 1035 §4), of multicast
// DNS (RFC 6762 §18) or of NetBIOS (RFC 1002 §4.2), which share the format.
//
// The DNS and LLMNR (RFC 4795 §2.1) can't be told apart when no bit is set that LLMNR
// must leave clear and the name has one label: such a message proves nothing.
func dns(b []byte, e *Evidence) bool {
	if len(b) < dnsHeader+5 || b[4] != 0 || b[5] != 1 {
		return false
	}
	id, flags := uint16At(b, 0), uint16At(b, 2)
	answers, authorities, additionals := uint16At(b, 6), uint16At(b, 8), uint16At(b, 10)
	if flags&dnsReserved != 0 {
		return false
	}
	isResponse := flags&dnsResponse != 0
	question := b[dnsHeader:]
	length, labels := question0(question)
	if length == 0 || len(question) < length+4 {
		return false
	}
	kind, class := uint16At(question, length), uint16At(question, length+2)
	service, sender := "domain", FromClient
	if isResponse {
		sender = FromServer
	}
	rest := question[length+4:]
	switch opcode := flags & dnsOpcode >> 11; {
	case isNetBIOS(question[:length], kind):
		if class != 1 || !whole(rest, answers, authorities, additionals) {
			return false
		}
		return e.prove("netbios-ns", sender)
	case opcode == 0:
		if !isResponse && (flags&dnsResponseCode != 0 || answers != 0 || authorities != 0 || additionals > 4) {
			return false
		}
	case opcode == 4 || opcode == 5: // notify (RFC 1996), update (RFC 2136): about a zone
		if kind != 6 {
			return false
		}
	default:
		return false
	}
	if kind == typeNBSTAT && labels == 1 && question[0] == 32 {
		return false // a NetBIOS name that is damaged, hardly a service record
	}
	local := isLocal(question[:length])
	if !dnsType(kind) || class != 1 && class != 3 && class != 255 && !(local && class == 0x8001) ||
		!whole(rest, answers, authorities, additionals) {
		return false
	}
	switch {
	case local && flags&^dnsResponse&^(1<<10) == 0:
		if id != 0 {
			return false // multicast DNS from another port than its own, or LLMNR
		}
		service = "mdns"
		if isResponse {
			sender = UnknownSender // sent to the group, to nobody's port
		}
	case flags&(dnsAuthenticData|dnsCheckingDisabled|dnsRecursionAvailable) != 0, flags&dnsOpcode != 0:
	case !isResponse && flags&dnsRecursionDesired != 0: // the bit must be clear in LLMNR's queries
	case labels > 1 && id != 0 && class != 0x8001: // senders ask LLMNR for single labels
	case !isResponse && id != 0 && additionals > 0: // EDNS, which LLMNR does not use
	default:
		return false
	}
	e.ServerName = dnsName(e.Room, question[:length])
	return e.prove(service, sender)
}

// question0 is the length in bytes of the name at the start of the first question,
// its zero included, and the number of its labels; 0 for none that is valid. There is nothing
// before it that a compression pointer could point to, so there is no pointer in it.
func question0(b []byte) (length, labels int) {
	for i := 0; i < len(b) && i < 255; {
		n := int(b[i])
		if n == 0 {
			return i + 1, labels
		}
		if n > 63 {
			return 0, 0
		}
		i += 1 + n
		labels++
	}
	return 0, 0
}

// dnsName writes a valid name into room with dots between its labels, "." for the root.
func dnsName(room, b []byte) []byte {
	if len(b) == 1 {
		return append(room[:0], '.')
	}
	text := append(room[:0], b[1:len(b)-1]...)
	for i := int(b[0]); i < len(text); {
		next := int(text[i]) + 1
		text[i] = '.'
		i += next
	}
	return text
}

// isLocal reports whether a valid name ends in "local", multicast DNS's domain.
func isLocal(b []byte) bool {
	const end = "\x05local\x00"
	return len(b) >= len(end) && isFold(b[len(b)-len(end):], end)
}

// isNetBIOS reports whether a question is for a name in NetBIOS's half-byte
// encoding (RFC 1001 §14.1), of type NB or NBSTAT.
func isNetBIOS(b []byte, kind int) bool {
	if kind != typeNB && kind != typeNBSTAT || len(b) < 34 || b[0] != 32 {
		return false
	}
	for _, c := range b[1:33] {
		if c < 'A' || c > 'P' {
			return false
		}
	}
	return true
}

// dnsType reports whether a question's type is in use: those up to HTTPS and DSYNC,
// and the ones that only questions have. 32 is NetBIOS's.
func dnsType(kind int) bool {
	return kind != typeNB && 1 <= kind && kind <= 66 || 99 <= kind && kind <= 109 || 249 <= kind && kind <= 262 || kind == 32768 || kind == 32769
}

// whole reports whether b is the records that a header announces, as far as b goes:
// a captured length that cut them is no contradiction, bytes behind them are.
func whole(b []byte, counts ...int) bool {
	const looked = 8 // records; a message that holds so far is one
	records := 0
	for _, n := range counts {
		records += n
	}
	for i := range records {
		if len(b) == 0 || i == looked {
			return true
		}
		length, ok := recordLength(b)
		if !ok {
			return false
		}
		if length >= len(b) {
			return true
		}
		b = b[length:]
	}
	return len(b) == 0
}

// recordLength is the length of the resource record at the start of b; more than
// there is where b ends inside.
func recordLength(b []byte) (int, bool) {
	i := 0
	for {
		if i >= len(b) {
			return i + 1, true
		}
		n := int(b[i])
		if n >= 0xc0 {
			i += 2 // a pointer ends the name
			break
		}
		if n > 63 || i > 255 {
			return 0, false
		}
		i += 1 + n
		if n == 0 {
			break
		}
	}
	const fixed = 10 // type, class, time to live, length
	if len(b) < i+fixed {
		return i + fixed, true
	}
	return i + fixed + uint16At(b, i+8), true
}
