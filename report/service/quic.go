package service

// quic looks for an Initial packet of QUIC version 1 (RFC 9000 §17.2.2) or 2
// (RFC 9369 §3). Its contents are encrypted, so only a token, which servers never send,
// tells the side.
func quic(b []byte, e *Evidence) bool {
	const (
		fixed      = 7 // first byte, version, the lengths of two empty connection ids
		longest    = 20
		shortest   = 20 // of number and payload: the tag alone has 16
		version1   = 0x00000001
		version2   = 0x6b3343cf
		initialIn1 = 0
		initialIn2 = 1
	)
	if len(b) < fixed+shortest || b[0]&0xc0 != 0xc0 {
		return false
	}
	kind := b[0] >> 4 & 3
	switch uint32At(b, 1) {
	case version1:
		if kind != initialIn1 {
			return false
		}
	case version2:
		if kind != initialIn2 {
			return false
		}
	default:
		return false
	}
	if b[5] > longest {
		return false
	}
	rest, ok := skipVector8(b, 5)
	if !ok || len(rest) < 1 || rest[0] > longest {
		return false
	}
	if rest, ok = skipVector8(rest, 0); !ok {
		return false
	}
	token, rest, ok := variableInt(rest)
	if !ok || token > uint64(len(rest)) {
		return false
	}
	length, rest, ok := variableInt(rest[token:])
	if !ok || length < shortest || length > uint64(len(rest)) {
		return false
	}
	if token > 0 {
		return e.prove("quic", FromClient)
	}
	return e.prove("quic", UnknownSender)
}

// variableInt reads a number of 1, 2, 4 or 8 bytes (RFC 9000 §16).
func variableInt(b []byte) (n uint64, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, nil, false
	}
	size := 1 << (b[0] >> 6)
	if len(b) < size {
		return 0, nil, false
	}
	n = uint64(b[0] & 0x3f)
	for _, c := range b[1:size] {
		n = n<<8 | uint64(c)
	}
	return n, b[size:], true
}
