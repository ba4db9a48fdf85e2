package report

import (
	"crypto/sha1"
	"encoding/binary"
	"net/netip"
	"strconv"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// A zeekWriter writes rows as Zeek's conn.log in tab-separated values, for
// zeek-cut and all that reads it. Where Zeek's definitions and ours differ:
//
//   - service is there only when the payload proves it, as in Zeek
//   - duration, bytes and history are ours: counted, not taken from sequence numbers
//   - retries are in one record
//   - local_orig, local_resp and tunnel_parents are not known
//   - ICMP conversations are one record for all types: ports 0, as for all
//     protocols without ports
//   - uid is a hash of the connection: the same input has the same uids
//   - #open and #close are the times of the first and the last row, not the clock's
type zeekWriter struct {
	output
	header  bool // still to be written
	trailer bool
	last    capture.Timestamp // newest time of a packet written
}

// zeekFields are the columns of conn.log and their types.
var zeekFields = [...][2]string{
	{"ts", "time"}, {"uid", "string"},
	{"id.orig_h", "addr"}, {"id.orig_p", "port"}, {"id.resp_h", "addr"}, {"id.resp_p", "port"},
	{"proto", "enum"}, {"service", "string"}, {"duration", "interval"},
	{"orig_bytes", "count"}, {"resp_bytes", "count"}, {"conn_state", "string"},
	{"local_orig", "bool"}, {"local_resp", "bool"}, {"missed_bytes", "count"}, {"history", "string"},
	{"orig_pkts", "count"}, {"orig_ip_bytes", "count"}, {"resp_pkts", "count"}, {"resp_ip_bytes", "count"},
	{"tunnel_parents", "set[string]"}, {"ip_proto", "count"},
}

func newZeekWriter(out output, o ConnectionOptions) *zeekWriter {
	w := &zeekWriter{output: out, header: !o.NoHeader, trailer: !o.NoHeader, last: capture.Unknown}
	if w.header && o.Began != 0 {
		w.writeHeader(o.Began)
	}
	return w
}

// Write writes r.
func (w *zeekWriter) Write(r *Row) error {
	if w.header {
		w.writeHeader(r.First)
	}
	w.last = max(w.last, r.Last)

	client, server := zeekPorts(r)
	b := appendZeekTime(w.buf, r.First)
	b = appendUID(append(b, '\t'), &r.Connection)
	b = appendZeekEndpoint(append(b, '\t'), r.Client, client)
	b = appendZeekEndpoint(append(b, '\t'), r.Server, server)
	b = append(append(b, '\t'), zeekProtocol(r.Protocol)...)
	b = append(b, '\t')
	if r.ServiceBasis == "payload" {
		b = w.appendText(b, zeekService(r.Service))
	} else {
		b = append(b, '-')
	}
	b = appendZeekInterval(append(b, '\t'), r.duration())
	b = strconv.AppendUint(append(b, '\t'), r.ToServer.Payload, 10)
	b = strconv.AppendUint(append(b, '\t'), r.ToClient.Payload, 10)
	b = w.appendText(append(b, '\t'), r.ConnState)
	b = append(b, "\t-\t-\t"...) // local_orig, local_resp
	b = strconv.AppendUint(b, r.ToServer.Missing+r.ToClient.Missing, 10)
	b = w.appendText(append(b, '\t'), r.History)
	b = strconv.AppendUint(append(b, '\t'), r.ToServer.Packets, 10)
	b = strconv.AppendUint(append(b, '\t'), r.ToServer.IPBytes, 10)
	b = strconv.AppendUint(append(b, '\t'), r.ToClient.Packets, 10)
	b = strconv.AppendUint(append(b, '\t'), r.ToClient.IPBytes, 10)
	b = append(b, "\t-\t"...) // tunnel_parents
	b = strconv.AppendUint(b, uint64(r.Protocol), 10)
	w.buf = append(b, '\n')
	return w.row()
}

// Close writes the #close line, if rows with a time were written, and flushes.
func (w *zeekWriter) Close() error {
	if w.header {
		w.writeHeader(capture.Unknown)
	}
	if w.trailer && w.last.Known() {
		w.buf = append(w.buf, "#close\t"...)
		w.buf = append(w.last.Time().AppendFormat(w.buf, zeekClock), '\n')
	}
	return w.Flush()
}

// zeekClock is how the lines #open and #close write a time.
const zeekClock = "2006-01-02-15-04-05"

// writeHeader writes the lines before the first row.
func (w *zeekWriter) writeHeader(first capture.Timestamp) {
	w.header = false
	b := append(w.buf, "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"...)
	if first.Known() {
		b = append(b, "#open\t"...)
		b = append(first.Time().AppendFormat(b, zeekClock), '\n')
	}
	for i, line := range [...]string{"#fields", "#types"} {
		b = append(b, line...)
		for _, f := range zeekFields {
			b = append(append(b, '\t'), f[i]...)
		}
		b = append(b, '\n')
	}
	w.buf = b
}

// appendText appends s as Zeek's ASCII writer does: an absent value is "-"; a
// backslash is doubled; all that does not show, and what would read as the marks for
// absent and empty, is written byte by byte as \xNN.
func (w *zeekWriter) appendText(b []byte, s string) []byte {
	switch {
	case s == "":
		return append(b, '-')
	case s == "-":
		return append(b, `\x2d`...)
	case s == "(empty)":
		return append(b, `\x28empty)`...)
	case isPlain(s):
		return append(b, s...)
	}
	for i := 0; i < len(s); {
		r, size := decodeRune(s[i:])
		switch {
		case r == '\\':
			b = append(b, `\\`...)
		case isPlain(s[i:i+size]) || r >= 0x80 && (r != 0xFFFD || size > 1) && visible(r):
			b = append(b, s[i:i+size]...)
		default:
			for _, c := range []byte(s[i : i+size]) {
				b = appendHexByte(b, c)
			}
		}
		i += size
	}
	return b
}

// zeekProtocol is a value of Zeek's enum transport_proto.
func zeekProtocol(protocol uint8) string {
	switch protocol {
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case protoICMP, protoICMPv6:
		return "icmp"
	}
	return "unknown_transport"
}

// zeekService is Zeek's word for a service that IANA names otherwise.
func zeekService(name string) string {
	switch name {
	case "tls", "https":
		return "ssl"
	case "domain":
		return "dns"
	}
	return name
}

// appendZeekTime appends seconds since 1970 with microseconds, or "-".
func appendZeekTime(b []byte, t capture.Timestamp) []byte {
	if !t.Known() {
		return append(b, '-')
	}
	return appendMicroseconds(b, int64(t))
}

// appendZeekInterval appends seconds with microseconds, or "-".
func appendZeekInterval(b []byte, d time.Duration) []byte {
	if d == flow.NoDuration {
		return append(b, '-')
	}
	return appendMicroseconds(b, int64(d))
}

// appendZeekEndpoint appends an address and a port.
func appendZeekEndpoint(b []byte, p netip.AddrPort, port uint16) []byte {
	b, known := appendAddr(b, p)
	if !known {
		b = append(b, '-')
	}
	return strconv.AppendUint(append(b, '\t'), uint64(port), 10)
}

// zeekPorts are what stands in the columns of ports: for ICMP the type and the code,
// as Zeek has it.
func zeekPorts(r *Row) (client, server uint16) {
	if r.IsICMP {
		return uint16(r.Type), uint16(r.Code)
	}
	return r.Client.Port(), r.Server.Port()
}

// appendMicroseconds appends nanoseconds as seconds with six digits after the
// point, cut off toward zero.
func appendMicroseconds(b []byte, ns int64) []byte {
	us := uint64(ns / 1000)
	if ns < 0 {
		b, us = append(b, '-'), -us
	}
	b = strconv.AppendUint(b, us/1e6, 10)
	b = append(b, '.')
	for unit := uint64(1e5); unit > 0; unit /= 10 {
		b = append(b, byte('0'+us/unit%10))
	}
	return b
}

// appendUID appends a connection's uid in the form of Zeek's: C and 17 digits of
// base 62. It is a hash of what makes the connection itself: number, protocol,
// endpoints and start.
func appendUID(b []byte, c *flow.Connection) []byte {
	var message [8 + 8 + 1 + 2*(16+2)]byte
	m := binary.BigEndian.AppendUint64(message[:0], c.ID)
	m = binary.BigEndian.AppendUint64(m, uint64(c.First))
	m = append(m, c.Protocol)
	client, server := c.Client.Addr().As16(), c.Server.Addr().As16()
	m = binary.BigEndian.AppendUint16(append(m, client[:]...), c.Client.Port())
	m = binary.BigEndian.AppendUint16(append(m, server[:]...), c.Server.Port())
	sum := sha1.Sum(m)

	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	b = append(b, 'C')
	high, low := binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])
	for range 9 {
		b = append(b, digits[high%62])
		high /= 62
	}
	for range 8 {
		b = append(b, digits[low%62])
		low /= 62
	}
	return b
}
