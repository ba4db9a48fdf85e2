package decode

// An Error says what was wrong with a frame. It is small so that a flood of bad
// frames costs nothing; it indexes counters.
type Error uint8

const (
	None              Error = iota
	Truncated               // the snap length cut a header off
	Short                   // the frame or packet ends within a header, and nothing was cut
	UnknownLinkType         // the link type has no decoder
	LinkHeader              // a link header that contradicts itself
	IPv4Header              // version or header length
	IPv4Length              // total length below the header's, or beyond the frame
	IPv6Header              // version
	IPv6Length              // payload length or jumbo length beyond the frame, or senseless
	Extension               // an extension header (also AH) leaves the packet
	TCPHeader               // data offset below 5, or beyond the packet
	TCPOption               // an option's length does not fit
	UDPLength               // below the header's, or beyond the packet
	SCTPChunk               // a chunk's length is below 4
	TunnelHeader            // a tunnel's header that contradicts itself
	TooManyLayers           // more than MaxLayers headers
	TooManyTunnels          // more than MaxTunnels
	TooManyVLANs            // more than MaxVLANs
	TooManyExtensions       // more than MaxExtensions
	NumErrors
)

var errorWords = [NumErrors]string{
	None:              "none",
	Truncated:         "truncated",
	Short:             "short",
	UnknownLinkType:   "unknown-link-type",
	LinkHeader:        "link-header",
	IPv4Header:        "ipv4-header",
	IPv4Length:        "ipv4-length",
	IPv6Header:        "ipv6-header",
	IPv6Length:        "ipv6-length",
	Extension:         "extension-header",
	TCPHeader:         "tcp-header",
	TCPOption:         "tcp-option",
	UDPLength:         "udp-length",
	SCTPChunk:         "sctp-chunk",
	TunnelHeader:      "tunnel-header",
	TooManyLayers:     "too-many-layers",
	TooManyTunnels:    "too-many-tunnels",
	TooManyVLANs:      "too-many-vlans",
	TooManyExtensions: "too-many-extensions",
}

// String is the fixed word of e, for counters' names.
func (e Error) String() string {
	if e < NumErrors {
		return errorWords[e]
	}
	return "unknown"
}
