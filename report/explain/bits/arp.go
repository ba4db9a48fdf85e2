package bits

var arpOperations = named(decimal, map[uint64]string{1: "request", 2: "reply", 3: "RARP request", 4: "RARP reply", 8: "InARP request", 9: "InARP reply"})

var arpTable = define("ARP", "RFC 826",
	field{0, 16, "arp.hardware", "Hardware Type", hardwareTypes, ""},
	field{16, 16, "arp.protocol", "Protocol Type", etherType, ""},
	field{32, 8, "arp.hardware-length", "HLEN", decimal, ""},
	field{40, 8, "arp.protocol-length", "PLEN", decimal, ""},
	field{48, 16, "arp.operation", "Operation", arpOperations, ""})

// arpAddresses is what follows where hardware addresses have 6 bytes and protocol addresses 4.
var arpAddresses = define("ARP", "RFC 826",
	field{0, 48, "arp.sender-hardware", "Sender Hardware Address", hardware, ""},
	field{48, 32, "arp.sender-protocol", "Sender Protocol Address", ipv4, ""},
	field{80, 48, "arp.target-hardware", "Target Hardware Address", hardware, ""},
	field{128, 32, "arp.target-protocol", "Target Protocol Address", ipv4, ""})

func arp(w *walk) step {
	w.begin(arpTable)
	b, ok := w.add(arpTable)
	if !ok {
		return nil
	}
	hardware, protocol := int(b[4]), int(b[5])
	if hardware == 6 && protocol == 4 {
		_, ok = w.add(arpAddresses)
	} else {
		ok = w.bytes(hardware, "arp.sender-hardware", "Sender Hardware Address") &&
			w.bytes(protocol, "arp.sender-protocol", "Sender Protocol Address") &&
			w.bytes(hardware, "arp.target-hardware", "Target Hardware Address") &&
			w.bytes(protocol, "arp.target-protocol", "Target Protocol Address")
	}
	if ok {
		w.enclose(0, "") // what follows is the link's
	}
	return nil
}
