package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// maxPart is how much of a message goes into one segment; "rest" sends the next part.
const maxPart = 1400

// message builds real bytes of an application protocol, so that services are proven
// by what they say: get=host/path, ok=length, hello=name (TLS ClientHello
// with the ALPN of HTTP), tls=name (without), serverhello=length, appdata=length, ssh=software, query=name, answer=name,
// nxdomain=name, rest.
func message(kind, value string, from, to *end) ([]byte, error) {
	var b []byte
	var err error
	switch kind {
	case "get":
		host, path, _ := strings.Cut(value, "/")
		b = fmt.Appendf(nil, "GET /%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: curl/8.14.1\r\nAccept: */*\r\n\r\n", path, host)
	case "ok":
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, err
		}
		b = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n", n)
		b = append(b, filler(n)...)
	case "ssh":
		b = fmt.Appendf(nil, "SSH-2.0-%s\r\n", value)
	case "hello":
		b = clientHello(value, "h2", "http/1.1")
	case "tls":
		b = clientHello(value)
	case "serverhello", "appdata":
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, err
		}
		if kind == "serverhello" {
			b = serverHello()
		}
		b = append(b, tlsRecord(23, filler(n))...)
	case "query", "answer", "nxdomain":
		return dnsMessage(kind, value, from, to)
	case "rest":
		b = from.pending
	}
	from.pending = nil
	if len(b) > maxPart {
		b, from.pending = b[:maxPart], b[maxPart:]
	}
	return b, err
}

// dnsMessage builds a question, or its answer with the same id.
func dnsMessage(kind, name string, from, to *end) ([]byte, error) {
	record, name, ok := strings.Cut(name, ":")
	if !ok {
		record, name = "A", record
	}
	types := map[string]layers.DNSType{"A": layers.DNSTypeA, "AAAA": layers.DNSTypeAAAA}
	question := layers.DNSQuestion{Name: []byte(name), Type: types[record], Class: layers.DNSClassIN}
	dns := &layers.DNS{RD: true, QDCount: 1, Questions: []layers.DNSQuestion{question}}
	if kind == "query" {
		from.question = from.ipID | 1
		dns.ID = from.question
		return serialize(dns)
	}
	dns.ID, dns.QR, dns.RA = to.question, true, true
	switch {
	case kind == "nxdomain":
		dns.ResponseCode = layers.DNSResponseCodeNXDomain
	case record == "AAAA":
		dns.Answers = []layers.DNSResourceRecord{{Name: []byte(name), Type: layers.DNSTypeAAAA, Class: layers.DNSClassIN, TTL: 300,
			IP: net.ParseIP("2001:db8:80::80")}}
	default:
		dns.Answers = []layers.DNSResourceRecord{{Name: []byte(name), Type: layers.DNSTypeA, Class: layers.DNSClassIN, TTL: 300,
			IP: net.IPv4(198, 51, 100, 80)}}
	}
	dns.ANCount = uint16(len(dns.Answers))
	return serialize(dns, gopacket.Payload(nil))
}

// tlsRecord is one record of TLS 1.2 framing (RFC 8446 §5.1).
func tlsRecord(kind byte, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{kind, 3, 3}, uint16(len(body))), body...)
}

// vector prepends a 16-bit length.
func vector(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

// handshake is one handshake message in a record (RFC 8446 §4).
func handshake(kind byte, body []byte) []byte {
	return tlsRecord(22, append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...))
}

func extension(kind uint16, body []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, kind), vector(body)...)
}

// clientHello is a ClientHello for TLS 1.3 (RFC 8446 §4.1.2) with SNI, and ALPN
// when there are protocols to offer.
func clientHello(name string, protocols ...string) []byte {
	hello := []byte{3, 3}
	hello = append(hello, filler(32)...) // random
	hello = append(hello, 0)             // no session id
	hello = append(hello, vector([]byte{0x13, 0x01, 0x13, 0x02, 0x13, 0x03})...)
	hello = append(hello, 1, 0) // no compression
	var ext []byte
	ext = append(ext, extension(0, vector(append([]byte{0}, vector([]byte(name))...)))...) // server_name
	if len(protocols) > 0 {
		var offer []byte
		for _, p := range protocols {
			offer = append(append(offer, byte(len(p))), p...)
		}
		ext = append(ext, extension(16, vector(offer))...) // ALPN
	}
	ext = append(ext, extension(43, []byte{2, 3, 4})...)            // supported_versions
	ext = append(ext, extension(10, vector([]byte{0, 0x1d}))...)    // supported_groups: x25519
	ext = append(ext, extension(13, vector([]byte{4, 3, 8, 4}))...) // signature_algorithms
	share := append([]byte{0, 0x1d}, vector(filler(32))...)
	ext = append(ext, extension(51, vector(share))...) // key_share
	return handshake(1, append(hello, vector(ext)...))
}

// serverHello answers clientHello.
func serverHello() []byte {
	hello := append([]byte{3, 3}, filler(32)...)
	hello = append(hello, 0, 0x13, 0x01, 0)
	ext := extension(43, []byte{3, 4})
	ext = append(ext, extension(51, append([]byte{0, 0x1d}, vector(filler(32))...))...)
	return handshake(2, append(hello, vector(ext)...))
}
