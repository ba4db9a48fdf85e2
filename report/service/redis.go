package service

// redis looks for RESP, the protocol of Redis: an array of bulk strings, with which
// a client sends a command, and the answers to PING and to a missing password.
func redis(b []byte, e *Evidence) bool {
	switch {
	case string(b) == "+PONG\r\n", hasPrefix(b, "-NOAUTH "), hasPrefix(b, "-DENIED Redis "):
		return e.prove("redis", FromServer)
	}
	_, rest, ok := respNumber(b, '*')
	if !ok {
		return false
	}
	length, rest, ok := respNumber(rest, '$')
	if !ok || len(rest) < length+2 || rest[length] != '\r' || rest[length+1] != '\n' {
		return false
	}
	if redisCommand(rest[:length]) {
		return e.prove("redis", FromClient)
	}
	return e.prove("redis", UnknownSender) // servers send arrays too
}

// redisCommand reports whether a word is a command that a connection often begins with.
func redisCommand(word []byte) bool {
	const longest = 10
	var low [longest]byte
	if len(word) > longest {
		return false
	}
	for i, c := range word {
		low[i] = lower(c)
	}
	switch string(low[:len(word)]) {
	case "auth", "hello", "client", "command", "ping", "info", "select", "get", "set", "mget", "mset", "del",
		"exists", "expire", "incr", "hget", "hset", "hgetall", "lpush", "rpush", "blpop", "brpop", "publish", "subscribe",
		"psubscribe", "eval", "evalsha", "multi", "scan", "keys", "config", "cluster", "replconf", "psync", "setex", "readonly":
		return true
	}
	return false
}

// respNumber reads a mark, a number of 1 to 6 digits and CR LF off the start of b.
func respNumber(b []byte, mark byte) (n int, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != mark {
		return 0, nil, false
	}
	for i := 1; i < len(b) && i <= 7; i++ {
		c := b[i]
		if c == '\r' {
			if i == 1 || i+1 >= len(b) || b[i+1] != '\n' {
				return 0, nil, false
			}
			return n, b[i+2:], true
		}
		if c < '0' || c > '9' {
			return 0, nil, false
		}
		n = n*10 + int(c-'0')
	}
	return 0, nil, false
}
