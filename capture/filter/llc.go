package filter

import "strings"

// llcFrames are the types of LLC frames: the control field's value, of the bits that
// mask keeps.
var llcFrames = map[string]struct{ mask, value uint32 }{
	"s": {0x03, 0x01}, "u": {0x03, 0x03},
	"rr": {0x0f, 0x01}, "rnr": {0x0f, 0x05}, "rej": {0x0f, 0x09},
	"ui": {0xef, 0x03}, "ua": {0xef, 0x63}, "disc": {0xef, 0x43}, "dm": {0xef, 0x0f}, "sabme": {0xef, 0x6f},
	"test": {0xef, 0xe3}, "xid": {0xef, 0xaf}, "frmr": {0xef, 0x87},
}

// llc compiles the word with the type of frame that may be behind it.
func (c *compiler) llc(n *special) *condition {
	const control = 2
	var is *condition
	switch c.layer {
	case ethernetLayer:
		is = and(not(c.longType()), not(c.payload.equal(0, 2, 0xffff))) // all ones is IPX without LLC
	case fddiLayer, tokenRingLayer, llcLayer:
		is = always
	case wifiLayer:
		is = c.dataFrame()
	default:
		return c.fail(n.place, "the link layer %s has no LLC", c.cfg.Link)
	}
	if len(n.args) == 0 {
		return is
	}
	name := strings.ToLower(n.args[0].text)
	if name == "i" {
		return and(is, c.payload.masked(control, 1, 1, 0))
	}
	f, ok := llcFrames[name]
	if !ok {
		return c.fail(n.args[0].place(), "%q is no type of LLC frames: i, s, u, rr, rnr, rej, ui, ua, disc, dm, sabme, test, xid, frmr", n.args[0].text)
	}
	return and(is, c.payload.masked(control, 1, f.mask, f.value))
}
