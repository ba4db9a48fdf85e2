package flow

import (
	"net/netip"
	"time"

	"sockscope/capture"
)

// Config says how a Table keeps connections. The zero value works: no evidence
// from payloads, roles by the ports' numbers alone, connectionless traffic is
// never split.
type Config struct {
	// UDPIdle splits connectionless traffic after that long a silence; 0 means never.
	UDPIdle time.Duration

	// Classify says what a transport payload proves: it fills f, which is zero but for its
	// Room. It must not keep the slice, but f may have parts of it. Called for the first
	// payloads of a connection only. nil means nothing is proved.
	Classify func(protocol uint8, payload []byte, f *Finding)

	// RoundTrips says whether the round trips of data are measured. That takes a third
	// more time and up to twice the memory.
	RoundTrips bool

	// Ending makes connections end while the run goes on. nil means that all stay until
	// its end.
	Ending *Ending

	// Appeared is told of each new connection with ports: its IP protocol number and its two
	// ends. It is called by all workers at once, while frames wait, so it must be quick. nil:
	// nobody wants to know.
	Appeared func(protocol uint8, a, b netip.AddrPort)

	// Listens tells which ends of a TCP connection, whose last packet came at a time, are
	// those of sockets that wait for others to connect, as far as the capturing host knows.
	// It is asked when no packet proves who is the client. nil means that none is known.
	Listens func(a, b netip.AddrPort, last capture.Timestamp) [2]bool

	// Tunnels is how many tunnels are summed one by one; 0 means 32,768.
	Tunnels int

	// Registered reports whether a port is in the registry of services for an
	// IP protocol number. nil means that none is.
	Registered func(protocol uint8, port uint16) bool
}
