package bits

import (
	"bytes"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"sockscope/capture"
)

// maxDeep is how much of a frame gopacket sees, in bytes: it goes down one call for each
// layer.
const maxDeep = 64 << 10

// tabled is the step for a layer of gopacket's that has a table here; nil for others.
func tabled(t gopacket.LayerType) step {
	switch t {
	case layers.LayerTypeEthernet:
		return ethernet
	case layers.LayerTypeDot1Q:
		return vlan
	case layers.LayerTypeLLC:
		return llc
	case layers.LayerTypeSNAP:
		return snap
	case layers.LayerTypeARP:
		return arp
	case layers.LayerTypeMPLS:
		return mpls
	case layers.LayerTypePPPoE:
		return pppoe
	case layers.LayerTypePPP:
		return ppp
	case layers.LayerTypeIPv4:
		return ip4
	case layers.LayerTypeIPv6:
		return ip6
	case layers.LayerTypeTCP:
		return tcp
	case layers.LayerTypeUDP:
		return udp
	case layers.LayerTypeGRE:
		return gre
	}
	return nil
}

// deep is the step for what gopacket finds from here on with a decoder of its own.
func deep(d gopacket.Decoder) step {
	return func(w *walk) step { return w.deeper(d) }
}

// deeper names the layers that gopacket finds, until one comes that has a table here. It
// recovers its own panics; what it made of the bytes until then is taken only where it is a
// part of the frame.
func (w *walk) deeper(d gopacket.Decoder) step {
	rest := w.rest()
	if len(rest) > maxDeep {
		rest = rest[:maxDeep]
	}
	if len(rest) == 0 {
		return nil
	}
	packet := gopacket.NewPacket(rest, d, gopacket.DecodeOptions{NoCopy: true, DecodeStreamsAsDatagrams: true})
	for _, layer := range packet.Layers() {
		t := layer.LayerType()
		if s := tabled(t); s != nil {
			return s
		}
		contents := layer.LayerContents()
		switch t {
		case gopacket.LayerTypeDecodeFailure, gopacket.LayerTypePayload, gopacket.LayerTypeFragment:
			return nil
		}
		if len(contents) == 0 || !bytes.HasPrefix(w.rest(), contents) || len(w.Headers) >= maxHeaders {
			return nil
		}
		w.dump(Layer, t.String(), w.pos+len(contents))
	}
	return nil
}

// deepLink is the step for a link type without a table. gopacket's have eight bits.
func deepLink(l capture.LinkType) step {
	if l > 0xff {
		return nil
	}
	return deep(layers.LinkType(l))
}

func deepEtherType(t uint16) step { return deep(layers.EthernetType(t)) }

func deepProtocol(p byte) step { return deep(layers.IPProtocol(p)) }

// deepLLC is the step for what a service access point of LLC names.
func deepLLC(sap byte) step {
	if sap == 0x42 {
		return deep(layers.LayerTypeSTP)
	}
	return nil
}

// deepUDP and deepTCP are the steps for the payload between two ports; the destination's
// counts first.
func deepUDP(source, destination uint16) step {
	for _, port := range []uint16{destination, source} {
		if t := layers.UDPPort(port).LayerType(); t != gopacket.LayerTypePayload {
			return deep(t)
		}
	}
	return nil
}

func deepTCP(source, destination uint16) step {
	for _, port := range []uint16{destination, source} {
		if t := layers.TCPPort(port).LayerType(); t != gopacket.LayerTypePayload && t != layers.LayerTypeDNS { // of which only the length comes first
			return deep(t)
		}
	}
	return nil
}
