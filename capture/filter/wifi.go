package filter

import (
	"golang.org/x/net/bpf"

	"sockscope/capture"
)

// Bits of the first byte of IEEE 802.11's frame control, and of the second.
const (
	wifiControl = 0x04
	wifiData    = 0x08
	wifiQoS     = 0x80

	wifiToDS   = 0x01
	wifiFromDS = 0x02
)

// startWiFi sets the places for IEEE 802.11 behind what describes the radio, if
// anything does. The header's own length differs from frame to frame.
func (c *compiler) startWiFi() {
	c.headers = headers{layer: wifiLayer, network: 8, osi: 3}
	if c.cfg.Link != capture.LinkWiFi {
		c.link = origin{variable: true, slot: c.slot(place{})}
	}
	c.payload = origin{variable: true, slot: c.slot(place{})}
	c.typ = c.payload.plus(6)
}

// wifiPrologue computes the places of the header and of its payload, each when the
// filter's body needs it.
func (c *compiler) wifiPrologue(body *condition) *condition {
	link, payload := origin{}, 0
	if c.cfg.Link != capture.LinkWiFi {
		link, payload = origin{variable: true, slot: 0}, 1
	}
	payloadPlace := always
	if body.reads(payload) {
		payloadPlace = wifiPayload(link, payload, c.cfg.Link == capture.LinkRadiotap)
	}
	prefix := always
	if link.variable && (body.reads(link.slot) || payloadPlace != always) {
		prefix = wifiPrefix(c.cfg.Link, link.slot)
	}
	if c.cfg.Link == capture.LinkPPI {
		const wifi = 105 << 24 // a link type in little-endian order
		prefix = and(origin{}.equal(4, 4, wifi), prefix)
	}
	return and(prefix, payloadPlace)
}

// wifiPrefix stores the length of the header that describes the radio.
func wifiPrefix(link capture.LinkType, slot int) *condition {
	store := bpf.StoreScratch{Src: bpf.RegA, N: slot}
	switch link {
	case capture.LinkAVS:
		return effect(bpf.LoadAbsolute{Off: 4, Size: 4}, store)
	case capture.LinkPrism:
		const prismLen = 144
		avs := origin{}.masked(0, 4, 0xfffff000, 0x80211000) // many drivers write this one instead
		return or(and(avs, effect(bpf.LoadAbsolute{Off: 4, Size: 4}, store)),
			effect(bpf.LoadConstant{Dst: bpf.RegA, Val: prismLen}, store))
	}
	return effect( // two bytes in little-endian order
		bpf.LoadAbsolute{Off: 3, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpShiftLeft, Val: 8},
		bpf.TAX{},
		bpf.LoadAbsolute{Off: 2, Size: 1},
		bpf.ALUOpX{Op: bpf.ALUOpOr},
		store)
}

// wifiPayload stores where the payload begins: behind 24 bytes, two more in QoS data
// frames, and behind padding to four bytes where radiotap says that there is some.
func wifiPayload(link origin, slot int, radiotap bool) *condition {
	const hlen = 24
	load, store := bpf.LoadScratch{Dst: bpf.RegA, N: slot}, bpf.StoreScratch{Src: bpf.RegA, N: slot}
	begin := []bpf.Instruction{bpf.LoadConstant{Dst: bpf.RegA, Val: hlen}, store}
	if link.variable {
		begin = []bpf.Instruction{
			bpf.LoadScratch{Dst: bpf.RegA, N: link.slot},
			bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: hlen}, store}
	}
	data := and(link.masked(0, 1, wifiData, wifiData), link.masked(0, 1, wifiControl, 0))
	qos := when(link.masked(0, 1, wifiQoS, wifiQoS), load, bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 2}, store)
	if !radiotap {
		return and(effect(begin...), or(not(data), qos))
	}
	// The bit set of fields is in little-endian order: bit 0 (a time of eight bytes),
	// bit 1 (flags), bit 31 (another set follows).
	const hasTime, hasFlags, hasMore, padded = 0x01000000, 0x02000000, 0x80, 0x20
	present := func(bit uint32) *condition { return origin{}.masked(4, 4, bit, bit) }
	padding := when(and(present(hasFlags), not(present(hasMore)),
		or(and(present(hasTime), origin{}.masked(16, 1, padded, padded)),
			and(not(present(hasTime)), origin{}.masked(8, 1, padded, padded)))),
		load,
		bpf.ALUOpConstant{Op: bpf.ALUOpAdd, Val: 3},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: ^uint32(3)},
		store)
	return and(effect(begin...), or(not(data), and(qos, padding)))
}

// dataFrame tests for frames that can have a payload.
func (c *compiler) dataFrame() *condition {
	return and(c.link.masked(0, 1, wifiControl, 0), c.link.masked(0, 1, wifiData, wifiData))
}

// wifiBit tests a bit of the frame control's second byte.
func (c *compiler) wifiBit(bit uint32) *condition { return c.link.masked(1, 1, bit, bit) }

// wifiDestination asks of the destination's address: far, when the frame is on its
// way to a distribution system, else near.
func (c *compiler) wifiDestination(far, near *condition) *condition {
	data := c.link.masked(0, 1, wifiData, wifiData)
	to := c.wifiBit(wifiToDS)
	return and(c.link.masked(0, 1, wifiControl, 0),
		or(and(data, or(and(to, far), and(not(to), near))), and(not(data), near)))
}

// wifiSource is the same for the source's, which can be in three places.
func (c *compiler) wifiSource(bridged, far, near *condition) *condition {
	data := c.link.masked(0, 1, wifiData, wifiData)
	to, from := c.wifiBit(wifiToDS), c.wifiBit(wifiFromDS)
	return and(c.link.masked(0, 1, wifiControl, 0),
		or(and(data, or(and(from, or(and(to, bridged), and(not(to), far))), and(not(from), near))),
			and(not(data), near)))
}

// wifiAddress compiles an address with a direction.
func (c *compiler) wifiAddress(direction string, mac [6]byte) *condition {
	at := func(offset uint32) *condition { return c.link.bytes(offset, mac[:]) }
	const first, second, third, fourth = 4, 10, 16, 24
	kind := func(value uint32) *condition { return c.link.masked(0, 1, 0x0c, value) }
	subtype := func(value uint32) *condition { return c.link.masked(0, 1, 0xf0, value) }
	short := and(kind(wifiControl), or(subtype(0xc0), subtype(0xd0))) // CTS and ACK have one address
	src := func() *condition { return c.wifiSource(at(fourth), at(third), at(second)) }
	dst := func() *condition { return c.wifiDestination(at(third), at(first)) }
	switch direction {
	case "src":
		return src()
	case "dst":
		return dst()
	case "src and dst":
		return and(src(), dst())
	case "ra":
		return and(c.link.masked(0, 1, wifiData, wifiData), at(first))
	case "ta":
		return and(c.link.masked(0, 1, wifiData, wifiData), not(short), at(second))
	case "addr1":
		return at(first)
	case "addr2":
		return and(not(short), at(second))
	case "addr3":
		return and(not(kind(wifiControl)), at(third))
	case "addr4":
		return and(c.link.masked(1, 1, wifiToDS|wifiFromDS, wifiToDS|wifiFromDS), at(fourth))
	}
	return or(src(), dst())
}
