package bits

import (
	"testing"

	"sockscope/capture"
)

// FuzzDrawing checks, of any frame of any link type, that nothing panics, that every byte
// is accounted for once, and that no line is too long.
func FuzzDrawing(f *testing.F) {
	for _, s := range samples() {
		f.Add(s.frame.Data, uint16(s.frame.Length)-uint16(len(s.frame.Data)), uint16(s.frame.Link))
	}
	ip6 := unhex("60000000 0040 2b 40 20010db8000000000000000000000001 20010db8000000000000000000000002")
	f.Add(append(ip6, unhex("3c 02 00 01 00000000 20010db8000000000000000000000003 11 00 c2 04 00010000 0035 0035 0010 0000")...), uint16(0), uint16(capture.LinkRaw))
	f.Add(unhex("4f000044 0001 2000 40 2f 0000 c0000201 c0000202 07 07 04 01020304 44 0c 05 01 00000000 00000000 94 04 0000 01 00 0000000000 b0000800 00000000 00000001 00000002"), uint16(9), uint16(capture.LinkIPv4))
	f.Add(unhex("0000 0304 0006 00005e005301 0000 8847 00064140 6000 0000 0008 3a ff"), uint16(0), uint16(capture.LinkSLL))
	f.Add(unhex("11 00 0001 0008 0021 45000014 0000 0000"), uint16(0), uint16(capture.LinkPPPEthernet))
	f.Add(unhex("00 00 19 00 6f 08 00 00 08 00 00 00 00 00 00 00"), uint16(100), uint16(capture.LinkRadiotap))
	f.Fuzz(func(t *testing.T, data []byte, missing, link uint16) {
		frame := capture.Frame{Data: data, Length: uint32(len(data)) + uint32(missing), Link: capture.LinkType(link)}
		d := Of(&frame, 1)
		check(t, d)
		checkText(t, d, minWidth)
	})
}
