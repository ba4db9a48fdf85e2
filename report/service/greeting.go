package service

import "bytes"

// maxGreeting is the longest greeting looked at, in bytes: SMTP and POP3 allow 512.
const maxGreeting = 512

// greeting looks for the line with which mail and file servers begin: SMTP (RFC 5321
// §4.2), FTP (RFC 959 §5.4), POP3 (RFC 1939 §4) and IMAP (RFC 9051 §7.1). The code
// "220" is both SMTP's and FTP's, and "+OK" is a Redis answer too: the text decides.
func greeting(b []byte, e *Evidence) bool {
	line, ok := firstLine(b)
	if !ok || len(line) < 4 {
		return false
	}
	text := line[4:]
	switch {
	case hasPrefix(line, "220 "), hasPrefix(line, "220-"):
		smtp, ftp := hasWord(text, "SMTP") || hasWord(text, "ESMTP"), saysFTP(text)
		switch {
		case smtp:
			return e.prove("smtp", FromServer)
		case ftp && !containsFold(text, "smtp"):
			return e.prove("ftp", FromServer)
		}
	case hasPrefix(line, "+OK "):
		if containsFold(text, "pop3") || containsFold(text, "pop server") || hasPrefix(text, "Dovecot") || hasTimestamp(text) {
			return e.prove("pop3", FromServer)
		}
	case hasPrefix(line, "* OK "), hasPrefix(line, "* PREAUTH "):
		if containsFold(text, "imap") || containsFold(text, " dovecot") {
			return e.prove("imap", FromServer)
		}
	}
	return false
}

// smtpHello looks at a line that begins with EHLO or HELO: one word follows.
func smtpHello(b []byte, e *Evidence) bool {
	line, ok := firstLine(b)
	if !ok || len(line) <= 5 || bytes.IndexByte(line[5:], ' ') >= 0 {
		return false
	}
	return e.prove("smtp", FromClient)
}

// firstLine is the first line of b without its CR LF; it must be whole and of
// printable bytes (UTF-8 is).
func firstLine(b []byte) ([]byte, bool) {
	b = b[:min(len(b), maxGreeting)]
	end := bytes.IndexByte(b, '\n')
	if end < 1 || b[end-1] != '\r' {
		return nil, false
	}
	line := b[:end-1]
	for _, c := range line {
		if c < ' ' && c != '\t' || c == 0x7f {
			return nil, false
		}
	}
	return line, true
}

// hasWord reports whether word stands in text between spaces.
func hasWord(text []byte, word string) bool {
	for len(text) > 0 {
		var field []byte
		field, text, _ = bytes.Cut(text, []byte{' '})
		if string(field) == word {
			return true
		}
	}
	return false
}

// saysFTP reports whether a word of text speaks of FTP. One with a dot may be the
// host's name and says nothing.
func saysFTP(text []byte) bool {
	for len(text) > 0 {
		var field []byte
		field, text, _ = bytes.Cut(text, []byte{' '})
		if containsFold(field, "ftp") && bytes.IndexByte(field, '.') < 0 {
			return true
		}
	}
	return false
}

// hasTimestamp reports whether text ends with the <process.clock@host> of APOP (RFC 1939 §7).
func hasTimestamp(text []byte) bool {
	open, at := bytes.IndexByte(text, '<'), bytes.IndexByte(text, '@')
	return open >= 0 && at > open+1 && text[len(text)-1] == '>'
}
