package filter

import "strings"

// frameTypes and frameSubtypes are bits of IEEE 802.11's frame control; a subtype
// belongs to the type with the same number.
var (
	frameTypes = map[string]uint32{"mgt": 0, "management": 0, "ctl": 4, "control": 4, "data": 8}

	frameSubtypes = map[string]struct{ typ, value uint32 }{
		"assoc-req": {0, 0x00}, "assocreq": {0, 0x00}, "assoc-resp": {0, 0x10}, "assocresp": {0, 0x10},
		"reassoc-req": {0, 0x20}, "reassocreq": {0, 0x20}, "reassoc-resp": {0, 0x30}, "reassocresp": {0, 0x30},
		"probe-req": {0, 0x40}, "probereq": {0, 0x40}, "probe-resp": {0, 0x50}, "proberesp": {0, 0x50},
		"beacon": {0, 0x80}, "atim": {0, 0x90}, "disassoc": {0, 0xa0}, "disassociation": {0, 0xa0},
		"auth": {0, 0xb0}, "authentication": {0, 0xb0}, "deauth": {0, 0xc0}, "deauthentication": {0, 0xc0},

		"ps-poll": {4, 0xa0}, "rts": {4, 0xb0}, "cts": {4, 0xc0}, "ack": {4, 0xd0}, "cf-end": {4, 0xe0}, "cf-end-ack": {4, 0xf0},

		"data": {8, 0x00}, "data-cf-ack": {8, 0x10}, "data-cf-poll": {8, 0x20}, "data-cf-ack-poll": {8, 0x30},
		"null": {8, 0x40}, "cf-ack": {8, 0x50}, "cf-poll": {8, 0x60}, "cf-ack-poll": {8, 0x70},
		"qos-data": {8, 0x80}, "qos-data-cf-ack": {8, 0x90}, "qos-data-cf-poll": {8, 0xa0},
		"qos-data-cf-ack-poll": {8, 0xb0}, "qos": {8, 0xc0}, "qos-cf-poll": {8, 0xe0}, "qos-cf-ack-poll": {8, 0xf0},
	}

	frameDirections = map[string]uint32{"nods": 0, "tods": 1, "fromds": 2, "dstods": 3}
)

// frameType compiles type, subtype and dir.
func (c *compiler) frameType(n *special) *condition {
	if c.layer != wifiLayer {
		return c.fail(n.place, "only frames of IEEE 802.11 have a %s", n.word)
	}
	const typeBits, subtypeBits = 0x0c, 0xf0
	arg := n.args[0]
	switch n.word {
	case "dir":
		d, ok := frameDirections[strings.ToLower(arg.text)]
		if arg.kind == numberToken {
			d, ok = arg.number, true
		}
		if !ok {
			return c.fail(arg.place(), "%q is no direction: nods, tods, fromds, dstods", arg.text)
		}
		return c.link.masked(1, 1, wifiToDS|wifiFromDS, d)
	case "subtype":
		s, ok := frameSubtypes[strings.ToLower(arg.text)]
		if !ok {
			return c.fail(arg.place(), "%q is no subtype of IEEE 802.11 frames", arg.text)
		}
		return c.link.masked(0, 1, typeBits|subtypeBits, s.typ|s.value)
	}
	typ, ok := frameTypes[strings.ToLower(arg.text)]
	if arg.kind == numberToken {
		typ, ok = arg.number, arg.number&^typeBits == 0
	}
	if !ok {
		return c.fail(arg.place(), "%q is no type of IEEE 802.11 frames: mgt, ctl, data", arg.text)
	}
	if len(n.args) == 1 {
		return c.link.masked(0, 1, typeBits, typ)
	}
	sub := n.args[1]
	s, ok := frameSubtypes[strings.ToLower(sub.text)]
	ok = ok && s.typ == typ
	if sub.kind == numberToken {
		s.value, ok = sub.number, sub.number&^subtypeBits == 0
	}
	if !ok {
		return c.fail(sub.place(), "%q is no subtype of this type of IEEE 802.11 frames", sub.text)
	}
	return c.link.masked(0, 1, typeBits|subtypeBits, typ|s.value)
}
