package process

import "sockscope/capture"

// Config says how to watch; the zero value means this host, as well as it allows.
type Config struct {
	Proc string // where procfs is mounted; "" means /proc

	// Links tells what ReadLinks does, perhaps by a process that may do more; nil
	// means ReadLinks in this process.
	Links func(pid int) ([]capture.Link, error)

	Rate    int  // the most readings of the kernel's tables in a second; 0 means 10
	Sockets int  // closed sockets that are remembered; 0 means 262,144, which is 77 MiB
	NoEBPF  bool // leave the kernel's programs out
	NoTrace bool // leave its trace out, which serves where there is no eBPF
}

const (
	defaultRate    = 10
	defaultSockets = 1 << 18
)

// Counters tell how well a Watch kept up.
type Counters struct {
	LostEvents uint64 // of the kernel's that found no room: what they told is unknown
	Evicted    uint64 // closed sockets that were forgotten to bound the memory
	Refreshes  uint64 // readings of the kernel's tables
}
