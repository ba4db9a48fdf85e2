package service

// bittorrent looks for the peers' handshake (BEP 3), which both sides send.
func bittorrent(b []byte, e *Evidence) bool {
	if hasPrefix(b, "\x13BitTorrent protocol") {
		return e.prove("bittorrent", UnknownSender)
	}
	return false
}

// bittorrentDHT looks for a query or a response of the distributed hash table: a
// bencoded dictionary that begins with the sender's id (BEP 5).
func bittorrentDHT(b []byte, e *Evidence) bool {
	if (hasPrefix(b, "d1:ad2:id20:") || hasPrefix(b, "d1:rd2:id20:")) && b[len(b)-1] == 'e' {
		return e.prove("bittorrent", UnknownSender)
	}
	return false
}
