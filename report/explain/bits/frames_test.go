package bits

import (
	"bytes"
	"encoding/hex"
	"net"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"sockscope/capture"
	"sockscope/report/words"
)

// unhex is bytes in hexadecimal digits, with spaces where they help.
func unhex(s string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		panic(err)
	}
	return b
}

// Layers that the frames below are built of.
var (
	client = net.HardwareAddr{0, 0, 0x5e, 0, 0x53, 1}
	server = net.HardwareAddr{0, 0, 0x5e, 0, 0x53, 2}
)

func etherLayer(t layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: client, DstMAC: server, EthernetType: t}
}

func ip4Layer(p layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, Id: 4660, Flags: layers.IPv4DontFragment, TTL: 64, Protocol: p,
		SrcIP: net.IP{192, 0, 2, 11}, DstIP: net.IP{198, 51, 100, 22}}
}

func ip6Layer(next layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, TrafficClass: 0x02, FlowLabel: 0x12345, HopLimit: 63, NextHeader: next,
		SrcIP: net.ParseIP("2001:db8::1"), DstIP: net.ParseIP("2001:db8:0:1::22")}
}

// synLayer is a SYN with the options that Linux sends.
func synLayer(network gopacket.NetworkLayer) *layers.TCP {
	l := &layers.TCP{SrcPort: 49152, DstPort: 443, Seq: 1000, SYN: true, Window: 64240, Options: []layers.TCPOption{
		{OptionType: layers.TCPOptionKindMSS, OptionLength: 4, OptionData: []byte{0x05, 0xb4}},
		{OptionType: layers.TCPOptionKindSACKPermitted, OptionLength: 2},
		{OptionType: layers.TCPOptionKindTimestamps, OptionLength: 10, OptionData: []byte{0, 0, 0x27, 0x10, 0, 0, 0, 0}},
		{OptionType: layers.TCPOptionKindNop, OptionLength: 1},
		{OptionType: layers.TCPOptionKindWindowScale, OptionLength: 3, OptionData: []byte{7}},
	}}
	l.SetNetworkLayerForChecksum(network)
	return l
}

func udpLayer(network gopacket.NetworkLayer, source, destination layers.UDPPort) *layers.UDP {
	l := &layers.UDP{SrcPort: source, DstPort: destination}
	l.SetNetworkLayerForChecksum(network)
	return l
}

// serialize builds a frame, lengths and checksums right.
func serialize(parts ...gopacket.SerializableLayer) []byte {
	buffer := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buffer, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, parts...); err != nil {
		panic(err)
	}
	return bytes.Clone(buffer.Bytes())
}

// A sample is a frame that shows something.
type sample struct {
	name  string
	frame capture.Frame
}

func ethernetFrame(data []byte) capture.Frame {
	return capture.Frame{Data: data, Length: uint32(len(data)), Link: capture.LinkEthernet}
}

