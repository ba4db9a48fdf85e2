package decode

// Kinds of TCP options (IANA).
const (
	kindEnd           = 0
	kindNOP           = 1 // padding
	kindMSS           = 2
	kindWindowScale   = 3
	kindSACKPermitted = 4
	kindSACK          = 5
	kindTimestamps    = 8
	kindMD5           = 19
	kindUserTimeout   = 28
	kindAO            = 29
	kindMPTCP         = 30
	kindFastOpen      = 34
	kindExperiment1   = 253
	kindExperiment2   = 254

	fastOpenMagic = 0xf989 // RFC 6994 experiment id of Fast Open before kind 34
)

// Parse reads the options in b (RFC 9293 §3.1), overwriting o. The first option of a kind
// counts; one whose length is not its kind's is OptUnknown.
func (o *TCPOptions) Parse(b []byte) {
	if !o.parseUsual(b) {
		o.parseAny(b)
	}
}

// parseUsual reads what Linux and Windows send in SYN and SYN-ACK, in the order in which they
// do; it reports false of anything else.
func (o *TCPOptions) parseUsual(b []byte) bool {
	const (
		mss       = kindMSS<<24 | 4<<16                      // and the value in 16 bits
		scale     = kindNOP<<24 | kindWindowScale<<16 | 3<<8 // and the value in 8 bits
		permitted = kindSACKPermitted<<8 | 2
		times     = kindTimestamps<<8 | 10
	)
	switch {
	case len(b) == 20 && be32(b)&^0xffff == mss && be32(b[4:]) == permitted<<16|times && be32(b[16:])&^0xff == scale:
		o.Has = OptMSS | OptSACKPermitted | OptTimestamps | OptWindowScale
		o.MSS, o.WindowScale = be16(b[2:]), b[19]
		o.TSVal, o.TSEcr = be32(b[8:]), be32(b[12:])
		return true
	case len(b) == 12 && be32(b)&^0xffff == mss && be32(b[4:])&^0xff == scale && be32(b[8:]) == kindNOP<<24|kindNOP<<16|permitted:
		o.Has = OptMSS | OptWindowScale | OptSACKPermitted
		o.MSS, o.WindowScale = be16(b[2:]), b[7]
		return true
	}
	return false
}

// parseAny reads options one by one.
func (o *TCPOptions) parseAny(b []byte) {
	has := OptionSet(0)
	for len(b) > 0 {
		kind := b[0]
		if kind == kindNOP {
			b = b[1:]
			continue
		}
		if kind == kindEnd {
			break
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			has |= OptBroken
			break
		}
		option := b[:b[1]]
		b = b[b[1]:]
		switch kind {
		case kindMSS:
			has = o.mss(has, option)
		case kindWindowScale:
			has = o.windowScale(has, option)
		case kindSACKPermitted:
			has |= ifLength(option, 2, OptSACKPermitted)
		case kindTimestamps:
			has = o.timestamps(has, option)
		case kindSACK:
			has = o.sack(has, option)
		default:
			has = o.rare(has, option)
		}
	}
	o.Has = has
}

// ifLength is opt when option has its kind's length.
func ifLength(option []byte, n int, opt OptionSet) OptionSet {
	if len(option) == n {
		return opt
	}
	return OptUnknown
}

// The methods below take one option, header included, into o when has does not
// have it yet, and return has with it.

func (o *TCPOptions) mss(has OptionSet, option []byte) OptionSet {
	if len(option) != 4 {
		return has | OptUnknown
	}
	if has&OptMSS == 0 {
		o.MSS = be16(option[2:])
	}
	return has | OptMSS
}

func (o *TCPOptions) windowScale(has OptionSet, option []byte) OptionSet {
	if len(option) != 3 {
		return has | OptUnknown
	}
	if has&OptWindowScale == 0 {
		o.WindowScale = option[2]
	}
	return has | OptWindowScale
}

func (o *TCPOptions) timestamps(has OptionSet, option []byte) OptionSet {
	if len(option) != 10 {
		return has | OptUnknown
	}
	if has&OptTimestamps == 0 {
		o.TSVal, o.TSEcr = be32(option[2:]), be32(option[6:])
	}
	return has | OptTimestamps
}

func (o *TCPOptions) sack(has OptionSet, option []byte) OptionSet {
	const edges = 8 // of one block, in bytes
	n := len(option) - 2
	if n == 0 || n%edges != 0 {
		return has | OptUnknown
	}
	if has&OptSACK == 0 {
		o.SACKBlocks = uint8(n / edges)
		o.SACKLeft, o.SACKRight = be32(option[2:]), be32(option[6:])
	}
	return has | OptSACK
}

// rare takes the options that few segments have.
func (o *TCPOptions) rare(has OptionSet, option []byte) OptionSet {
	n := len(option)
	switch option[0] {
	case kindMD5:
		return has | ifLength(option, 18, OptMD5) // RFC 2385
	case kindUserTimeout:
		return has | ifLength(option, 4, OptUserTimeout) // RFC 5482
	case kindAO:
		if n >= 4 { // RFC 5925
			return has | OptAO
		}
	case kindMPTCP:
		if n < 3 {
			break
		}
		if has&OptMPTCP == 0 {
			o.MPTCP = option[2] >> 4
		}
		return has | OptMPTCP
	case kindFastOpen:
		return o.fastOpen(has, n-2)
	case kindExperiment1, kindExperiment2:
		if n >= 4 && be16(option[2:]) == fastOpenMagic {
			return o.fastOpen(has, n-4)
		}
	}
	return has | OptUnknown
}

func (o *TCPOptions) fastOpen(has OptionSet, cookie int) OptionSet {
	if has&OptFastOpen == 0 {
		o.CookieLen = uint8(cookie)
	}
	return has | OptFastOpen
}
