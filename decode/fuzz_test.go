package decode

import (
	"bytes"
	"reflect"
	"testing"

	"sockscope/capture"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode checks, of any frame of any link type, that what a reused Packet says does not depend
// on the frame before, that the common way says what the general way says, that lengths and slices
// are within bounds, and that gopacket agrees where it has an opinion.
func FuzzDecode(f *testing.F) {
	for _, frame := range benchmarkFrames() {
		f.Add(frame, uint16(0), uint16(capture.LinkEthernet))
	}
	packet := ip4(6, hello.bytes())
	f.Add(ip6(0, join("2c 00 0104 00000000 06 00 0001 00000001", hello.bytes())), uint16(0), uint16(capture.LinkIPv6))
	f.Add(ip4(47, join("2000 6558 00123401", eth(0x0800, packet))), uint16(0), uint16(capture.LinkRaw))
	f.Add(ip4(47, join("3001 880b 0022 0007 00000001 ff030021", packet)), uint16(0), uint16(capture.LinkIPv4))
	f.Add(ip4(1, join("0301 0000 00000000", packet)), uint16(10), uint16(capture.LinkRaw))
	f.Add(ip4(132, join("c350 0b59 00000009 00000000 01 00 0014 0000002a")), uint16(4), uint16(capture.LinkRaw))
	f.Add(eth(0x8847, join("00064040 00065140 00000000", eth(0x88e7, join("00001234", eth(0x0800, packet))))), uint16(0), uint16(capture.LinkEthernet))
	for _, port := range []int{portL2TP, portGTPU, portTeredo, portLISP, portVXLANGPE, portAYIYA, portCAPWAP, portGeneve, portMPLS} {
		f.Add(ip4(17, udpBytes(50000, port, join("30 ff 002d 00000009", packet))), uint16(0), uint16(capture.LinkRaw))
	}
	for _, link := range []capture.LinkType{capture.LinkSLL, capture.LinkSLL2, capture.LinkNFLog, capture.LinkRadiotap, capture.LinkPPI,
		capture.LinkPrism, capture.LinkPFLog, capture.LinkFrameRelay, capture.LinkTokenRing, capture.LinkARCNETLinux, linkPKTAP, linkMPacket} {
		f.Add(join("02001000 00000000 0000 0001 0002 0800", packet), uint16(0), uint16(link))
	}
	var reused Packet
	f.Fuzz(func(t *testing.T, frame []byte, missing, link uint16) {
		wire := len(frame) + int(missing)
		var fresh Packet
		fresh.Decode(frame, uint32(wire), capture.LinkType(link))
		reused.Decode(frame, uint32(wire), capture.LinkType(link))
		if !reflect.DeepEqual(fresh.valid(), reused.valid()) { // cmp.Diff takes too long where nothing differs
			t.Fatalf("a reused Packet differs (-fresh +reused):\n%s", cmp.Diff(fresh.valid(), reused.valid()))
		}
		p := fresh.valid()
		checkBounds(t, &p, frame)
		if missing != 0 || link != uint16(capture.LinkEthernet) || p.Err != None || p.Class != TCP && p.Class != UDP {
			return
		}
		if theirs, ok := secondOpinion(frame); ok {
			if diff := diffOpinions(theirs, p.opinion()); diff != "" {
				t.Fatalf("second opinion (-gopacket +ours):\n%s", diff)
			}
		}
	})
}

func checkBounds(t *testing.T, p *Packet, frame []byte) {
	if p.Err >= NumErrors || p.Class >= numClasses {
		t.Fatalf("class %d, error %d", p.Class, p.Err)
	}
	if p.Class == Undecoded && p.Err == None {
		t.Fatal("undecoded, and no error says why")
	}
	if p.NumTunnels > MaxTunnels || p.NumVLANs > MaxVLANs {
		t.Fatalf("%d tunnels, %d VLANs", p.NumTunnels, p.NumVLANs)
	}
	for _, tunnel := range p.Tunnels[:p.NumTunnels] {
		if tunnel.Kind == 0 || tunnel.Kind >= NumTunnelKinds {
			t.Fatalf("tunnel of kind %d", tunnel.Kind)
		}
	}
	if p.Class < IP {
		return
	}
	if p.Version != 4 && p.Version != 6 {
		t.Fatalf("version %d", p.Version)
	}
	if p.PayloadLength < 0 || p.IPLength < 0 || len(p.Payload) > p.PayloadLength {
		t.Fatalf("IP length %d, payload length %d, %d bytes captured", p.IPLength, p.PayloadLength, len(p.Payload))
	}
	if len(p.Payload) > 0 && !bytes.Contains(frame, p.Payload) {
		t.Fatal("the payload is not from the frame")
	}
}