func samples() []sample {
	ip := ip4Layer(layers.IPProtocolTCP)
	syn := serialize(etherLayer(layers.EthernetTypeIPv4), ip, synLayer(ip))
	cut := ethernetFrame(syn[:60])
	cut.Length = uint32(len(syn))

	udp := ip4Layer(layers.IPProtocolUDP)
	question := unhex("1d5a 0100 0001 0000 0000 0000 07 6578616d706c65 03 636f6d 00 0001 0001")
	dns := serialize(etherLayer(layers.EthernetTypeIPv4), udp, udpLayer(udp, 53124, 53), gopacket.Payload(question))

	ip6 := ip6Layer(layers.IPProtocolIPv6HopByHop)
	tcp6 := serialize(synLayer(ip6))
	hop := append(unhex("06 00 05 02 0000 01 00"), tcp6...) // router alert, PadN
	extension := serialize(etherLayer(layers.EthernetTypeIPv6), ip6, gopacket.Payload(hop))

	arp := serialize(&layers.Ethernet{SrcMAC: client, DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeARP},
		&layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4, Operation: 1,
			SourceHwAddress: client, SourceProtAddress: net.IP{192, 0, 2, 11}, DstHwAddress: make([]byte, 6), DstProtAddress: net.IP{192, 0, 2, 1}},
		gopacket.Payload(make([]byte, 18)))

	outer := ip4Layer(layers.IPProtocolUDP)
	vxlan := serialize(etherLayer(layers.EthernetTypeIPv4), outer, udpLayer(outer, 50000, 4789),
		&layers.VXLAN{ValidIDFlag: true, VNI: 5001}, gopacket.Payload(dns))

	tagged := append(append(bytes.Clone(syn[:12]), unhex("8100 6064")...), syn[12:]...)

	hostile := bytes.Clone(syn)
	hostile[14+2], hostile[14+3] = 0xff, 0xff // total length
	hostile[34+12] = 0xf0                     // data offset
	hostile = append(hostile[:54], unhex("05 ff 1b 5b 33 31 6d 3c 73 63 72 69 70 74 3e")...)

	unreachable := serialize(etherLayer(layers.EthernetTypeIPv4), ip4Layer(layers.IPProtocolICMPv4),
		&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(3, 3)}, gopacket.Payload(dns[14:42]))

	sctp := serialize(etherLayer(layers.EthernetTypeIPv4), ip4Layer(layers.IPProtocolSCTP), &layers.SCTP{SrcPort: 5000, DstPort: 2905, VerificationTag: 0},
		gopacket.Payload(unhex("01 00 0014 0000002a 00010000 000a 000a 00000001")))

	return []sample{
		{"syn", ethernetFrame(syn)},
		{"dns", ethernetFrame(dns)},
		{"ipv6-extension", ethernetFrame(extension)},
		{"arp", ethernetFrame(arp)},
		{"vxlan", ethernetFrame(vxlan)},
		{"cut-options", cut},
		{"hostile", ethernetFrame(hostile)},
		{"vlan", ethernetFrame(tagged)},
		{"icmp-quote", ethernetFrame(unreachable)},
		{"sctp", ethernetFrame(sctp)},
		{"sll2", sll2Frame(syn)},
	}
}

// sll2Frame is an Ethernet frame's content in a cooked capture, whose link type has more than
// eight bits.
func sll2Frame(ethernet []byte) capture.Frame {
	data := append(unhex("0800 0000 00000002 0001 00 06 00005e005301 0000"), ethernet[14:]...)
	return capture.Frame{Data: data, Length: uint32(len(data)), Link: capture.LinkSLL2}
}

// check checks what is true of every drawing.
func check(t testing.TB, d *Drawing) {
	t.Helper()
	at := 0
	for i := range d.Headers {
		h := &d.Headers[i]
		if h.Offset != at || h.Length < 0 || len(h.data) != h.Length {
			t.Fatalf("%s begins at byte %d, what is before it ends at %d", h.Name, h.Offset, at)
		}
		at += h.Length
		if (h.Want > h.Length) != (h.End != Complete) {
			t.Fatalf("%s: %d of %d bytes, end %d", h.Name, h.Length, h.Want, h.End)
		}
		if h.Kind != Fields {
			continue
		}
		bit := 0
		for j := range h.Fields {
			f := &h.Fields[j]
			if f.At != bit || f.Bits <= 0 {
				t.Fatalf("%s: %s begins at bit %d, the field before ends at %d", h.Name, f.Label, f.At, bit)
			}
			if f.Cut && j < len(h.Fields)-1 {
				t.Fatalf("%s: %s is cut, and not the last", h.Name, f.Label)
			}
			bit += f.Bits
		}
		if bit != h.Length*8 {
			t.Fatalf("%s: %d bytes, the fields end at bit %d", h.Name, h.Length, bit)
		}
	}
	if at != len(d.Data) {
		t.Fatalf("%d bytes of %d are accounted for", at, len(d.Data))
	}
	if len(d.Headers) > maxHeaders+8 {
		t.Fatalf("%d headers", len(d.Headers))
	}
}

// checkText checks what is true of every text.
func checkText(t testing.TB, d *Drawing, width int) {
	t.Helper()
	for _, language := range []words.Language{words.English, words.Korean} {
		var b bytes.Buffer
		if err := d.WriteText(&b, Options{Language: language, Width: width}); err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(b.String(), "\n") {
			if n := words.Width(line); n > max(width, minWidth) {
				t.Fatalf("%v: line %d has %d columns: %s", language, i+1, n, line)
			}
			if strings.Contains(line, "!bits.") || strings.Contains(line, "%!") || strings.ContainsFunc(line, unprintable) {
				t.Fatalf("%v: line %d: %q", language, i+1, line)
			}
		}
	}
}

func unprintable(r rune) bool {
	return r < ' ' || r >= 0x7f && r < 0xa0 || r == 0xfffd || string(r) == joint
}
