package filter

import (
	"maps"
	"slices"
)

// A word is what a reserved word of the language is in the grammar.
type word uint8

const (
	noWord word = iota
	protocolWord
	directionWord // src, dst, addr1 …
	typeWord      // host, net, port …
	andWord
	orWord
	notWord
	maskWord
	lengthWord    // len
	constantWord  // tcp-syn and other names of numbers
	castWord      // broadcast, multicast
	numberWord    // needs a number: less, greater, ifindex, rnr, srnr
	optionalWord  // may have a number: vlan, mpls, pppoes, geneve
	aloneWord     // inbound, outbound, pppoed
	byteWord      // byte
	nameWord      // needs a name: ifname, ruleset, action
	reasonWord    // reason
	frameTypeWord // type
	subtypeWord   // subtype
	frameDirWord  // dir
	llcWord       // llc
	foreignWord   // of link types that have no decoder here: ATM's and MTP's
)

// words are the reserved words; the string is the canonical one of several.
var words = map[string]struct {
	word  word
	canon string
}{
	"ether": {protocolWord, "ether"}, "link": {protocolWord, "ether"}, "ppp": {protocolWord, "ether"},
	"slip": {protocolWord, "ether"}, "fddi": {protocolWord, "ether"}, "tr": {protocolWord, "ether"},
	"wlan": {protocolWord, "ether"}, "arp": {protocolWord, "arp"}, "rarp": {protocolWord, "rarp"},
	"ip": {protocolWord, "ip"}, "ip6": {protocolWord, "ip6"}, "sctp": {protocolWord, "sctp"},
	"tcp": {protocolWord, "tcp"}, "udp": {protocolWord, "udp"}, "icmp": {protocolWord, "icmp"},
	"icmp6": {protocolWord, "icmp6"}, "igmp": {protocolWord, "igmp"}, "igrp": {protocolWord, "igrp"},
	"pim": {protocolWord, "pim"}, "vrrp": {protocolWord, "vrrp"}, "carp": {protocolWord, "carp"},
	"ah": {protocolWord, "ah"}, "esp": {protocolWord, "esp"}, "radio": {protocolWord, "radio"},
	"atalk": {protocolWord, "atalk"}, "aarp": {protocolWord, "aarp"}, "decnet": {protocolWord, "decnet"},
	"lat": {protocolWord, "lat"}, "sca": {protocolWord, "sca"}, "moprc": {protocolWord, "moprc"},
	"mopdl": {protocolWord, "mopdl"}, "iso": {protocolWord, "iso"}, "esis": {protocolWord, "esis"},
	"es-is": {protocolWord, "esis"}, "isis": {protocolWord, "isis"}, "is-is": {protocolWord, "isis"},
	"l1": {protocolWord, "l1"}, "l2": {protocolWord, "l2"}, "iih": {protocolWord, "iih"},
	"lsp": {protocolWord, "lsp"}, "snp": {protocolWord, "snp"}, "csnp": {protocolWord, "csnp"},
	"psnp": {protocolWord, "psnp"}, "clnp": {protocolWord, "clnp"}, "stp": {protocolWord, "stp"},
	"ipx": {protocolWord, "ipx"}, "netbeui": {protocolWord, "netbeui"},

	"src": {directionWord, "src"}, "dst": {directionWord, "dst"}, "ra": {directionWord, "ra"}, "ta": {directionWord, "ta"},
	"addr1": {directionWord, "addr1"}, "address1": {directionWord, "addr1"},
	"addr2": {directionWord, "addr2"}, "address2": {directionWord, "addr2"},
	"addr3": {directionWord, "addr3"}, "address3": {directionWord, "addr3"},
	"addr4": {directionWord, "addr4"}, "address4": {directionWord, "addr4"},

	"host": {typeWord, "host"}, "net": {typeWord, "net"}, "port": {typeWord, "port"},
	"portrange": {typeWord, "portrange"}, "proto": {typeWord, "proto"}, "protochain": {typeWord, "protochain"},
	"gateway": {typeWord, "gateway"},

	"and": {andWord, "and"}, "or": {orWord, "or"}, "not": {notWord, "not"}, "mask": {maskWord, "mask"},
	"len": {lengthWord, "len"}, "length": {lengthWord, "len"},

	"broadcast": {castWord, "broadcast"}, "multicast": {castWord, "multicast"},
	"less": {numberWord, "less"}, "greater": {numberWord, "greater"}, "ifindex": {numberWord, "ifindex"},
	"rnr": {numberWord, "rnr"}, "rulenum": {numberWord, "rnr"},
	"srnr": {numberWord, "srnr"}, "subrulenum": {numberWord, "srnr"},
	"vlan": {optionalWord, "vlan"}, "mpls": {optionalWord, "mpls"}, "pppoes": {optionalWord, "pppoes"},
	"geneve": {optionalWord, "geneve"}, "pppoed": {aloneWord, "pppoed"},
	"inbound": {aloneWord, "inbound"}, "outbound": {aloneWord, "outbound"}, "byte": {byteWord, "byte"},
	"on": {nameWord, "ifname"}, "ifname": {nameWord, "ifname"},
	"rset": {nameWord, "ruleset"}, "ruleset": {nameWord, "ruleset"},
	"action": {nameWord, "action"}, "reason": {reasonWord, "reason"},
	"type": {frameTypeWord, "type"}, "subtype": {subtypeWord, "subtype"},
	"dir": {frameDirWord, "dir"}, "direction": {frameDirWord, "dir"}, "llc": {llcWord, "llc"},

	"lane": {foreignWord, "lane"}, "metac": {foreignWord, "metac"}, "bcc": {foreignWord, "bcc"},
	"oam": {foreignWord, "oam"}, "oamf4": {foreignWord, "oamf4"}, "oamf4ec": {foreignWord, "oamf4ec"},
	"oamf4sc": {foreignWord, "oamf4sc"}, "sc": {foreignWord, "sc"}, "ilmic": {foreignWord, "ilmic"},
	"vpi": {foreignWord, "vpi"}, "vci": {foreignWord, "vci"},
	"connectmsg": {foreignWord, "connectmsg"}, "metaconnect": {foreignWord, "metaconnect"},
	"fisu": {foreignWord, "fisu"}, "lssu": {foreignWord, "lssu"}, "lsu": {foreignWord, "lssu"}, "msu": {foreignWord, "msu"},
	"hfisu": {foreignWord, "hfisu"}, "hlssu": {foreignWord, "hlssu"}, "hmsu": {foreignWord, "hmsu"},
	"sio": {foreignWord, "sio"}, "opc": {foreignWord, "opc"}, "dpc": {foreignWord, "dpc"}, "sls": {foreignWord, "sls"},
	"hsio": {foreignWord, "hsio"}, "hopc": {foreignWord, "hopc"}, "hdpc": {foreignWord, "hdpc"}, "hsls": {foreignWord, "hsls"},
}

