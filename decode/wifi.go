package decode

import "sockscope/capture"

// wifi decodes the MAC header of IEEE 802.11 (§9.2.4).
func (w *walk) wifi() header {
	if len(w.b) < 2 {
		return w.short()
	}
	return w.wifiFrame(w.b[0], w.b[1])
}

// wifiSwapped is wifi for frames in CAPWAP, where Cisco's devices swap the two bytes of the
// frame control. Only data frames matter, and one order does not look like one.
func (w *walk) wifiSwapped() header {
	const versionAndType, data = 0x0f, 0x08
	if len(w.b) < 2 {
		return w.short()
	}
	first, second := w.b[0], w.b[1]
	if first&versionAndType != data && second&versionAndType == data {
		first, second = second, first
	}
	return w.wifiFrame(first, second)
}

// wifiFrame decodes data frames with the frame control's type and flags. Of an aggregate the
// first frame is decoded.
func (w *walk) wifiFrame(control, flags uint8) header {
	const (
		version   = 0x03 // of the type
		dataType  = 0x08
		typeMask  = 0x0c
		noData    = 0x40
		qos       = 0x80
		toDS      = 0x01 // of the flags
		fromDS    = 0x02
		protected = 0x40
		order     = 0x80
		aggregate = 0x80 // of the QoS control
	)
	b := w.b
	if control&version != 0 {
		return w.fail(LinkHeader)
	}
	if control&typeMask != dataType || control&noData != 0 {
		return w.nonIP(0) // management, control, and data frames without data
	}
	n := 24
	if flags&(toDS|fromDS) == toDS|fromDS {
		n += 6
	}
	isAggregate := false
	if control&qos != 0 {
		if len(b) < n+2 {
			return w.short()
		}
		isAggregate = b[n]&aggregate != 0
		n += 2
		if flags&order != 0 {
			n += 4
		}
	}
	if flags&protected != 0 {
		return w.nonIP(0)
	}
	if w.padded {
		n = (n + 3) &^ 3
		w.padded = false
	}
	if len(b) < n {
		return w.short()
	}
	w.b = b[n:]
	if isAggregate {
		const hlen = 14
		if len(w.b) < hlen {
			return w.short()
		}
		length := int(be16(w.b[12:]))
		w.b = w.b[hlen:]
		w.trim(min(length, w.wire()))
	}
	return llcHeader
}

// radiotap decodes the radiotap header as far as its length and whether the MAC
// header is padded.
func (w *walk) radiotap() header {
	const (
		minLen   = 8
		hasTSFT  = 1 << 0
		hasFlags = 1 << 1
		more     = 1 << 31
		padded   = 0x20
	)
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	n := int(le16(b[2:]))
	if b[0] != 0 || n < minLen {
		return w.fail(LinkHeader)
	}
	if n > len(b) {
		return w.short()
	}
	present := le32(b[4:])
	at := minLen
	for words := present; words&more != 0 && at+4 <= n; at += 4 {
		words = le32(b[at:])
	}
	if present&hasTSFT != 0 {
		at = (at+7)&^7 + 8
	}
	w.padded = present&hasFlags != 0 && at < n && b[at]&padded != 0
	w.b = b[n:]
	return wifiHeader
}

// prism decodes the header of Prism cards, of fixed length; the same link type is
// used with the AVS header.
func (w *walk) prism() header {
	const hlen, avsMagic = 144, 0x80211
	b := w.b
	if len(b) >= 4 && be32(b)>>12 == avsMagic {
		return avsHeader
	}
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	return wifiHeader
}

// avs decodes the AVS header, which tells its own length.
func (w *walk) avs() header {
	const minLen = 8
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	n := be32(b[4:])
	if n < minLen {
		return w.fail(LinkHeader)
	}
	if int64(n) > int64(len(b)) {
		return w.short()
	}
	w.b = b[n:]
	return wifiHeader
}

// ppi decodes the per-packet information header: its length and the link type
// behind it.
func (w *walk) ppi() header {
	const minLen = 8
	b := w.b
	if len(b) < minLen {
		return w.short()
	}
	n := int(le16(b[2:]))
	if n < minLen {
		return w.fail(LinkHeader)
	}
	if n > len(b) {
		return w.short()
	}
	w.b = b[n:]
	return w.inner(le32(b[4:]))
}

// inner is the header of the link type that a pseudo-header names.
func (w *walk) inner(link uint32) header {
	if link > 0xffff {
		return unknownLink
	}
	return first(capture.LinkType(link))
}
