package service

// mqtt looks for a client's CONNECT: the protocol's name and level follow the fixed
// header (MQTT 3.1.1 and 5.0 §3.1; 3.1 had another name).
func mqtt(b []byte, e *Evidence) bool {
	if b[0] != 0x10 {
		return false
	}
	i := 1
	for i < len(b) && i < 4 && b[i]&0x80 != 0 { // remaining length, 7 bits in each byte
		i++
	}
	if i >= len(b) || b[i]&0x80 != 0 {
		return false
	}
	rest := b[i+1:]
	switch {
	case hasPrefix(rest, "\x00\x04MQTT\x04"), hasPrefix(rest, "\x00\x04MQTT\x05"), hasPrefix(rest, "\x00\x06MQIsdp\x03"):
		return e.prove("mqtt", FromClient)
	}
	return false
}
