package decode

import "sockscope/capture"

// Registered link types that need no name outside of this package.
const (
	linkRaw12       capture.LinkType = 12 // LINKTYPE_RAW as most systems' own number, written by old programs
	linkRaw14       capture.LinkType = 14 // likewise OpenBSD's
	linkENC         capture.LinkType = 109
	linkIEEE1394    capture.LinkType = 138
	linkPPPDir      capture.LinkType = 204 // PPP behind a direction byte
	linkCHDLCDir    capture.LinkType = 205
	linkFrameDir    capture.LinkType = 206
	linkMPLS        capture.LinkType = 219
	linkIPNET       capture.LinkType = 226
	linkNetAnalyzer capture.LinkType = 240
	linkNetTransp   capture.LinkType = 241
	linkIPoIB       capture.LinkType = 242
	linkPKTAP       capture.LinkType = 258
	linkMPacket     capture.LinkType = 274
	linkSunATM      capture.LinkType = 123
	linkATM11       capture.LinkType = 11  // ATM_RFC1483 as most systems' own number
	linkCLIP        capture.LinkType = 106 // classical IP over ATM; 16, 18 and 19 are systems' own numbers
	linkCLIP16      capture.LinkType = 16
	linkCLIP18      capture.LinkType = 18
	linkCLIP19      capture.LinkType = 19
	linkCHDLC112    capture.LinkType = 112 // BSD/OS' number
	linkPKTAPUser   capture.LinkType = 149 // where Apple began

	linkJuniperMLPPP    capture.LinkType = 130
	linkJuniperMLFR     capture.LinkType = 131
	linkJuniperGGSN     capture.LinkType = 133
	linkJuniperATM2     capture.LinkType = 135
	linkJuniperATM1     capture.LinkType = 137
	linkJuniperPPPoE    capture.LinkType = 167
	linkJuniperEthernet capture.LinkType = 178
	linkJuniperPPP      capture.LinkType = 179
	linkJuniperFrame    capture.LinkType = 180
	linkJuniperCHDLC    capture.LinkType = 181
	linkJuniperVP       capture.LinkType = 183
)

// first is the header that a frame of the link type starts with.
func first(link capture.LinkType) header {
	switch link {
	case capture.LinkEthernet:
		return ethernetHeader
	case capture.LinkNull, capture.LinkLoop:
		return nullHeader
	case capture.LinkRaw, linkRaw12, linkRaw14:
		return rawHeader
	case capture.LinkIPv4:
		return ipv4Header
	case capture.LinkIPv6:
		return ipv6Header
	case capture.LinkSLL:
		return sllHeader
	case capture.LinkSLL2:
		return sll2Header
	case capture.LinkNFLog:
		return nflogHeader
	case capture.LinkWiFi:
		return wifiHeader
	case capture.LinkRadiotap:
		return radiotapHeader
	case capture.LinkPrism:
		return prismHeader
	case capture.LinkAVS:
		return avsHeader
	case capture.LinkPPI:
		return ppiHeader
	case capture.LinkPPP, capture.LinkPPPHDLC:
		return pppHeader
	case linkPPPDir, capture.LinkPPPPPPD:
		return pppDirectionHeader
	case capture.LinkPPPEthernet:
		return pppoeHeader
	case capture.LinkCHDLC, linkCHDLC112:
		return chdlcHeader
	case linkCHDLCDir:
		return chdlcDirectionHeader
	case capture.LinkFrameRelay:
		return frameRelayHeader
	case linkFrameDir:
		return frameRelayDirectionHeader
	case capture.LinkPFLog:
		return pflogHeader
	case linkENC:
		return encHeader
	case capture.LinkTokenRing:
		return tokenRingHeader
	case capture.LinkFDDI:
		return fddiHeader
	case capture.LinkARCNET:
		return arcnetHeader
	case capture.LinkARCNETLinux:
		return arcnetLinuxHeader
	case capture.LinkATM, linkATM11:
		return llcHeader
	case linkCLIP, linkCLIP16, linkCLIP18, linkCLIP19:
		return clipHeader
	case linkSunATM:
		return sunATMHeader
	case capture.LinkSLIP:
		return slipHeader
	case linkIEEE1394:
		return ieee1394Header
	case linkIPNET:
		return ipnetHeader
	case linkIPoIB:
		return ipoibHeader
	case linkMPLS:
		return mplsHeader
	case linkNetAnalyzer:
		return netAnalyzerHeader
	case linkNetTransp, linkMPacket:
		return preambleHeader
	case linkPKTAP, linkPKTAPUser:
		return pktapHeader
	case linkJuniperEthernet, linkJuniperPPPoE:
		return juniperEthernetHeader
	case linkJuniperPPP:
		return juniperPPPHeader
	case linkJuniperFrame:
		return juniperFrameRelayHeader
	case linkJuniperCHDLC:
		return juniperCHDLCHeader
	case linkJuniperMLPPP, linkJuniperMLFR, linkJuniperGGSN, linkJuniperATM1, linkJuniperATM2, linkJuniperVP:
		return juniperOtherHeader
	case capture.LinkNetlink, capture.LinkVSock, capture.LinkUSBLinux, capture.LinkUSBLinuxMmap, capture.LinkUSBPcap:
		return notNetwork
	}
	return unknownLink
}
