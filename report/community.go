package report

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"

	"sockscope/decode/flow"
)

// CommunityID is the connection's Community ID; see appendCommunityID.
func CommunityID(c *flow.Connection) (id string, ok bool) {
	b, ok := appendCommunityID(nil, c)
	return string(b), ok
}

// appendCommunityID appends the connection's Community ID, version 1 with seed 0
// (https://github.com/corelight/community-id-spec): SHA-1 over both endpoints, the
// lower one first, so that other programs' records of the same connection join. It
// appends nothing and returns false for ICMP, whose ID needs a message's type and
// code where a conversation has many.
func appendCommunityID(b []byte, c *flow.Connection) ([]byte, bool) {
	if c.Protocol == protoICMP || c.Protocol == protoICMPv6 {
		return b, false
	}
	low, high := c.Client, c.Server
	if high.Compare(low) < 0 {
		low, high = high, low
	}
	if !low.IsValid() || !high.IsValid() {
		return b, false
	}

	var message [2 + 2*16 + 2 + 2*2]byte // seed, addresses, protocol and padding, ports
	m := message[:2]
	if low.Addr().Is4() && high.Addr().Is4() {
		l, h := low.Addr().As4(), high.Addr().As4()
		m = append(append(m, l[:]...), h[:]...)
	} else {
		l, h := low.Addr().As16(), high.Addr().As16()
		m = append(append(m, l[:]...), h[:]...)
	}
	m = append(m, c.Protocol, 0)
	switch c.Protocol {
	case protoTCP, protoUDP, protoSCTP: // only these have ports in the specification
		m = binary.BigEndian.AppendUint16(m, low.Port())
		m = binary.BigEndian.AppendUint16(m, high.Port())
	}
	sum := sha1.Sum(m)
	return base64.StdEncoding.AppendEncode(append(b, "1:"...), sum[:]), true
}
