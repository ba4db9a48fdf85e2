package service

import "bytes"

// memcacheBinary looks for a whole message of memcached's binary protocol: magic, an
// opcode, lengths that add up, data type 0.
func memcacheBinary(b []byte, e *Evidence) bool {
	const header, opcodes = 24, 0x50
	if len(b) < header || b[1] >= opcodes || b[5] != 0 {
		return false
	}
	keyAndExtras, body := uint16At(b, 2)+int(b[4]), uint32At(b, 8)
	if uint64(body) != uint64(len(b)-header) || keyAndExtras > int(body) {
		return false
	}
	switch b[0] {
	case 0x80:
		return e.prove("memcache", FromClient)
	case 0x81:
		return e.prove("memcache", FromServer)
	}
	return false
}

// memcacheText looks for a command that stores: verb, key, flags, time and length
// (memcached's protocol.txt). The shorter commands look like those of other protocols.
func memcacheText(b []byte, e *Evidence) bool {
	const longestKey = 250
	if !hasPrefix(b, "set ") && !hasPrefix(b, "add ") && !hasPrefix(b, "replace ") {
		return false
	}
	line, ok := firstLine(b)
	if !ok {
		return false
	}
	line = bytes.TrimSuffix(line, []byte(" noreply"))
	_, line, _ = bytes.Cut(line, []byte{' '})
	key, line, _ := bytes.Cut(line, []byte{' '})
	flags, line, _ := bytes.Cut(line, []byte{' '})
	expires, length, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(key) == 0 || len(key) > longestKey || !number(flags) || !number(bytes.TrimPrefix(expires, []byte{'-'})) || !number(length) {
		return false
	}
	return e.prove("memcache", FromClient)
}

// number reports whether b is one to ten digits.
func number(b []byte) bool { return 0 < len(b) && len(b) <= 10 && digits(b) }
