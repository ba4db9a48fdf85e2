package bits

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode"
)

// captures are the files of the repository's tests.
func captures(t *testing.T) []string {
	t.Helper()
	const root = "../../../testdata"
	var all []string
	for _, pattern := range []string{"*.pcap", "zoo/*.pcap*", "corpus/*.pcap*"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, names...)
	}
	if len(all) < 100 {
		t.Fatalf("only %d captures", len(all))
	}
	return all
}

// eachFrame gives the frames of a capture with their numbers.
func eachFrame(t *testing.T, name string, give func(*capture.Frame, uint64)) {
	t.Helper()
	src, err := pcapfile.Open(context.Background(), []string{name}, pcapfile.Config{MaxInput: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var b capture.Block
	for {
		if err := src.Next(&b); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		for i := range b.Frames {
			give(&b.Frames[i], b.First+uint64(i))
		}
		src.Release(&b)
	}
}

// Every frame of every capture is accounted for, its text fits, the fields have the values
// that gopacket reads, and the innermost ports are those of the reports. Below, headers have
// names that are gopacket's.
func TestCaptures(t *testing.T) {
	const texts = 3 // frames of a capture whose text is looked at, too
	compared, named := map[string]int{}, map[string]bool{}
	for _, name := range captures(t) {
		n := 0
		eachFrame(t, name, func(f *capture.Frame, number uint64) {
			defer func() {
				if t.Failed() {
					t.Fatalf("%s: frame %d", name, number)
				}
			}()
			d := Of(f, number)
			check(t, d)
			if n++; n <= texts {
				checkText(t, d, minWidth)
				if err := errors.Join(d.WriteHTML(io.Discard, Options{}), d.WriteMarkdown(io.Discard, Options{})); err != nil {
					t.Error(err)
				}
			}
			compareWithDecode(t, d, f, compared)
			compareWithGopacket(t, d, f, compared)
			for i := range d.Headers {
				if h := &d.Headers[i]; h.Kind == Layer {
					named[h.Name] = true
				}
			}
		})
	}
	for _, want := range []string{"TLS", "NTP", "DHCPv4"} {
		if !named[want] {
			t.Errorf("no %s, only %v", want, slices.Sorted(maps.Keys(named)))
		}
	}
	for what, least := range map[string]int{"Ethernet": 9000, "IPv4": 9000, "IPv6": 40, "TCP": 5000, "UDP": 500, "ICMP": 90, "ARP": 5,
		"802.1Q": 10, "MPLS": 5, "GRE": 5, "SCTP": 20, "VXLAN": 5, "DNS": 150, "Linux cooked": 20, "decode TCP": 5000, "decode UDP": 500} {
		if compared[what] < least {
			t.Errorf("%s: compared %d times, want %d: %v", what, compared[what], least, compared)
		}
	}
}

// compareWithDecode compares the innermost transport with the reports'.
func compareWithDecode(t *testing.T, d *Drawing, f *capture.Frame, compared map[string]int) {
	var p decode.Packet
	p.Decode(f.Data, f.Length, f.Link)
	name := map[decode.Class]string{decode.TCP: "TCP", decode.UDP: "UDP"}[p.Class]
	if name == "" || p.Err != decode.None || linkStep(f.Link) == nil || p.NumTunnels > 0 && unlike(&p) {
		return
	}
	for i := len(d.Headers) - 1; i >= 0; i-- {
		h := &d.Headers[i]
		if h.Name != name {
			continue
		}
		compared["decode "+name]++
		want := fmt.Sprint(p.SrcPort, " ", p.DstPort)
		if got := h.Fields[0].Value + " " + h.Fields[1].Value; got != want {
			t.Errorf("%s: ports %s, want %s", name, got, want)
		}
		return
	}
	if p.Protocol != 136 { // UDP-Lite
		t.Errorf("no %s in %s", name, names(d))
	}
}

// unlike reports whether a packet is in a tunnel that has no table.
func unlike(p *decode.Packet) bool {
	return slices.ContainsFunc(p.Tunnels[:p.NumTunnels], func(t decode.Tunnel) bool {
		return !slices.Contains([]decode.TunnelKind{decode.IPIP, decode.GRE, decode.PBB, decode.ERSPAN, decode.VXLAN, decode.Geneve, decode.GTPU}, t.Kind)
	})
}

// compareWithGopacket compares the fields of each header that gopacket finds in the same
// place with the values of its structs.
func compareWithGopacket(t *testing.T, d *Drawing, f *capture.Frame, compared map[string]int) {
	var first gopacket.Decoder
	switch f.Link {
	case capture.LinkEthernet:
		first = layers.LayerTypeEthernet
	case capture.LinkSLL:
		first = layers.LayerTypeLinuxSLL
	default:
		return
	}
	at := map[string]*Header{}
	for i := range d.Headers {
		h := &d.Headers[i]
		at[fmt.Sprint(h.Name, " ", h.Offset)] = h
	}
	offset := 0
	for _, layer := range gopacket.NewPacket(f.Data, first, gopacket.DecodeOptions{NoCopy: true}).Layers() {
		name, want := opinion(layer)
		h := at[fmt.Sprint(name, " ", offset)]
		offset += len(layer.LayerContents())
		if name == "" || h == nil || h.End != Complete {
			continue
		}
		compared[name]++
		got := map[string]string{}
		for i := range h.Fields {
			if f := &h.Fields[i]; want[f.Label] != "" && got[f.Label] == "" {
				got[f.Label] = f.Short
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-gopacket +ours):\n%s", name, diff)
		}
	}
}

// opinion is what gopacket says of a header: its name here, and values by field.
func opinion(layer gopacket.Layer) (string, map[string]string) {
	m := map[string]string{}
	n := func(label string, v any) { m[label] = fmt.Sprintf("%d", v) }
	x := func(label string, digits int, v any) { m[label] = fmt.Sprintf("0x%0*x", digits, v) }
	b := func(label string, v bool) { m[label] = map[bool]string{true: "1", false: "0"}[v] }
	a := func(label string, v net.IP) {
		if addr, ok := netip.AddrFromSlice(v); ok {
			m[label] = addr.String()
		}
	}
	switch l := layer.(type) {
	case *layers.Ethernet:
		m["Destination Address"], m["Source Address"] = l.DstMAC.String(), l.SrcMAC.String()
		if l.Length == 0 {
			x("EtherType", 4, uint16(l.EthernetType))
		}
		return "Ethernet", m
	case *layers.LinuxSLL:
		n("Packet Type", uint16(l.PacketType))
		n("Address Length", l.AddrLen)
		x("Protocol Type", 4, uint16(l.EthernetType))
		return "Linux cooked", m
	case *layers.Dot1Q:
		n("PCP", l.Priority)
		b("DEI", l.DropEligible)
		n("VLAN Identifier", l.VLANIdentifier)
		x("EtherType", 4, uint16(l.Type))
		return "802.1Q", m
	case *layers.MPLS:
		n("Label", l.Label)
		n("TC", l.TrafficClass)
		b("S", l.StackBottom)
		n("TTL", l.TTL)
		return "MPLS", m
	case *layers.ARP:
		n("Hardware Type", uint16(l.AddrType))
		x("Protocol Type", 4, uint16(l.Protocol))
		n("HLEN", l.HwAddressSize)
		n("PLEN", l.ProtAddressSize)
		n("Operation", l.Operation)
		m["Sender Hardware Address"], m["Target Hardware Address"] = net.HardwareAddr(l.SourceHwAddress).String(), net.HardwareAddr(l.DstHwAddress).String()
		a("Sender Protocol Address", l.SourceProtAddress)
		a("Target Protocol Address", l.DstProtAddress)
		return "ARP", m
	case *layers.IPv4:
		n("Version", l.Version)
		n("IHL", l.IHL)
		n("DSCP", l.TOS>>2)
		n("ECN", l.TOS&3)
		if l.Length > 0 { // gopacket puts the frame's in its place
			n("Total Length", be16(l.Contents[2:]))
		}
		n("Identification", l.Id)
		b("DF", l.Flags&layers.IPv4DontFragment != 0)
		b("MF", l.Flags&layers.IPv4MoreFragments != 0)
		n("Fragment Offset", l.FragOffset)
		n("Time to Live", l.TTL)
		n("Protocol", uint8(l.Protocol))
		x("Header Checksum", 4, l.Checksum)
		a("Source Address", l.SrcIP)
		a("Destination Address", l.DstIP)
		return "IPv4", m
	case *layers.IPv6:
		n("DSCP", l.TrafficClass>>2)
		n("ECN", l.TrafficClass&3)
		x("Flow Label", 5, l.FlowLabel)
		n("Payload Length", l.Length)
		n("Next Header", uint8(l.NextHeader))
		n("Hop Limit", l.HopLimit)
		a("Source Address", l.SrcIP)
		a("Destination Address", l.DstIP)
		return "IPv6", m
	case *layers.TCP:
		n("Source Port", uint16(l.SrcPort))
		n("Destination Port", uint16(l.DstPort))
		n("Sequence Number", l.Seq)
		n("Acknowledgment Number", l.Ack)
		n("Data Offset", l.DataOffset)
		for label, v := range map[string]bool{"AE": l.NS, "CWR": l.CWR, "ECE": l.ECE, "URG": l.URG, "ACK": l.ACK, "PSH": l.PSH, "RST": l.RST, "SYN": l.SYN, "FIN": l.FIN} {
			b(label, v)
		}
		n("Window", l.Window)
		x("Checksum", 4, l.Checksum)
		n("Urgent Pointer", l.Urgent)
		known := map[layers.TCPOptionKind]bool{}
		for _, o := range l.Options {
			d := o.OptionData
			if known[o.OptionType] {
				continue
			}
			known[o.OptionType] = true
			switch {
			case o.OptionType == layers.TCPOptionKindMSS && len(d) == 2:
				n("Maximum Segment Size", be16(d))
			case o.OptionType == layers.TCPOptionKindWindowScale && len(d) == 1:
				n("Shift Count", d[0])
			case o.OptionType == layers.TCPOptionKindTimestamps && len(d) == 8:
				n("TS Value", be32(d))
				n("TS Echo Reply", be32(d[4:]))
			case o.OptionType == layers.TCPOptionKindSACK && len(d) >= 8:
				n("Left Edge of Block", be32(d))
				n("Right Edge of Block", be32(d[4:]))
			}
		}
		return "TCP", m
	case *layers.UDP:
		n("Source Port", uint16(l.SrcPort))
		n("Destination Port", uint16(l.DstPort))
		n("Length", l.Length)
		x("Checksum", 4, l.Checksum)
		return "UDP", m
	case *layers.ICMPv4:
		n("Type", l.TypeCode.Type())
		n("Code", l.TypeCode.Code())
		x("Checksum", 4, l.Checksum)
		if t := l.TypeCode.Type(); t == layers.ICMPv4TypeEchoRequest || t == layers.ICMPv4TypeEchoReply {
			n("Identifier", l.Id)
			n("Sequence Number", l.Seq)
		}
		return "ICMP", m
	case *layers.SCTP:
		n("Source Port Number", uint16(l.SrcPort))
		n("Destination Port Number", uint16(l.DstPort))
		x("Verification Tag", 8, l.VerificationTag)
		x("Checksum", 8, l.Checksum)
		return "SCTP", m
	case *layers.GRE:
		b("C", l.ChecksumPresent)
		b("K", l.KeyPresent)
		b("S", l.SeqPresent)
		x("Protocol Type", 4, uint16(l.Protocol))
		if l.KeyPresent && l.Version == 0 {
			x("Key", 8, l.Key)
		}
		return "GRE", m
	case *layers.VXLAN:
		b("I", l.ValidIDFlag)
		n("VXLAN Network Identifier (VNI)", l.VNI)
		return "VXLAN", m
	case *layers.DNS:
		x("ID", 4, l.ID)
		for label, v := range map[string]bool{"QR": l.QR, "AA": l.AA, "TC": l.TC, "RD": l.RD, "RA": l.RA} {
			b(label, v)
		}
		n("Opcode", uint8(l.OpCode))
		n("RCODE", uint8(l.ResponseCode))
		n("QDCOUNT", l.QDCount)
		n("ANCOUNT", l.ANCount)
		n("NSCOUNT", l.NSCount)
		n("ARCOUNT", l.ARCount)
		return "DNS", m
	}
	return "", nil
}
