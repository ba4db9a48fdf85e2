package service

import (
	"bytes"
	gotls "crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// evidence is an Evidence that compares.
type evidence struct {
	Service          string
	Sender           Sender
	ServerName, ALPN string
}

// classify says what a payload proves.
func classify(protocol uint8, payload []byte) evidence {
	var e Evidence
	e.Classify(protocol, payload)
	return evidence{e.Service, e.Sender, string(e.ServerName), string(e.ALPN)}
}

const (
	onTCP = protocolTCP
	onUDP = protocolUDP
)

// clientHelloOf is the first flight of the standard library's client.
func clientHelloOf(t testing.TB, serverName string, protocols ...string) []byte {
	t.Helper()
	near, far := net.Pipe()
	defer near.Close()
	go func() {
		client := gotls.Client(far, &gotls.Config{ServerName: serverName, NextProtos: protocols, InsecureSkipVerify: true})
		client.Handshake()
		far.Close()
	}()
	near.SetDeadline(time.Now().Add(10 * time.Second))
	header := make([]byte, 5)
	if _, err := io.ReadFull(near, header); err != nil {
		t.Fatal(err)
	}
	record := make([]byte, binary.BigEndian.Uint16(header[3:]))
	if _, err := io.ReadFull(near, record); err != nil {
		t.Fatal(err)
	}
	return append(header, record...)
}

// helloBytes builds a ClientHello or ServerHello record from its extensions.
func helloBytes(kind byte, extensions string) string {
	body := "\x03\x03" + strings.Repeat("r", 32) + "\x00"
	if kind == clientHello {
		body += "\x00\x02\x13\x01\x01\x00"
	} else {
		body += "\x13\x01\x00"
	}
	body += be16(len(extensions)) + extensions
	handshake := string(kind) + "\x00" + be16(len(body)) + body
	return "\x16\x03\x01" + be16(len(handshake)) + handshake
}

func be16(n int) string { return string([]byte{byte(n >> 8), byte(n)}) }

func dnsQuery(flags string, name string, kind int, tail string) string {
	counts := "\x00\x01\x00\x00\x00\x00\x00\x00"
	if tail != "" {
		counts = "\x00\x01\x00\x00\x00\x00\x00\x01"
	}
	return "\x12\x34" + flags + counts + name + be16(kind) + "\x00\x01" + tail
}

const (
	exampleCom = "\x07example\x03com\x00"
	edns       = "\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"
	aRecord    = "\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
)

func dnsAnswer(flags string) string {
	return "\x12\x34" + flags + "\x00\x01\x00\x01\x00\x00\x00\x00" + exampleCom + "\x00\x01\x00\x01" + aRecord
}

const netbiosQuery = "\x12\x34\x01\x10\x00\x01\x00\x00\x00\x00\x00\x00\x20FHEPFCELEHFCEPFFFACACACACACACABO\x00\x00\x20\x00\x01"

func ntpMessage(first byte, stratum byte, reference, receive, transmit uint32) string {
	b := make([]byte, 48)
	b[0], b[1], b[2], b[3] = first, stratum, 6, 0xec
	binary.BigEndian.PutUint32(b[16:], reference)
	binary.BigEndian.PutUint32(b[32:], receive)
	binary.BigEndian.PutUint32(b[40:], transmit)
	return string(b)
}

func dhcpMessage(op byte, cookie string) string {
	return string(op) + "\x01\x06\x00" + strings.Repeat("\x00", 232) + cookie + "\x35\x01\x01\xff"
}

// quicInitial is an Initial packet whose length field says length.
func quicInitial(version string, first byte, token string, length int) string {
	return string([]byte{first}) + version + "\x08DDDDDDDD\x00" + string([]byte{byte(len(token))}) + token +
		string([]byte{0x40 | byte(length>>8), byte(length)}) + strings.Repeat("p", 1182)
}

func mysqlGreeting(version string) string {
	body := "\x0a" + version + "\x00" + "\x01\x00\x00\x00" + "saltsalt" + "\x00" + "\xff\xf7\x08\x02\x00\xff\xc1\x15" + strings.Repeat("\x00", 10) + "moresalthere\x00"
	return string([]byte{byte(len(body)), 0, 0, 0}) + body
}

func smbMessage(mark string, at int, flags byte) string {
	b := make([]byte, 64)
	copy(b, mark)
	b[at] = flags
	return "\x00\x00\x00\x40" + string(b)
}

func wireguardMessage(kind byte, length int) string {
	return string([]byte{kind, 0, 0, 0}) + strings.Repeat("k", length-20) + strings.Repeat("\x00", 16)
}

func stunMessage(kind string) string {
	return kind + "\x00\x08\x21\x12\xa4\x42transaction_" + "\x80\x22\x00\x04abcd"
}

const (
	sni = "\x00\x00\x00\x10\x00\x0e\x00\x00\x0bexample.com"
	h2  = "\x00\x10\x00\x0e\x00\x0c\x02h2\x08http/1.1"

	postgresStartup = "\x00\x00\x00\x26\x00\x03\x00\x00user\x00alice\x00database\x00postgres\x00\x00"
)

// A proof is a payload that proves a service.
type proof struct {
	rule     string
	protocol uint8
	payload  string
	want     evidence
}

// proofs is a function, so that the tests too have nothing to initialise (see TestNoInit).
func proofs() []proof {
	return []proof{
		{"tls: the client says the name it wants", onTCP, helloBytes(clientHello, sni), evidence{"tls", FromClient, "example.com", ""}},
		{"tls: HTTP in the ALPN makes it https", onTCP, helloBytes(clientHello, sni+h2), evidence{"https", FromClient, "example.com", "h2"}},
		{"tls: a reserved ALPN value is passed over", onTCP, helloBytes(clientHello, "\x00\x10\x00\x08\x00\x06\x02\x4a\x4a\x02h2"), evidence{"https", FromClient, "", "h2"}},
		{"tls: DNS in the ALPN makes it domain-s", onTCP, helloBytes(clientHello, "\x00\x10\x00\x06\x00\x04\x03dot"), evidence{"domain-s", FromClient, "", "dot"}},
		{"tls: an unknown ALPN stays tls", onTCP, helloBytes(clientHello, "\x00\x10\x00\x08\x00\x06\x05xyz/1"), evidence{"tls", FromClient, "", "xyz/1"}},
		{"tls: names stay as they are on the wire", onTCP, helloBytes(clientHello, "\x00\x00\x00\x08\x00\x06\x00\x00\x03\x1b[m"), evidence{"tls", FromClient, "\x1b[m", ""}},
		{"tls: no extension", onTCP, helloBytes(clientHello, ""), evidence{"tls", FromClient, "", ""}},
		{"tls: the server takes a protocol", onTCP, helloBytes(serverHello, "\x00\x10\x00\x05\x00\x03\x02h2"), evidence{"https", FromServer, "", "h2"}},
		{"tls: a server names no server", onTCP, helloBytes(serverHello, sni), evidence{"tls", FromServer, "", ""}},
		{"tls: an alert comes from either side", onTCP, "\x15\x03\x03\x00\x02\x02\x28", evidence{"tls", UnknownSender, "", ""}},
		{"dtls: ClientHello", onUDP, "\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00" + be16(12+2+32+1+1+4+2+2+len(sni)) +
			"\x01\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00\x40" + "\xfe\xfd" + strings.Repeat("r", 32) + "\x00\x00\x00\x02\x13\x01\x01\x00\x00\x14" + sni,
			evidence{"dtls", FromClient, "example.com", ""}},

		{"http: request with Host", onTCP, "GET / HTTP/1.1\r\nhOsT:  example.com:8080 \r\n\r\n", evidence{"http", FromClient, "example.com", ""}},
		{"http: a Host in the body is not one", onTCP, "POST / HTTP/1.0\r\nA: b\r\n\r\nHost: no\r\n", evidence{"http", FromClient, "", ""}},
		{"http: IPv6 host", onTCP, "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", evidence{"http", FromClient, "[::1]", ""}},
		{"http: half a Host is none", onTCP, "GET / HTTP/1.1\r\nHost: exam", evidence{"http", FromClient, "", ""}},
		{"http: a host longer than a name is none", onTCP, "GET / HTTP/1.1\r\nHost: " + strings.Repeat("a", 256) + "\r\n\r\n", evidence{"http", FromClient, "", ""}},
		{"http: a target with a space", onTCP, "GET /a b HTTP/1.1\r\nHost: a.example\r\n\r\n", evidence{"http", FromClient, "a.example", ""}},
		{"http: CONNECT to a proxy", onTCP, "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", evidence{"http", FromClient, "a.example", ""}},
		{"http: response", onTCP, "HTTP/1.1 200 OK\r\n\r\n", evidence{"http", FromServer, "", ""}},
		{"http: response without reason", onTCP, "HTTP/1.0 404\r\n\r\n", evidence{"http", FromServer, "", ""}},
		{"http/2: preface", onTCP, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00", evidence{"http", FromClient, "", ""}},
		{"rtsp: request", onTCP, "OPTIONS rtsp://cam/ RTSP/1.0\r\nCSeq: 1\r\n\r\n", evidence{"rtsp", FromClient, "", ""}},
		{"rtsp: response", onTCP, "RTSP/1.0 200 OK\r\n\r\n", evidence{"rtsp", FromServer, "", ""}},
		{"sip: a register comes from the client", onUDP, "REGISTER sip:example.com SIP/2.0\r\n\r\n", evidence{"sip", FromClient, "", ""}},
		{"sip: either side may invite", onUDP, "INVITE sip:bob@example.com SIP/2.0\r\n\r\n", evidence{"sip", UnknownSender, "", ""}},
		{"sip: response", onUDP, "SIP/2.0 180 Ringing\r\n\r\n", evidence{"sip", UnknownSender, "", ""}},
		{"ssdp: search", onUDP, "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", evidence{"ssdp", FromClient, "", ""}},
		{"ssdp: answer", onUDP, "HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\n\r\n", evidence{"ssdp", FromServer, "", ""}},
		{"ssdp: announcement", onUDP, "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n\r\n", evidence{"ssdp", UnknownSender, "", ""}},

		{"dns: query with recursion", onUDP, dnsQuery("\x01\x00", exampleCom, 1, ""), evidence{"domain", FromClient, "example.com", ""}},
		{"dns: query with EDNS", onUDP, dnsQuery("\x00\x00", "\x04host\x00", 28, edns), evidence{"domain", FromClient, "host", ""}},
		{"dns: query for the root", onUDP, dnsQuery("\x01\x00", "\x00", 2, ""), evidence{"domain", FromClient, ".", ""}},
		{"dns: a label may hold anything", onUDP, dnsQuery("\x01\x00", "\x04a\x1b\x00.\x00", 1, ""), evidence{"domain", FromClient, "a\x1b\x00.", ""}},
		{"dns: response", onUDP, dnsAnswer("\x81\x80"), evidence{"domain", FromServer, "example.com", ""}},
		{"dns: no such name", onUDP, dnsQuery("\x81\x83", exampleCom, 1, ""), evidence{"domain", FromServer, "example.com", ""}},
		{"dns: query over TCP", onTCP, "\x00\x1d" + dnsQuery("\x01\x00", exampleCom, 252, ""), evidence{"domain", FromClient, "example.com", ""}},
		{"dns: response over TCP that goes on", onTCP, "\x20\x00" + dnsAnswer("\x81\x80"), evidence{"domain", FromServer, "example.com", ""}},
		{"mdns: query", onUDP, "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03nas\x05local\x00\x00\x01\x80\x01", evidence{"mdns", FromClient, "nas.local", ""}},
		{"netbios: name query", onUDP, netbiosQuery, evidence{"netbios-ns", FromClient, "", ""}},

		{"ssh: either side", onTCP, "SSH-2.0-OpenSSH_9.2\r\n", evidence{"ssh", UnknownSender, "", ""}},
		{"rfb: either side", onTCP, "RFB 003.008\n", evidence{"rfb", UnknownSender, "", ""}},
		{"smtp: greeting", onTCP, "220 ftp.example.com ESMTP Postfix\r\n", evidence{"smtp", FromServer, "", ""}},
		{"smtp: EHLO", onTCP, "EHLO me.example\r\n", evidence{"smtp", FromClient, "", ""}},
		{"ftp: greeting", onTCP, "220 (vsFTPd 3.0.3)\r\n", evidence{"ftp", FromServer, "", ""}},
		{"ftp: greeting of several lines", onTCP, "220---------- Welcome to Pure-FTPd ----------\r\n220-more\r\n", evidence{"ftp", FromServer, "", ""}},
		{"pop3: greeting", onTCP, "+OK POP3 ready\r\n", evidence{"pop3", FromServer, "", ""}},
		{"pop3: greeting with a timestamp", onTCP, "+OK hello <1896.697@mail.example>\r\n", evidence{"pop3", FromServer, "", ""}},
		{"imap: greeting", onTCP, "* OK [CAPABILITY IMAP4rev1] ready\r\n", evidence{"imap", FromServer, "", ""}},

		{"quic: Initial of version 1", onUDP, quicInitial("\x00\x00\x00\x01", 0xc3, "", 1182), evidence{"quic", UnknownSender, "", ""}},
		{"quic: Initial of version 2", onUDP, quicInitial("\x6b\x33\x43\xcf", 0xd3, "", 1182), evidence{"quic", UnknownSender, "", ""}},
		{"quic: only clients send tokens", onUDP, quicInitial("\x00\x00\x00\x01", 0xc3, "token", 1182), evidence{"quic", FromClient, "", ""}},
		{"ntp: client", onUDP, ntpMessage(0x23, 3, 0xec000000, 0xec000001, 0xec000010), evidence{"ntp", FromClient, "", ""}},
		{"ntp: client that says nothing", onUDP, ntpMessage(0x23, 0, 0, 0, 0x12345678), evidence{"ntp", FromClient, "", ""}},
		{"ntp: server", onUDP, ntpMessage(0x24, 2, 0xec000000, 0xec000010, 0xec000010), evidence{"ntp", FromServer, "", ""}},
		{"dhcp: client", onUDP, dhcpMessage(1, "\x63\x82\x53\x63"), evidence{"bootps", FromClient, "", ""}},
		{"dhcp: server", onUDP, dhcpMessage(2, "\x63\x82\x53\x63"), evidence{"bootps", FromServer, "", ""}},
		{"snmp: get of version 2c", onUDP, "\x30\x0f\x02\x01\x01\x04\x06public\xa0\x02\x02\x00", evidence{"snmp", FromClient, "", ""}},
		{"snmp: trap", onUDP, "\x30\x0f\x02\x01\x00\x04\x06public\xa4\x02\x02\x00", evidence{"snmptrap", FromClient, "", ""}},
		{"snmp: version 3", onUDP, "\x30\x13\x02\x01\x03\x30\x0a\x02\x01\x01\x02\x02\x05\xdc\x04\x01\x04\x04\x02\x30\x00", evidence{"snmp", UnknownSender, "", ""}},
		{"rdp: cookie", onTCP, "\x03\x00\x00\x24\x1f\xe0\x00\x00\x00\x00\x00Cookie: mstshash=alice\r\n\x00", evidence{"ms-wbt-server", FromClient, "", ""}},
		{"rdp: negotiation", onTCP, "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", evidence{"ms-wbt-server", FromClient, "", ""}},
		{"rdp: confirmation", onTCP, "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x1f\x08\x00\x02\x00\x00\x00", evidence{"ms-wbt-server", FromServer, "", ""}},
		{"mysql: greeting", onTCP, mysqlGreeting("8.0.36"), evidence{"mysql", FromServer, "", ""}},
		{"postgresql: startup", onTCP, postgresStartup, evidence{"postgresql", FromClient, "", ""}},
		{"postgresql: request for TLS", onTCP, "\x00\x00\x00\x08\x04\xd2\x16\x2f", evidence{"postgresql", FromClient, "", ""}},
		{"redis: command", onTCP, "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", evidence{"redis", FromClient, "", ""}},
		{"redis: array of no command", onTCP, "*1\r\n$5\r\nxyzzy\r\n", evidence{"redis", UnknownSender, "", ""}},
		{"redis: pong", onTCP, "+PONG\r\n", evidence{"redis", FromServer, "", ""}},
		{"mqtt: connect", onTCP, "\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04dev1", evidence{"mqtt", FromClient, "", ""}},
		{"bittorrent: handshake", onTCP, "\x13BitTorrent protocol\x00\x00\x00\x00", evidence{"bittorrent", UnknownSender, "", ""}},
		{"bittorrent: distributed hash table", onUDP, "d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe", evidence{"bittorrent", UnknownSender, "", ""}},
		{"stun: peers ask each other", onUDP, stunMessage("\x00\x01"), evidence{"stun", UnknownSender, "", ""}},
		{"turn: clients ask for allocations", onUDP, stunMessage("\x00\x03"), evidence{"turn", FromClient, "", ""}},
		{"turn: over TCP", onTCP, stunMessage("\x01\x13"), evidence{"turn", FromServer, "", ""}},
		{"memcache: set", onTCP, "set key 0 -1 5\r\nhello\r\n", evidence{"memcache", FromClient, "", ""}},
		{"memcache: binary get", onTCP, "\x80\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x03" + strings.Repeat("\x00", 12) + "key", evidence{"memcache", FromClient, "", ""}},
		{"smb: version 2 request", onTCP, smbMessage("\xfeSMB\x40\x00", 16, 0), evidence{"microsoft-ds", FromClient, "", ""}},
		{"smb: version 2 response", onTCP, smbMessage("\xfeSMB\x40\x00", 16, 1), evidence{"microsoft-ds", FromServer, "", ""}},
		{"smb: version 1 response", onTCP, smbMessage("\xffSMBr", 9, 0x98), evidence{"microsoft-ds", FromServer, "", ""}},
		{"bgp: open", onTCP, strings.Repeat("\xff", 16) + "\x00\x1d\x01\x04\xfd\xe8\x00\xb4\x0a\x00\x00\x01\x00", evidence{"bgp", UnknownSender, "", ""}},
		{"wireguard: initiation", onUDP, wireguardMessage(1, 148), evidence{"wireguard", FromClient, "", ""}},
		{"wireguard: response", onUDP, wireguardMessage(2, 92), evidence{"wireguard", FromServer, "", ""}},
	}
}

func TestClassifyProves(t *testing.T) {
	for _, test := range proofs() {
		if diff := cmp.Diff(test.want, classify(test.protocol, []byte(test.payload))); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", test.rule, diff)
		}
	}
}

// TestClassifyNearMisses are payloads that look like a proof and are none.
func TestClassifyNearMisses(t *testing.T) {
	for _, test := range []struct {
		rule     string
		protocol uint8
		payload  string
	}{
		{"nothing", onTCP, ""},
		{"one byte", onTCP, "\x16"},
		{"zeros", onTCP, strings.Repeat("\x00", 1400)},
		{"zeros in a datagram", onUDP, strings.Repeat("\x00", 1400)},
		{"ones", onUDP, strings.Repeat("\xff", 200)},
		{"spaces", onTCP, strings.Repeat(" ", 200)},
		{"letters", onTCP, strings.Repeat("A", 200)},
		{"tls: SSL version 2", onTCP, "\x16\x02" + helloBytes(clientHello, sni)[2:]},
		{"tls: application data", onTCP, "\x17" + helloBytes(clientHello, sni)[1:]},
		{"tls: another handshake message", onTCP, strings.Replace(helloBytes(clientHello, sni), "\x01\x00\x00", "\x0b\x00\x00", 1)},
		{"tls: a session id of 33 bytes", onTCP, strings.Replace(helloBytes(clientHello, sni), "r\x00\x00\x02", "r\x21\x00\x02", 1)},
		{"tls: an odd number of bytes of cipher suites", onTCP, strings.Replace(helloBytes(clientHello, sni), "\x00\x02\x13", "\x00\x03\x13", 1)},
		{"tls: a record shorter than any hello", onTCP, "\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x03\x03" + strings.Repeat("r", 10)},
		{"tls: a hello longer than its short record", onTCP, "\x16\x03\x01\x00\x40\x01\x00\x01\x00\x03\x03" + strings.Repeat("r", 59)},
		{"tls: over UDP", onUDP, helloBytes(clientHello, sni)},
		{"http: no version", onTCP, "GET /index.html\r\n"},
		{"http: a line that is not there yet", onTCP, "GET /index.html HT"},
		{"http: version 3", onTCP, "GET / HTTP/3.0\r\n\r\n"},
		{"http: words", onTCP, "THE QUICK BROWN FOX\r\n"},
		{"http: status without digits", onTCP, "HTTP/1.1 abc\r\n"},
		{"http: over UDP", onUDP, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"ssdp: a response without ST", onUDP, "HTTP/1.1 200 OK\r\nServer: x\r\n\r\n"},
		{"ssh: no version", onTCP, "SSH-1\r\n"},
		{"220 of neither", onTCP, "220 welcome to example\r\n"},
		{"220 of a host called ftp", onTCP, "220 ftp.example.com ready\r\n"},
		{"220 that is cut", onTCP, "220 mail.example.com ESM"},
		{"220 without CR", onTCP, "220 mail.example.com ESMTP\n"},
		{"+OK of Redis", onTCP, "+OK\r\n"},
		{"+OK of something", onTCP, "+OK thanks\r\n"},
		{"* of something", onTCP, "* OK thanks\r\n"},
		{"ehlo with two words", onTCP, "EHLO a b\r\n"},
		{"dns: two questions", onUDP, "\x12\x34\x01\x00\x00\x02\x00\x00\x00\x00\x00\x00" + exampleCom + "\x00\x01\x00\x01"},
		{"dns: the reserved bit", onUDP, dnsQuery("\x01\x40", exampleCom, 1, "")},
		{"dns: a query with a response code", onUDP, dnsQuery("\x01\x03", exampleCom, 1, "")},
		{"dns: a type that is none", onUDP, dnsQuery("\x01\x00", exampleCom, 40000, "")},
		{"dns: a class that is none", onUDP, strings.TrimSuffix(dnsQuery("\x01\x00", exampleCom, 1, ""), "\x00\x01") + "\x00\x63"},
		{"dns: bytes behind the message", onUDP, dnsQuery("\x01\x00", exampleCom, 1, "") + "x"},
		{"dns: a pointer in the first name", onUDP, dnsQuery("\x01\x00", "\x07example\xc0\x0c", 1, "")},
		{"dns: a name without end", onUDP, dnsQuery("\x01\x00", strings.Repeat("\x01a", 130)+"\x00", 1, "")},
		{"dns: a label of 64", onUDP, dnsQuery("\x01\x00", "\x40"+strings.Repeat("a", 64)+"\x00", 1, "")},
		{"dns: may be LLMNR", onUDP, dnsQuery("\x00\x00", "\x04host\x00", 1, "")},
		{"dns: an answer that may be LLMNR's", onUDP, dnsQuery("\x80\x00", "\x04host\x00", 1, "")},
		{"dns: over TCP without its length", onTCP, dnsQuery("\x01\x00", exampleCom, 1, "")},
		{"mdns: asked from another port", onUDP, dnsQuery("\x00\x00", "\x03nas\x05local\x00", 1, "")},
		{"netbios: a damaged name is no service record", onUDP, strings.Replace(strings.Replace(netbiosQuery, "FHEP", "ZZZZ", 1), "\x00\x20\x00\x01", "\x00\x21\x00\x01", 1)},
		{"netbios: another alphabet", onUDP, strings.Replace(netbiosQuery, "FHEP", "ZZZZ", 1)},
		{"quic: length beyond the datagram", onUDP, quicInitial("\x00\x00\x00\x01", 0xc3, "", 1183)},
		{"quic: a Handshake packet", onUDP, quicInitial("\x00\x00\x00\x01", 0xe3, "", 1182)},
		{"quic: short header", onUDP, quicInitial("\x00\x00\x00\x01", 0x43, "", 1182)},
		{"quic: version negotiation", onUDP, quicInitial("\x00\x00\x00\x00", 0xc3, "", 1182)},
		{"quic: connection id of 21 bytes", onUDP, "\xc3\x00\x00\x00\x01\x15" + strings.Repeat("\x00", 1200)},
		{"ntp: server that never answered", onUDP, ntpMessage(0x24, 2, 0, 0, 0)},
		{"ntp: server of next year", onUDP, ntpMessage(0x24, 2, 0xec000000, 0xec000010, 0xee000010)},
		{"ntp: stratum 17", onUDP, ntpMessage(0x23, 17, 0xec000000, 0, 0xec000010)},
		{"ntp: 49 bytes", onUDP, ntpMessage(0x23, 0, 0, 0, 1) + "x"},
		{"ntp: broadcast", onUDP, ntpMessage(0x25, 2, 0xec000000, 0, 0xec000010)},
		{"dhcp: another cookie", onUDP, dhcpMessage(1, "\x63\x82\x53\x64")},
		{"dhcp: op 3", onUDP, dhcpMessage(3, "\x63\x82\x53\x63")},
		{"snmp: LDAP over UDP", onUDP, "\x30\x0d\x02\x01\x01\x63\x08xxxxxxxx"},
		{"snmp: bytes behind the message", onUDP, "\x30\x0f\x02\x01\x01\x04\x06public\xa0\x02\x02\x00x"},
		{"snmp: version 9", onUDP, "\x30\x0f\x02\x01\x09\x04\x06public\xa0\x02\x02\x00"},
		{"rdp: another service over X.224", onTCP, "\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02"},
		{"mysql: length that does not fit", onTCP, mysqlGreeting("8.0.36") + "x"},
		{"mysql: version that is no number", onTCP, mysqlGreeting("abc")},
		{"postgresql: no user", onTCP, "\x00\x00\x00\x1b\x00\x03\x00\x00database\x00postgres\x00\x00"},
		{"postgresql: length that does not fit", onTCP, postgresStartup + "\x00"},
		{"redis: no bulk string", onTCP, "*2\r\n:1\r\n:2\r\n"},
		{"redis: length that does not fit", onTCP, "*1\r\n$9\r\nPING\r\n"},
		{"mqtt: level 9", onTCP, "\x10\x10\x00\x04MQTT\x09\x02\x00\x3c\x00\x04dev1"},
		{"mqtt: publish", onTCP, "\x30\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04dev1"},
		{"bittorrent: another protocol", onTCP, "\x13BitTorrent Protocol"},
		{"stun: another cookie", onUDP, strings.Replace(stunMessage("\x00\x01"), "\x21\x12", "\x21\x13", 1)},
		{"stun: length that does not fit", onUDP, stunMessage("\x00\x01") + "abcd"},
		{"memcache: set of something else", onTCP, "set timeout 5\r\n"},
		{"memcache: get", onTCP, "get key\r\n"},
		{"memcache: lengths that do not add up", onTCP, "\x80\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x03" + strings.Repeat("\x00", 12) + "key"},
		{"smb: another mark", onTCP, smbMessage("\xfdSMB\x40\x00", 16, 0)},
		{"smb: a NetBIOS session request", onTCP, "\x81\x00\x00\x44" + strings.Repeat("\x20", 68)},
		{"bgp: keep-alive", onTCP, strings.Repeat("\xff", 16) + "\x00\x13\x04\x04"},
		{"wireguard: data", onUDP, wireguardMessage(4, 148)},
		{"wireguard: under load", onUDP, strings.Repeat("\x01\x00\x00\x00", 37)},
		{"another transport", 132, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
		{"no transport", 1, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
	} {
		if got := classify(test.protocol, []byte(test.payload)); got != (evidence{}) {
			t.Errorf("%s: proves %+v", test.rule, got)
		}
	}
}

// TestClassifyCutPayloads cuts every proof everywhere: what is left proves the same
// service from the same side, or less, and never half a name.
func TestClassifyCutPayloads(t *testing.T) {
	for _, test := range proofs() {
		for n := range len(test.payload) {
			got := classify(test.protocol, []byte(test.payload[:n]))
			if got.Service == "" && got != (evidence{}) {
				t.Errorf("%s, first %d bytes: %+v without a service", test.rule, n, got)
			}
			if got.Service == "" {
				continue
			}
			same := got.Service == test.want.Service || got.Service == "tls" && got.ALPN == ""
			if !same || got.Sender != test.want.Sender ||
				got.ServerName != "" && got.ServerName != test.want.ServerName || got.ALPN != "" && got.ALPN != test.want.ALPN {
				t.Errorf("%s, first %d bytes: %+v, whole %+v", test.rule, n, got, test.want)
			}
		}
	}
}

// TestClassifyRealHello is a second opinion: the standard library's own client.
func TestClassifyRealHello(t *testing.T) {
	hello := clientHelloOf(t, "server.example", "h2", "http/1.1")
	want := evidence{Service: "https", Sender: FromClient, ServerName: "server.example", ALPN: "h2"}
	if diff := cmp.Diff(want, classify(onTCP, hello)); diff != "" {
		t.Error(diff)
	}
}

func TestClassifyAllocatesNothing(t *testing.T) {
	room := make([]byte, 255)
	for _, test := range proofs() {
		b := []byte(test.payload)
		if n := testing.AllocsPerRun(20, func() {
			e := Evidence{Room: room}
			e.Classify(test.protocol, b)
		}); n != 0 {
			t.Errorf("%s: %v allocations", test.rule, n)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, test := range proofs() {
		f.Add(test.protocol, []byte(test.payload))
	}
	f.Fuzz(func(t *testing.T, protocol uint8, b []byte) {
		before := bytes.Clone(b)
		e := classify(protocol, b)
		if !bytes.Equal(b, before) {
			t.Fatal("the payload was changed")
		}
		if e.Service == "" && e != (evidence{}) {
			t.Fatalf("no service, but %+v", e)
		}
		if len(e.ServerName) > 255 || len(e.ALPN) > 255 {
			t.Fatalf("%d and %d bytes of names", len(e.ServerName), len(e.ALPN))
		}
		if !bytes.Contains(b, []byte(e.ALPN)) {
			t.Fatalf("ALPN %q is not in the payload", e.ALPN)
		}
		// A DNS name has dots where the payload has lengths.
		if e.Service != "domain" && e.Service != "mdns" && !bytes.Contains(b, []byte(e.ServerName)) {
			t.Fatalf("server name %q is not in the payload", e.ServerName)
		}
		if e != classify(protocol, b[:len(b):len(b)]) {
			t.Fatal("bytes behind the payload count")
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	random := make([]byte, 1400)
	for i := range random {
		random[i] = byte(i*167 + i>>3*59 + 0x5d)
	}
	room := make([]byte, 255)
	bench := func(name string, protocol uint8, payload []byte) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e := Evidence{Room: room}
				e.Classify(protocol, payload)
			}
		})
	}
	bench("nothing/tcp", onTCP, random)
	bench("nothing/udp", onUDP, random)
	bench("nothing/tls-data", onTCP, []byte("\x17\x03\x03\x04\x00"+string(random)))
	bench("nothing/text", onTCP, []byte(strings.Repeat("Lorem ipsum dolor ", 70)))
	bench("nothing/zeros-tcp", onTCP, make([]byte, 1400))
	bench("nothing/zeros-udp", onUDP, make([]byte, 1400))
	bench("nothing/first-bytes", onTCP, nil)
	b.Run("nothing/every-first-byte", func(b *testing.B) {
		b.ReportAllocs()
		var i byte
		for b.Loop() {
			random[0] = i
			i++
			classify(onTCP, random)
		}
	})
	bench("tls", onTCP, clientHelloOf(b, "server.example", "h2"))
	bench("http", onTCP, []byte("GET / HTTP/1.1\r\nUser-Agent: x\r\nHost: example.com\r\n\r\n"))
	bench("dns", onUDP, []byte(dnsQuery("\x01\x00", exampleCom, 1, "")))
}
