package service

import "bytes"

// maxLine is as far as the end of a first line or a header field is looked for, in bytes.
const maxLine = 4096

// banner looks for lines that begin in a way of their own: SSH (RFC 4253 §4.2)
// and RFB (RFC 6143 §7.1.1) are sent by both sides; HTTP/2's preface (RFC 9113 §3.4) by the client.
func banner(b []byte, e *Evidence) bool {
	switch {
	case hasPrefix(b, "SSH-2.0-"), hasPrefix(b, "SSH-1."):
		return e.prove("ssh", UnknownSender)
	case hasPrefix(b, "RFB 00") && len(b) == 12 && b[11] == '\n':
		return e.prove("rfb", UnknownSender)
	case hasPrefix(b, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
		return e.prove("http", FromClient)
	}
	return false
}

// textMessage looks for the requests and responses of HTTP/1 (RFC 9112), RTSP and
// SIP, which share the form of their first line, and for SMTP's first command.
func textMessage(b []byte, e *Evidence) bool {
	if hasPrefix(b, "EHLO ") || hasPrefix(b, "HELO ") {
		return smtpHello(b, e)
	}
	return response(b, e) || request(b, e)
}

// textDatagram looks for SSDP, which is HTTP over UDP, and for SIP.
func textDatagram(b []byte, e *Evidence) bool {
	switch {
	case hasPrefix(b, "M-SEARCH * HTTP/1.1\r\n"):
		return e.prove("ssdp", FromClient)
	case hasPrefix(b, "NOTIFY * HTTP/1.1\r\n"):
		return e.prove("ssdp", UnknownSender)
	case hasPrefix(b, "HTTP/1.1 200 "):
		if value, ok := field(b, "st"); ok && len(value) > 0 {
			return e.prove("ssdp", FromServer)
		}
		return false
	}
	var found Evidence
	if !response(b, &found) && !request(b, &found) || found.Service != "sip" {
		return false
	}
	return e.prove(found.Service, found.Sender)
}

// response looks for a status line: version, SP, three digits, SP.
func response(b []byte, e *Evidence) bool {
	service, sender, rest := "sip", UnknownSender, b // either side of SIP may have asked
	switch {
	case hasPrefix(b, "HTTP/1.1 "), hasPrefix(b, "HTTP/1.0 "):
		service, sender, rest = "http", FromServer, b[9:]
	case hasPrefix(b, "RTSP/1.0 "), hasPrefix(b, "RTSP/2.0 "):
		service, sender, rest = "rtsp", FromServer, b[9:]
	case hasPrefix(b, "SIP/2.0 "):
		rest = b[8:]
	default:
		return false
	}
	if len(rest) < 4 || rest[0] < '1' || rest[0] > '6' || !digits(rest[:3]) || rest[3] != ' ' && rest[3] != '\r' && rest[3] != '\n' {
		return false
	}
	return e.prove(service, sender)
}

// request looks for a request line: method, SP, target, SP, version. The version
// decides, so the line must be here up to it, whatever the method.
func request(b []byte, e *Evidence) bool {
	const longest = 24 // of the methods known to IANA is 17
	method := -1
	for i, c := range b[:min(len(b), longest)] {
		if c == ' ' {
			method = i
			break
		}
		if (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	if method < 3 {
		return false
	}
	line := b[method+1 : min(len(b), maxLine)]
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
		if i > 0 && line[i-1] == '\r' {
			line = line[:i-1]
		}
	}
	space := bytes.LastIndexByte(line, ' ') // some clients leave spaces in the target
	if space <= 0 {
		return false
	}
	switch version := line[space+1:]; string(version) {
	case "HTTP/1.1", "HTTP/1.0":
		if host, ok := field(b, "host"); ok {
			e.ServerName = bounded(withoutPort(host))
		}
		return e.prove("http", FromClient)
	case "RTSP/1.0", "RTSP/2.0":
		return e.prove("rtsp", FromClient)
	case "SIP/2.0":
		if string(b[:method]) == "REGISTER" {
			return e.prove("sip", FromClient)
		}
		return e.prove("sip", UnknownSender) // either side may send the others
	}
	return false
}

// field gives the value of a header field, its name in lower case. A value whose
// end is not in b is not given.
func field(b []byte, fieldName string) ([]byte, bool) {
	b = b[:min(len(b), maxLine)]
	for {
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return nil, false
		}
		b = b[end+1:]
		if len(b) > 0 && (b[0] == '\r' || b[0] == '\n') {
			return nil, false // the header ends
		}
		if len(b) <= len(fieldName) || b[len(fieldName)] != ':' || !isFold(b[:len(fieldName)], fieldName) {
			continue
		}
		value := b[len(fieldName)+1:]
		if end = bytes.IndexByte(value, '\n'); end < 0 {
			return nil, false
		}
		return bytes.Trim(value[:end], " \t\r"), true
	}
}

// isFold reports whether b is the lower-case ASCII word, whatever b's case.
func isFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if lower(c) != word[i] {
			return false
		}
	}
	return true
}

// containsFold reports whether the lower-case ASCII word is in b, whatever b's case.
func containsFold(b []byte, word string) bool {
	for i := 0; i+len(word) <= len(b); i++ {
		if isFold(b[i:i+len(word)], word) {
			return true
		}
	}
	return false
}

// withoutPort cuts the port off a Host field (RFC 9110 §7.2): "[::1]:80" is "[::1]".
func withoutPort(host []byte) []byte {
	i := bytes.LastIndexByte(host, ':')
	if i < 0 || !digits(host[i+1:]) || i > 0 && host[0] == '[' && host[i-1] != ']' || host[0] != '[' && bytes.IndexByte(host, ':') != i {
		return host
	}
	return host[:i]
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
