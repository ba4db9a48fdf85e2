package capture

import "strconv"

// A LinkType is a registered link-layer header type (LINKTYPE_ values of
// https://www.tcpdump.org/linktypes.html), as capture files store it.
type LinkType uint16

// Link types that have a decoder, and a few that are merely named.
const (
	LinkNull         LinkType = 0 // BSD loopback, host byte order
	LinkEthernet     LinkType = 1
	LinkTokenRing    LinkType = 6
	LinkARCNET       LinkType = 7
	LinkSLIP         LinkType = 8
	LinkPPP          LinkType = 9
	LinkFDDI         LinkType = 10
	LinkATM          LinkType = 100 // RFC 2684 LLC
	LinkRaw          LinkType = 101 // IPv4 or IPv6
	LinkPPPHDLC      LinkType = 50
	LinkPPPEthernet  LinkType = 51 // PPPoE session header
	LinkCHDLC        LinkType = 104
	LinkWiFi         LinkType = 105 // IEEE 802.11 without radio header
	LinkFrameRelay   LinkType = 107
	LinkLoop         LinkType = 108 // OpenBSD loopback, network byte order
	LinkSLL          LinkType = 113 // Linux cooked capture v1
	LinkPFLog        LinkType = 117
	LinkPrism        LinkType = 119
	LinkARCNETLinux  LinkType = 129
	LinkRadiotap     LinkType = 127
	LinkAVS          LinkType = 163
	LinkPPPPPPD      LinkType = 166
	LinkPPI          LinkType = 192
	LinkIPv4         LinkType = 228
	LinkIPv6         LinkType = 229
	LinkNFLog        LinkType = 239
	LinkNetlink      LinkType = 253
	LinkSLL2         LinkType = 276
	LinkVSock        LinkType = 271
	LinkUSBLinux     LinkType = 189
	LinkUSBLinuxMmap LinkType = 220
	LinkUSBPcap      LinkType = 249
)

var linkNames = map[LinkType]string{
	LinkNull: "NULL", LinkEthernet: "EN10MB", LinkTokenRing: "TOKEN_RING", LinkARCNET: "ARCNET",
	LinkSLIP: "SLIP", LinkPPP: "PPP", LinkFDDI: "FDDI", LinkATM: "ATM_RFC1483", LinkRaw: "RAW",
	LinkPPPHDLC: "PPP_HDLC", LinkPPPEthernet: "PPP_ETHER", LinkCHDLC: "C_HDLC", LinkWiFi: "IEEE802_11",
	LinkFrameRelay: "FRELAY", LinkLoop: "LOOP", LinkSLL: "LINUX_SLL", LinkPFLog: "PFLOG",
	LinkPrism: "PRISM_HEADER", LinkARCNETLinux: "ARCNET_LINUX", LinkRadiotap: "IEEE802_11_RADIO",
	LinkAVS: "IEEE802_11_RADIO_AVS", LinkPPPPPPD: "PPP_PPPD", LinkPPI: "PPI", LinkIPv4: "IPV4",
	LinkIPv6: "IPV6", LinkNFLog: "NFLOG", LinkNetlink: "NETLINK", LinkSLL2: "LINUX_SLL2",
	LinkVSock: "VSOCK", LinkUSBLinux: "USB_LINUX", LinkUSBLinuxMmap: "USB_LINUX_MMAPPED",
	LinkUSBPcap: "USBPCAP",
}

// String is the name tcpdump uses, or the number.
func (l LinkType) String() string {
	if s, ok := linkNames[l]; ok {
		return s
	}
	return strconv.Itoa(int(l))
}
