package decode

// EtherTypes (IEEE 802 numbers) that are decoded further.
const (
	etherTypeIPv4       = 0x0800
	etherTypeTRILL      = 0x22f3
	etherTypeBridging   = 0x6558 // Ethernet in something else
	etherTypeVLAN       = 0x8100 // IEEE 802.1Q
	etherTypeIPv6       = 0x86dd
	etherTypePPP        = 0x880b
	etherTypeMPLS       = 0x8847
	etherTypeMPLSOther  = 0x8848 // upstream-assigned labels (RFC 5332)
	etherTypePPPoE      = 0x8864 // session stage
	etherTypeLLC        = 0x8870 // jumbo frames' LLC
	etherTypeSVLAN      = 0x88a8 // IEEE 802.1ad
	etherTypeMACsec     = 0x88e5
	etherTypePBB        = 0x88e7
	etherTypeFabricPath = 0x8903
	etherTypeMetadata   = 0x8909 // Cisco security group tag
	etherTypeVNTag      = 0x8926
	etherTypeHSR        = 0x892f
	etherTypeNSH        = 0x894f
	etherTypeQinQ       = 0x9100 // before IEEE 802.1ad, and two more in use
	etherTypeQinQ2      = 0x9200
	etherTypeQinQ3      = 0x9300
	etherTypeRTag       = 0xf1c1 // IEEE 802.1CB

	maxLength8023 = 1500 // an EtherType up to here is a length
)

// ethernet decodes the MAC header (IEEE 802.3 §3.1.1).
func (w *walk) ethernet() header {
	const hlen = 14
	b := w.b
	if len(b) < hlen {
		return w.short()
	}
	w.b = b[hlen:]
	if t := be16(b[12:]); t != etherTypeIPv4 {
		return w.etherType(t)
	}
	return ipv4Header
}

// etherType is the header that follows the EtherType, or 802.3 length, t. Tags of a
// few bytes that end in an EtherType of their own are taken here.
func (w *walk) etherType(t uint16) header {
	for {
		tag := 4 // length of the tag, with the EtherType at its end
		switch t {
		case etherTypeIPv4:
			return ipv4Header
		case etherTypeIPv6:
			return ipv6Header
		case etherTypeMPLS, etherTypeMPLSOther:
			return mplsHeader
		case etherTypePPPoE:
			return pppoeHeader
		case etherTypePPP:
			return pppHeader
		case etherTypeBridging:
			return ethernetHeader
		case etherTypeLLC:
			return llcHeader
		case etherTypePBB:
			return pbbHeader
		case etherTypeMACsec:
			return macsecHeader
		case etherTypeNSH:
			return nshHeader
		case etherTypeTRILL:
			return trillHeader
		case etherTypeFabricPath:
			return fabricPathHeader
		case etherTypeVLAN, etherTypeSVLAN, etherTypeQinQ, etherTypeQinQ2, etherTypeQinQ3:
			if len(w.b) < tag {
				return w.short()
			}
			if !w.vlan(be16(w.b)) {
				return w.fail(TooManyVLANs)
			}
		case etherTypeVNTag, etherTypeHSR, etherTypeRTag:
			tag = 6
		case etherTypeMetadata:
			tag = 8
		default:
			if t <= maxLength8023 {
				w.trim(min(int(t), w.wire())) // padding
				return llcHeader
			}
			return w.nonIP(t)
		}
		if len(w.b) < tag {
			return w.short()
		}
		if tag > 4 {
			if w.layers++; w.layers > MaxLayers {
				return w.fail(TooManyLayers)
			}
		}
		t = be16(w.b[tag-2:])
		w.b = w.b[tag:]
	}
}

// vlan notes the VLAN id of a tag, or tells that there are too many. Like a tunnel, a tag
// counts once its content is known to describe the frame.
func (w *walk) vlan(tci uint16) bool {
	p := w.p
	if w.vlans == MaxVLANs {
		return false
	}
	if int(w.vlans) < len(p.VLANs) {
		p.VLANs[w.vlans] = tci & 0xfff
	}
	w.vlans++
	if p.Class == Undecoded {
		p.NumVLANs = w.vlans
	}
	return true
}

// looksLikeEthernet tells whether b plausibly begins with a MAC header whose content
// is IP, perhaps behind one or two VLAN tags: for content that nothing describes.
func looksLikeEthernet(b []byte) bool {
	for i := 12; i+3 <= len(b) && i <= 20; i += 4 {
		switch be16(b[i:]) {
		case etherTypeIPv4:
			return b[i+2]>>4 == 4 && b[i+2]&0xf >= 5
		case etherTypeIPv6:
			return b[i+2]>>4 == 6
		case etherTypeVLAN, etherTypeSVLAN:
		default:
			return false
		}
	}
	return false
}
