package service

// A Range is one of the three ranges of port numbers (RFC 6335 §6).
type Range uint8

const (
	WellKnown Range = iota // 0–1023, the system ports
	UserPorts              // 1024–49151, the registered ports
	Dynamic                // 49152–65535, the private or ephemeral ports
	NumRanges
)

// RangeOf is the range that a port number lies in.
func RangeOf(port uint16) Range {
	switch {
	case port < 1024:
		return WellKnown
	case port < 49152:
		return UserPorts
	}
	return Dynamic
}

// String is "well-known", "registered" or "dynamic".
func (r Range) String() string {
	return [...]string{"well-known", "registered", "dynamic"}[r]
}

// Bounds are the lowest and the highest port number of the range.
func (r Range) Bounds() (low, high uint16) {
	switch r {
	case WellKnown:
		return 0, 1023
	case UserPorts:
		return 1024, 49151
	}
	return 49152, 65535
}

// Rule is what RFC 6335 says of the range, in a sentence.
func (r Range) Rule() string {
	return [...]string{
		"System ports (0-1023): IANA assigns them, with the strictest review of the three ranges (RFC 6335 section 6); " +
			"on Unix systems only a privileged process may listen on one.",
		"User ports (1024-49151): IANA assigns them to services on request (RFC 6335 section 6), but nothing keeps other programs " +
			"off them, and many systems take their clients' ports from here too.",
		"Dynamic ports (49152-65535): never assigned (RFC 6335 section 6); a program takes one for as long as it needs it, " +
			"so the number alone does not say which service it is.",
	}[r]
}
