package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// A linkLayer puts a link header around an IP packet.
type linkLayer func(packet []byte, vlan uint16, fromClient bool) ([]byte, error)

// Hardware addresses out of the range for documentation (RFC 9542 §2.1.1).
var (
	clientMAC = net.HardwareAddr{0x00, 0x00, 0x5e, 0x00, 0x53, 0x0a}
	serverMAC = net.HardwareAddr{0x00, 0x00, 0x5e, 0x00, 0x53, 0x01}
)

func etherType(packet []byte) layers.EthernetType {
	if packet[0]>>4 == 6 {
		return layers.EthernetTypeIPv6
	}
	return layers.EthernetTypeIPv4
}

// ethernet pads to the minimum of 60 bytes, so that padding is in many captures.
func ethernet(packet []byte, vlan uint16, fromClient bool) ([]byte, error) {
	eth := &layers.Ethernet{SrcMAC: clientMAC, DstMAC: serverMAC, EthernetType: etherType(packet)}
	if !fromClient {
		eth.SrcMAC, eth.DstMAC = eth.DstMAC, eth.SrcMAC
	}
	if vlan == 0 {
		return serialize(eth, gopacket.Payload(packet))
	}
	tag := &layers.Dot1Q{VLANIdentifier: vlan, Type: eth.EthernetType}
	eth.EthernetType = layers.EthernetTypeDot1Q
	return serialize(eth, tag, gopacket.Payload(packet))
}

// rawIP has no link header (LINKTYPE_RAW).
func rawIP(packet []byte, _ uint16, _ bool) ([]byte, error) { return packet, nil }

// cooked is Linux cooked capture version 1 (LINKTYPE_LINUX_SLL), as "any" gives it.
func cooked(packet []byte, _ uint16, fromClient bool) ([]byte, error) {
	var kind uint16 // to us
	if fromClient {
		kind = 4 // sent by us
	}
	b := binary.BigEndian.AppendUint16(nil, kind)
	b = binary.BigEndian.AppendUint16(b, 1) // ARPHRD_ETHER
	b = binary.BigEndian.AppendUint16(b, 6)
	b = append(append(b, clientMAC...), 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(etherType(packet)))
	return append(b, packet...), nil
}

// encapsulate puts a packet into a tunnel between two documentation addresses.
func encapsulate(e encapsulation, packet []byte, back bool) ([]byte, error) {
	near, far := netip.MustParseAddr("203.0.113.65"), netip.MustParseAddr("203.0.113.66")
	if back {
		near, far = far, near
	}
	outer := func(proto layers.IPProtocol) ipHeader { return newIP(near, far, 63, 0, proto) }
	switch e.kind {
	case "ipip":
		proto := layers.IPProtocolIPv4
		if packet[0]>>4 == 6 {
			proto = layers.IPProtocolIPv6
		}
		return serialize(outer(proto), gopacket.Payload(packet))
	case "gre":
		gre := &layers.GRE{Protocol: etherType(packet), KeyPresent: e.id != 0, Key: e.id}
		return serialize(outer(layers.IPProtocolGRE), gre, gopacket.Payload(packet))
	case "vxlan": // RFC 7348; no UDP checksum, as is usual
		frame, err := ethernet(packet, 0, !back)
		if err != nil {
			return nil, err
		}
		vxlan, err := serialize(&layers.VXLAN{ValidIDFlag: true, VNI: e.id}, gopacket.Payload(frame))
		if err != nil {
			return nil, err
		}
		udp := binary.BigEndian.AppendUint16(nil, 49200)
		udp = binary.BigEndian.AppendUint16(udp, 4789)
		udp = binary.BigEndian.AppendUint16(udp, uint16(8+len(vxlan)))
		udp = append(binary.BigEndian.AppendUint16(udp, 0), vxlan...)
		return serialize(outer(layers.IPProtocolUDP), gopacket.Payload(udp))
	}
	return nil, fmt.Errorf("unknown tunnel %q", e.kind)
}
