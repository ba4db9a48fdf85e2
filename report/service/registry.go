// Package service knows what ports and payloads say about the service spoken:
// IANA's registry of service names, the port ranges of RFC 6335, and the first
// messages of well-known protocols.
package service

import "sync"

//go:generate go run gen.go

// IP protocol numbers of the transports that have ports.
const (
	protocolTCP     = 6
	protocolUDP     = 17
	protocolDCCP    = 33
	protocolSCTP    = 132
	protocolUDPLite = 136
)

// transportNames are in the order of the bits of rowTransports.
var transportNames = [...]string{"tcp", "udp", "sctp", "dccp"}

// An Entry is what the registry says of a port or a range of ports on one transport.
type Entry struct {
	Name        string // "" where the registry has no service: Description then says "Unassigned", "Reserved" …
	Low, High   uint16
	Transport   string // "tcp", "udp", "sctp", "dccp", or "" where the registry names none
	Description string
}

// transportBit is the bit of rowTransports for an IP protocol number, 0 for a
// protocol without ports. UDP-Lite shares UDP's port numbers (RFC 3828 §6).
func transportBit(protocol uint8) uint8 {
	switch protocol {
	case protocolTCP:
		return 1
	case protocolUDP, protocolUDPLite:
		return 2
	case protocolSCTP:
		return 4
	case protocolDCCP:
		return 8
	}
	return 0
}

// Lookup gives the name that the registry has for a port of a transport (an IP
// protocol number). Where it has several it is the one in use today: "http", not "www".
// It does not allocate.
func Lookup(protocol uint8, port uint16) (name string, ok bool) {
	bit := transportBit(protocol)
	if bit == 0 {
		return "", false
	}
	for i := firstRow(port); i < len(rowLow) && rowLow[i] <= port; i++ {
		t := rowTransports[i]
		if rowName[i] != 0 && (t == 0 || t&bit != 0) {
			return nameOf(i), true
		}
	}
	return "", false
}

// Registered reports whether the registry has a service on a port of a transport.
// Ports that are reserved or unassigned are not registered.
func Registered(protocol uint8, port uint16) bool {
	registeredPorts.Do(fillTransportsOf)
	return transportsOf[port]&transportBit(protocol) != 0
}

// transportsOf has for each port the transports on which Lookup finds a name. Both ports
// of many connections are asked for, so it is made when the first one is.
var (
	transportsOf    [1 << 16]uint8
	registeredPorts sync.Once
)

func fillTransportsOf() {
	for i, n := range rowName {
		if n == 0 {
			continue
		}
		transports := rowTransports[i]
		if transports == 0 {
			transports = 1<<len(transportNames) - 1
		}
		for port := int(rowLow[i]); port <= int(rowHigh[i]); port++ {
			transportsOf[port] |= transports
		}
	}
}

// Entries gives all that the registry says of a port, the services that Lookup
// prefers first. It is empty where the registry has no row: most of the dynamic ports.
func Entries(port uint16) []Entry {
	var entries []Entry
	for i := firstRow(port); i < len(rowLow) && rowLow[i] <= port; i++ {
		entries = appendEntries(entries, i)
	}
	return entries
}

// ByName gives the ports registered for a service name, lowest first, whatever
// the name's case. Names that the registry has as aliases ("www") are found too.
func ByName(name string) []Entry {
	low, high := 1, len(nameEnd)
	for low < high {
		middle := int(uint(low+high) / 2)
		if compareFold(nameNumber(middle), name) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	end := low
	for end < len(nameEnd) && compareFold(nameNumber(end), name) == 0 {
		end++ // names that differ in case only
	}
	if low == end {
		return nil
	}
	var entries []Entry
	for i, n := range rowName {
		if low <= int(n) && int(n) < end {
			entries = appendEntries(entries, i)
		}
	}
	return entries
}

// firstRow is the first row about a port, or one that begins above it.
func firstRow(port uint16) int {
	low, high := 0, len(rowHigh)
	for low < high {
		middle := int(uint(low+high) / 2)
		if rowHigh[middle] < port {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// appendEntries appends one Entry for each transport of row i.
func appendEntries(entries []Entry, i int) []Entry {
	e := Entry{Name: nameOf(i), Low: rowLow[i], High: rowHigh[i], Description: descriptionOf(i)}
	if rowTransports[i] == 0 {
		return append(entries, e)
	}
	for bit, transport := range transportNames {
		if rowTransports[i]&(1<<bit) != 0 {
			e.Transport = transport
			entries = append(entries, e)
		}
	}
	return entries
}

func nameOf(i int) string {
	if rowName[i] == 0 {
		return ""
	}
	return nameNumber(int(rowName[i]))
}

func nameNumber(n int) string { return names[nameEnd[n-1]:nameEnd[n]] }

func descriptionOf(i int) string {
	n := rowDescription[i]
	if n == 0 {
		return ""
	}
	return descriptions[descriptionEnd[n-1]:descriptionEnd[n]]
}

// compareFold compares two names without regard to the case of ASCII letters.
func compareFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if x, y := lower(a[i]), lower(b[i]); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

// equalFold is strings.EqualFold for ASCII: no letter outside of it ever matches.
func equalFold(a, b string) bool { return len(a) == len(b) && compareFold(a, b) == 0 }

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
