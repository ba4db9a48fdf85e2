package ring

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"

	"sockscope/capture"
)

const (
	addressOffset = (unix.SizeofTpacket3Hdr + 15) &^ 15 // of a frame's sockaddr_ll from its header
	tagLength     = 4
	sll2Length    = 20
)

// frame makes f of the frame whose header lies at h. Its bytes stay where the kernel
// has put them. What must stand before them, a VLAN tag or a cooked header, is
// written over the room that the kernel keeps between its header and the frame:
// at least 16 bytes before the network layer's, beyond the sockaddr_ll.
func frame(f *capture.Frame, h *unix.Tpacket3Hdr, address *unix.RawSockaddrLinklayer, block []byte, at uint32) {
	start := at + uint32(h.Mac)
	captured, length := h.Snaplen, h.Len
	link := linkOf(address)
	switch link {
	case capture.LinkEthernet:
		if h.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			length += tagLength
			if captured >= 12 {
				start, captured = start-tagLength, captured+tagLength
				insertTag(block[start:], h)
			}
		}
	case capture.LinkRaw, capture.LinkSLL2:
		// Whatever precedes the network layer is not ours to understand.
		hlen := uint32(h.Net) - uint32(h.Mac)
		start, captured, length = start+hlen, captured-min(hlen, captured), length-min(hlen, length)
		if link == capture.LinkSLL2 {
			start, captured, length = start-sll2Length, captured+sll2Length, length+sll2Length
			putSLL2(block[start:], address)
		}
	}
	end := start + captured
	f.Data = block[start:end:end]
	f.Time = capture.Timestamp(h.Sec)*1e9 + capture.Timestamp(h.Nsec)
	f.Length = length
	f.Link = link
	f.Unsummed = h.Status&unix.TP_STATUS_CSUMNOTREADY != 0
	f.Direction = direction(address)
}

// direction is whether the host sent or received a frame. On loopback, where it is
// seen once, it is both.
func direction(address *unix.RawSockaddrLinklayer) capture.Direction {
	switch {
	case address.Hatype == unix.ARPHRD_LOOPBACK:
		return capture.NoDirection
	case address.Pkttype == packetOutgoing:
		return capture.Outbound
	}
	return capture.Inbound
}

// insertTag puts the VLAN tag back that the kernel took out: b has room for it
// before the frame. A priority tag is all zeros, so only the status tells of a tag.
func insertTag(b []byte, h *unix.Tpacket3Hdr) {
	copy(b[:12], b[tagLength:]) // the addresses
	tpid := uint16(unix.ETH_P_8021Q)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = h.Hv1.Vlan_tpid
	}
	binary.BigEndian.PutUint16(b[12:], tpid)
	binary.BigEndian.PutUint16(b[14:], uint16(h.Hv1.Vlan_tci))
}

// linkOf is the link type that a frame gets. Interfaces without a header, or with
// one that comes and goes, give bare IP packets; of what is neither known nor IP the
// network layer is kept behind a cooked header.
func linkOf(address *unix.RawSockaddrLinklayer) capture.LinkType {
	switch address.Hatype {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return capture.LinkEthernet
	}
	link := interfaceLink(address.Hatype)
	if link == capture.LinkRaw {
		switch networkOrder(address.Protocol) {
		case unix.ETH_P_IP, unix.ETH_P_IPV6:
		default:
			return capture.LinkSLL2
		}
	}
	return link
}

// interfaceLink is the link type of an interface's usual frames, by its ARPHRD number.
func interfaceLink(hardware uint16) capture.LinkType {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return capture.LinkEthernet
	case unix.ARPHRD_NONE, unix.ARPHRD_RAWIP, unix.ARPHRD_PPP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6,
		unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE:
		return capture.LinkRaw
	case unix.ARPHRD_IEEE80211:
		return capture.LinkWiFi
	case unix.ARPHRD_IEEE80211_PRISM:
		return capture.LinkPrism
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return capture.LinkRadiotap
	case unix.ARPHRD_VSOCKMON:
		return capture.LinkVSock
	}
	return capture.LinkSLL2
}

// putSLL2 writes the cooked header (LINKTYPE_LINUX_SLL2) that says what the kernel
// tells about a frame.
func putSLL2(b []byte, address *unix.RawSockaddrLinklayer) {
	binary.NativeEndian.PutUint16(b, address.Protocol) // in network order already
	binary.BigEndian.PutUint16(b[2:], 0)
	binary.BigEndian.PutUint32(b[4:], uint32(address.Ifindex))
	binary.BigEndian.PutUint16(b[8:], address.Hatype)
	b[10], b[11] = address.Pkttype, address.Halen
	copy(b[12:sll2Length], address.Addr[:])
}

// networkOrder swaps n between the host's order and the network's.
func networkOrder(n uint16) uint16 {
	var b [2]byte
	binary.BigEndian.PutUint16(b[:], n)
	return binary.NativeEndian.Uint16(b[:])
}

// frameHeader is the kernel's header of the frame at an offset of a block.
func frameHeader(block []byte, at uint32) (*unix.Tpacket3Hdr, *unix.RawSockaddrLinklayer) {
	b := block[at:][:addressOffset+unix.SizeofSockaddrLinklayer]
	return (*unix.Tpacket3Hdr)(unsafe.Pointer(&b[0])), (*unix.RawSockaddrLinklayer)(unsafe.Pointer(&b[addressOffset]))
}
