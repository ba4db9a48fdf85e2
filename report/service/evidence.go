package service

// A Sender says which side of a connection sends a message.
type Sender uint8

const (
	UnknownSender Sender = iota // both sides send such messages
	FromClient                  // only a client does
	FromServer                  // only a server does
)

// String is "client", "server" or "".
func (s Sender) String() string { return [...]string{"", "client", "server"}[s] }

// Evidence is what one payload proves. ServerName and ALPN are the bytes of the
// wire, at most 255 of them, not escaped: the printers do that. They are part of the payload
// or of Room.
type Evidence struct {
	// Service is IANA's name where there is one ("http", "domain", "ms-wbt-server");
	// "tls", "dtls", "quic", "bittorrent" and "wireguard" have none. "" means nothing is proved.
	Service string

	Sender Sender

	// ServerName is the host of a TLS server_name extension (of the outer hello,
	// where the inner one is encrypted), of an HTTP Host field without the port, or of the first DNS question.
	ServerName []byte

	// ALPN is the first protocol that a TLS client offers, or the one its server took.
	ALPN []byte

	// Room is for a name that the payload does not have as it is told. When it has less than
	// 255 bytes there may be an allocation for that.
	Room []byte
}

// Classify fills e, which is zero but for its Room, with what the transport payload of one
// packet proves about the service spoken on its connection. Only messages that nothing else looks like count:
// a service that is proved wrongly misleads more than one that is not proved, and the
// registry has a name for the port anyway. Ports are not looked at.
//
// protocol is the IP protocol number. payload may be cut anywhere; only e keeps parts of it.
func (e *Evidence) Classify(protocol uint8, payload []byte) {
	switch protocol {
	case protocolTCP:
		classifyStream(payload, e)
	case protocolUDP, protocolUDPLite:
		classifyDatagram(payload, e)
	}
}

// prove sets what a message proves. The functions that look for one protocol each
// return prove's true, or false when they have left e alone.
func (e *Evidence) prove(service string, sender Sender) bool {
	e.Service, e.Sender = service, sender
	return true
}

// classifyStream looks at the first segment of a TCP stream. The first byte
// leaves few protocols each; DNS begins with its length, which may be any.
func classifyStream(b []byte, e *Evidence) bool {
	if len(b) < 4 {
		return false
	}
	found := false
	switch c := b[0]; {
	case c == 0x00:
		found = smb(b, e) || postgresql(b, e) || stun(b, e)
	case c == 0x01:
		found = stun(b, e)
	case c == 0x03:
		found = rdp(b, e)
	case c == 0x10:
		found = mqtt(b, e)
	case c == 0x13:
		found = bittorrent(b, e)
	case c == 0x15, c == 0x16:
		found = tls(b, e)
	case c == '*', c == '+', c == '-':
		found = redis(b, e) || greeting(b, e)
	case c == '2':
		found = greeting(b, e)
	case isUpper(c) && isUpper(b[1]): // a word like GET or SSH
		found = banner(b, e) || textMessage(b, e)
	case 'a' <= c && c <= 'z':
		found = memcacheText(b, e)
	case c == 0x80, c == 0x81:
		found = memcacheBinary(b, e)
	case c == 0xff:
		found = bgp(b, e)
	}
	return found || mysql(b, e) || dnsStream(b, e)
}

// classifyDatagram looks at one UDP datagram. A DNS message begins with a random
// number, so the first byte narrows down only the others.
func classifyDatagram(b []byte, e *Evidence) bool {
	if len(b) < dnsHeader {
		return false
	}
	if dns(b, e) {
		return true
	}
	switch c := b[0]; {
	case c <= 0x01:
		return dhcp(b, e) || wireguard(b, e) || stun(b, e)
	case c == 0x02:
		return dhcp(b, e) || wireguard(b, e)
	case c == 0x16:
		return dtls(b, e)
	case c == 0x30:
		return snmp(b, e)
	case isUpper(c):
		return textDatagram(b, e)
	case c == 'd':
		return bittorrentDHT(b, e)
	case c&0xc0 == 0xc0:
		return quic(b, e) || ntp(b, e)
	}
	return ntp(b, e)
}

// uint16At and its kin read a number in network byte order; the caller has
// checked the length.
func uint16At(b []byte, i int) int { return int(b[i])<<8 | int(b[i+1]) }

func uint24At(b []byte, i int) int { return int(b[i])<<16 | uint16At(b, i+1) }

func uint32At(b []byte, i int) uint32 { return uint32(uint16At(b, i))<<16 | uint32(uint16At(b, i+2)) }

func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }

// hasPrefix is bytes.HasPrefix for a string.
func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// bounded is a name; one longer than 255 bytes is no name of any protocol here.
func bounded(b []byte) []byte {
	if len(b) > 255 {
		return nil
	}
	return b
}