// constants are the names of numbers: offsets of fields and their values.
var constants = map[string]uint32{
	"icmptype": 0, "icmpcode": 1, "icmp6type": 0, "icmp6code": 1, "tcpflags": 13,

	"icmp-echoreply": 0, "icmp-unreach": 3, "icmp-sourcequench": 4, "icmp-redirect": 5, "icmp-echo": 8,
	"icmp-routeradvert": 9, "icmp-routersolicit": 10, "icmp-timxceed": 11, "icmp-paramprob": 12,
	"icmp-tstamp": 13, "icmp-tstampreply": 14, "icmp-ireq": 15, "icmp-ireqreply": 16,
	"icmp-maskreq": 17, "icmp-maskreply": 18,

	"icmp6-destinationunreach": 1, "icmp6-packettoobig": 2, "icmp6-timeexceeded": 3, "icmp6-parameterproblem": 4,
	"icmp6-echo": 128, "icmp6-echoreply": 129, "icmp6-multicastlistenerquery": 130,
	"icmp6-multicastlistenerreportv1": 131, "icmp6-multicastlistenerdone": 132, "icmp6-routersolicit": 133,
	"icmp6-routeradvert": 134, "icmp6-neighborsolicit": 135, "icmp6-neighboradvert": 136, "icmp6-redirect": 137,
	"icmp6-routerrenum": 138, "icmp6-nodeinformationquery": 139, "icmp6-nodeinformationresponse": 140,
	"icmp6-ineighbordiscoverysolicit": 141, "icmp6-ineighbordiscoveryadvert": 142,
	"icmp6-multicastlistenerreportv2": 143, "icmp6-homeagentdiscoveryrequest": 144,
	"icmp6-homeagentdiscoveryreply": 145, "icmp6-mobileprefixsolicit": 146, "icmp6-mobileprefixadvert": 147,
	"icmp6-certpathsolicit": 148, "icmp6-certpathadvert": 149, "icmp6-multicastrouteradvert": 151,
	"icmp6-multicastroutersolicit": 152, "icmp6-multicastrouterterm": 153,

	"tcp-fin": 1, "tcp-syn": 2, "tcp-rst": 4, "tcp-push": 8, "tcp-ack": 16, "tcp-urg": 32, "tcp-ece": 64, "tcp-cwr": 128,
}

// suggestions has what may have been meant by a wrong word, in the order of the
// alphabet.
var suggestions = func() []string {
	var list []string
	for text, w := range words {
		if w.word != foreignWord {
			list = append(list, text)
		}
	}
	return slices.Sorted(slices.Values(slices.AppendSeq(list, maps.Keys(constants))))
}()
