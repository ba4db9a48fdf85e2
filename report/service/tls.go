package service

// Handshake message types (RFC 8446 §4).
const (
	clientHello = 1
	serverHello = 2
)

// tls looks for a TLS record with a ClientHello, a ServerHello or an alert (RFC 8446
// §5.1). A hello that goes on in the next segment gives what is here.
func tls(b []byte, e *Evidence) bool {
	const header = 5
	if len(b) < header+2 || b[1] != 3 || b[2] > 4 {
		return false
	}
	length := uint16At(b, 3)
	if b[0] == 0x15 { // an alert: level and description
		if length == 2 && len(b) == header+2 && (b[5] == 1 || b[5] == 2) {
			return e.prove("tls", UnknownSender)
		}
		return false
	}
	// A record has at most 2^14 bytes; no hello is shorter than these 42.
	if length < 42 || length > 1<<14 || len(b) < header+6 {
		return false
	}
	record := b[header:]
	if len(record) > length {
		record = record[:length]
	}
	body := uint24At(record, 1)
	if body < 38 || body > 1<<16 {
		return false
	}
	// A hello of several records has long ones; a short record with a part of one is something else.
	if body+4 > length && length < 512 {
		return false
	}
	hello := record[4:]
	if len(hello) > body {
		hello = hello[:body]
	}
	return parseHello(record[0], hello, false, e)
}

// dtls looks for a DTLS record with the first fragment of a ClientHello or a
// ServerHello (RFC 6347 §4.1, §4.2.2).
func dtls(b []byte, e *Evidence) bool {
	const header, handshake = 13, 12
	if len(b) < header+handshake+2 || b[1] != 0xfe || b[2] < 0xfd {
		return false
	}
	length, body := uint16At(b, 11), uint24At(b, 14)
	fragment := uint24At(b, 22)
	if length < handshake+38 || uint24At(b, 19) != 0 || fragment > body || fragment+handshake > length || b[3] != 0 || b[4] != 0 {
		return false
	}
	hello := b[header+handshake:]
	if len(hello) > fragment {
		hello = hello[:fragment]
	}
	return parseHello(b[13], hello, true, e)
}

// parseHello reads the body of a ClientHello or ServerHello (RFC 8446 §4.1.2,
// §4.1.3), which may be cut anywhere.
func parseHello(kind byte, b []byte, datagram bool, e *Evidence) bool {
	if len(b) < 2 {
		return false
	}
	protocol := "tls"
	if datagram {
		if b[0] != 0xfe || b[1] < 0xfd {
			return false
		}
		protocol = "dtls"
	} else if b[0] != 3 || b[1] > 4 {
		return false
	}
	const random = 34 // its end, after the version
	rest, ok, sender := b, true, FromClient
	if len(rest) > random {
		if rest[random] > 32 { // session id
			return false
		}
	}
	switch kind {
	case clientHello:
		if rest, ok = skipVector8(b, random); ok && datagram {
			rest, ok = skipVector8(rest, 0) // cookie
		}
		if ok {
			if len(rest) >= 2 && uint16At(rest, 0)%2 != 0 {
				return false // cipher suites have two bytes each
			}
			if rest, ok = skipVector16(rest); ok {
				rest, ok = skipVector8(rest, 0) // compression methods
			}
		}
	case serverHello:
		sender = FromServer
		if rest, ok = skipVector8(b, random); ok {
			if ok = len(rest) >= 3; ok {
				rest = rest[3:] // cipher suite, compression method
			}
		}
	default:
		return false
	}
	e.prove(protocol, sender)
	if ok && len(rest) >= 2 {
		length := uint16At(rest, 0)
		rest = rest[2:]
		if len(rest) > length {
			rest = rest[:length]
		}
		parseExtensions(rest, e)
	}
	return true
}

// parseExtensions takes the server name and the first protocol out of a hello's
// extensions. What is cut short is left out: half a name is a wrong one.
func parseExtensions(b []byte, e *Evidence) {
	const serverName, alpn = 0, 16
	for len(b) >= 4 {
		kind, length := uint16At(b, 0), uint16At(b, 2)
		if length > len(b)-4 {
			return
		}
		body := b[4 : 4+length]
		b = b[4+length:]
		switch {
		case kind == serverName && len(e.ServerName) == 0 && e.Sender == FromClient:
			e.ServerName = hostName(body)
		case kind == alpn && len(e.ALPN) == 0:
			e.ALPN = firstProtocol(body)
			if e.Service == "tls" {
				e.Service = overTLS(e.ALPN)
			}
		}
	}
}

// hostName reads a server_name extension (RFC 6066 §3).
func hostName(b []byte) []byte {
	const header = 5 // length of the list, type, length of the name
	if len(b) < header || b[2] != 0 || uint16At(b, 3) > len(b)-header {
		return nil
	}
	return bounded(b[header : header+uint16At(b, 3)])
}

// firstProtocol reads an ALPN extension (RFC 7301 §3.1), leaving out the
// reserved values that clients offer to keep servers tolerant (RFC 8701 §3).
func firstProtocol(b []byte) []byte {
	if len(b) < 2 {
		return nil
	}
	for b = b[2:]; len(b) > 0; {
		length := int(b[0])
		if length == 0 || length > len(b)-1 {
			return nil
		}
		protocol := b[1 : 1+length]
		if length != 2 || protocol[0] != protocol[1] || protocol[0]&0xf != 0xa {
			return protocol
		}
		b = b[1+length:]
	}
	return nil
}

// overTLS is the service that an ALPN protocol proves.
func overTLS(protocol []byte) string {
	switch string(protocol) {
	case "h2", "http/1.1", "http/1.0":
		return "https"
	case "dot":
		return "domain-s"
	case "imap":
		return "imaps"
	case "pop3":
		return "pop3s"
	}
	return "tls"
}

// skipVector8 gives what follows a vector whose length is one byte at i.
func skipVector8(b []byte, i int) ([]byte, bool) {
	if len(b) <= i || int(b[i]) > len(b)-i-1 {
		return nil, false
	}
	return b[i+1+int(b[i]):], true
}

// skipVector16 gives what follows a vector whose length is the first two bytes.
func skipVector16(b []byte) ([]byte, bool) {
	if len(b) < 2 || uint16At(b, 0) > len(b)-2 {
		return nil, false
	}
	return b[2+uint16At(b, 0):], true
}
