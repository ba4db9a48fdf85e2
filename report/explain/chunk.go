package explain

// SCTP chunk types (RFC 9260 §3.2), as bits of Chunks.Bits.
const (
	chunkData         = 1 << 0
	chunkInit         = 1 << 1
	chunkInitAck      = 1 << 2
	chunkSACK         = 1 << 3
	chunkHeartbeat    = 1 << 4
	chunkHeartbeatAck = 1 << 5
	chunkAbort        = 1 << 6
	chunkShutdown     = 1 << 7
	chunkShutdownAck  = 1 << 8
	chunkError        = 1 << 9
	chunkCookieEcho   = 1 << 10
	chunkCookieAck    = 1 << 11
	chunkComplete     = 1 << 14
)

var chunkNames = [...]string{"DATA", "INIT", "INIT ACK", "SACK", "HEARTBEAT", "HEARTBEAT ACK", "ABORT", "SHUTDOWN",
	"SHUTDOWN ACK", "ERROR", "COOKIE ECHO", "COOKIE ACK", "ECNE", "CWR", "SHUTDOWN COMPLETE"}

// Names are the chunks' names, by type.
func (c *Chunks) Names() []string {
	var names []string
	for i, name := range chunkNames {
		if c.Bits&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// chunkKeys are which sentence each chunk has, the one first that says most of its packet.
var chunkKeys = []struct {
	bit      uint16
	key, rfc string
}{
	{chunkAbort, "explain.sctp-abort", "RFC 9260 §9.1"},
	{chunkInit, "explain.sctp-init", "RFC 9260 §5.1"},
	{chunkInitAck, "explain.sctp-init-ack", "RFC 9260 §5.1.3"},
	{chunkCookieEcho, "explain.sctp-cookie-echo", "RFC 9260 §5.1"},
	{chunkCookieAck, "explain.sctp-cookie-ack", "RFC 9260 §5.1"},
	{chunkComplete, "explain.sctp-complete", "RFC 9260 §9.2"},
	{chunkShutdownAck, "explain.sctp-shutdown-ack", "RFC 9260 §9.2"},
	{chunkShutdown, "explain.sctp-shutdown", "RFC 9260 §9.2"},
	{chunkError, "explain.sctp-error", "RFC 9260 §3.3.10"},
	{chunkHeartbeat, "explain.sctp-heartbeat", "RFC 9260 §8.3"},
	{chunkHeartbeatAck, "explain.sctp-heartbeat-ack", "RFC 9260 §8.3"},
	{chunkData, "explain.sctp-data", "RFC 9260 §6"},
	{chunkSACK, "explain.sctp-sack", "RFC 9260 §6.2"},
}
