package bits

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"sockscope/capture"
)

// What is said of checksums: the keys of the sentences, behind "bits.checksum-", with their
// first argument.
func TestChecksums(t *testing.T) {
	ip := ip4Layer(layers.IPProtocolTCP)
	syn := serialize(etherLayer(layers.EthernetTypeIPv4), ip, synLayer(ip))
	ip6 := ip6Layer(layers.IPProtocolUDP)
	udp6 := serialize(etherLayer(layers.EthernetTypeIPv6), ip6, udpLayer(ip6, 1000, 2000), gopacket.Payload("odd"))
	icmp := serialize(etherLayer(layers.EthernetTypeIPv4), ip4Layer(layers.IPProtocolICMPv4),
		&layers.ICMPv4{TypeCode: layers.CreateICMPv4TypeCode(8, 0), Id: 7, Seq: 1}, gopacket.Payload("ping"))
	v6 := ip6Layer(layers.IPProtocolICMPv6)
	echo := &layers.ICMPv6{TypeCode: layers.CreateICMPv6TypeCode(128, 0)}
	echo.SetNetworkLayerForChecksum(v6)
	icmp6 := serialize(etherLayer(layers.EthernetTypeIPv6), v6, echo, &layers.ICMPv6Echo{Identifier: 7, SeqNumber: 1})
	sctp := serialize(etherLayer(layers.EthernetTypeIPv4), ip4Layer(layers.IPProtocolSCTP), &layers.SCTP{SrcPort: 5000, DstPort: 2905},
		gopacket.Payload(unhex("03 00 0010 00000001 00010000 0000 0000")))

	// with is frame with bytes at a place replaced.
	with := func(frame []byte, at int, b ...byte) capture.Frame {
		frame = bytes.Clone(frame)
		copy(frame[at:], b)
		return ethernetFrame(frame)
	}
	unsummed := with(syn, 50, 0, 1)
	unsummed.Unsummed = true
	snapped := samples()[1].frame
	snapped.Data = snapped.Data[:len(snapped.Data)-1]
	pseudo := sum(sum(0, syn[26:34]), []byte{0, 6, 0, 40})
	fragment := with(syn, 20, 0x20, 0)
	fix := expected(fragment.Data[14:34], 0, 10)
	fragment.Data[24], fragment.Data[25] = byte(fix>>8), byte(fix)

	for _, test := range []struct {
		name  string
		frame capture.Frame
		want  string
	}{
		{"TCP over IPv4", ethernetFrame(syn), "right IPv4, right TCP"},
		{"UDP over IPv6, an odd number of bytes", ethernetFrame(udp6), "right UDP"},
		{"ICMP has no pseudo-header", ethernetFrame(icmp), "right IPv4, right ICMP"},
		{"ICMPv6 has one", ethernetFrame(icmp6), "right ICMPv6"},
		{"SCTP has a CRC", ethernetFrame(sctp), "right IPv4, right SCTP"},
		{"another byte in the SCTP packet", with(sctp, 50, 1), "right IPv4, wrong SCTP"},
		{"another byte in the IPv4 header", with(syn, 22, 63), "wrong IPv4, right TCP"},
		{"another byte in the segment", with(syn, 38, 1), "right IPv4, wrong TCP"},
		{"left to the hardware, says the capture", unsummed, "right IPv4, unsummed TCP"},
		{"left to the hardware, says the sum", with(syn, 50, byte(pseudo>>8), byte(pseudo)), "right IPv4, partial TCP"},
		{"none", with(serialize(etherLayer(layers.EthernetTypeIPv4), ip4Layer(layers.IPProtocolUDP), udpLayer(ip, 1, 2)), 40, 0, 0), "right IPv4, none UDP"},
		{"a byte was not captured", snapped, "right IPv4, cut UDP"},
		{"a fragment", fragment, "right IPv4, fragment TCP"},
		{"the total length is not told", with(syn, 16, 0, 0), "wrong IPv4, unknown TCP"},
		{"a quotation proves nothing", samples()[8].frame, "right IPv4, right ICMP"},
	} {
		d := Of(&test.frame, 1)
		check(t, d)
		var said []string
		for _, h := range d.Headers {
			for _, n := range h.Notes {
				if key, ok := strings.CutPrefix(n.Key, "bits.checksum-"); ok {
					i := slices.IndexFunc(n.Args, func(a any) bool { _, is := a.(string); return is })
					said = append(said, key+" "+n.Args[i].(string))
				}
			}
		}
		if got := strings.Join(said, ", "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// What is computed is what gopacket computes.
func TestChecksumValue(t *testing.T) {
	syn := samples()[0].frame.Data
	wrong := ethernetFrame(append(bytes.Clone(syn[:50]), append([]byte{0, 0}, syn[52:]...)...))
	d := Of(&wrong, 1)
	h := d.Headers[2]
	want := hex16.short(value{n: uint64(be16(syn[50:]))})
	if len(h.Notes) != 1 || h.Notes[0].Args[1] != "0x0000" || h.Notes[0].Args[2] != want {
		t.Errorf("%v, want %s", h.Notes, want)
	}
}
