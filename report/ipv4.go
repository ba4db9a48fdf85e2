package report

import "slices"

// An octet is a number of an IPv4 address as text, with the dot behind it.
type octet struct {
	text [4]byte
	n    int
}

var octets = func() (all [256]octet) {
	for i := range all {
		all[i].n = copy(all[i].text[:], append(appendUint(nil, uint64(i)), '.'))
	}
	return
}()

// appendIPv4 appends an address as netip.Addr does.
func appendIPv4(b []byte, a [4]byte) []byte {
	n := len(b)
	b = slices.Grow(b, 4*4)[:n+4*4]
	for _, value := range a {
		o := &octets[value]
		*(*[4]byte)(b[n:]) = o.text
		n += o.n
	}
	return b[:n-1] // without the last dot
}
