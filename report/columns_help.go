package report

import "strings"

// A ColumnHelp is a line of explanation: of one column, or of one for each direction or
// side.
type ColumnHelp struct {
	Names   []string
	Meaning string
}

// meanings explains the columns by their names without what tells directions and sides
// apart. Times are the capture clock's, lengths are in bytes.
var meanings = map[string]string{
	"id":           "number of the connection, in the order of first packets; of a capture that goes on, or when memory was short, first_frame",
	"community_id": "Community ID v1 of the innermost tuple, to join other tools' logs",
	"proto":        "tcp, udp, sctp, icmp, icmpv6, or the IP protocol's name",
	"tunnel":       "what the connection is inside of, outermost first",
	"vlan":         "VLAN id of the first packet",
	"interface":    "where its first packet was captured",
	"part_of":      "id of the record that this one goes on from: that was told and forgotten before (evicted, or over)",

	"client_ip":    "address of the client: see role_basis",
	"client_port":  "port of the client",
	"client_range": "of that port: well-known 0-1023, registered to 49151, dynamic",
	"server_ip":    "address of the server",
	"server_port":  "port of the server",
	"server_range": "of that port, likewise",
	"role_basis":   "who is the client, by: syn, syn-ack, payload, registry (one port is registered), range (of ports), first (packet)",

	"service":       "what is spoken: IANA's name where there is one",
	"service_basis": "payload: it proves the service; port: only the number suggests it",
	"server_name":   "TLS server name, HTTP host or DNS question",
	"alpn":          "protocol that the TLS client offered first",

	"outcome":      "what became of the attempt: see the README",
	"failed":       "true: somebody asked for a connection or an answer and got none",
	"flags":        "what was unusual: fast-open, fast-open-ignored, simultaneous, reordered, mptcp, ecn, syn-retransmitted, synack-retransmitted, reused-open, one-way, wrapped (sequence numbers), rst-injected?, zero-window, keep-alive, synack-mismatch",
	"close":        "fin (both sides), half-close (one), reset, reset-after-fin, open (at the end of the input), idle (silent too long, live), evicted (memory was short), never (not established)",
	"closed_by":    "who sent the first FIN or RST",
	"conn_state":   "Zeek's, checksums ignored as under zeek -C",
	"history":      "Zeek's letters, upper case: the client",
	"completeness": "Wireshark's sum of 1 SYN, 2 SYN-ACK, 4 ACK, 8 data, 16 FIN, 32 RST (tshark -2); absent where it shows none",

	"first_frame":   "number of its first frame in the whole input, as Wireshark counts",
	"syn_frame":     "frame of the SYN",
	"synack_frame":  "frame of the SYN-ACK that fits it",
	"ack_frame":     "frame of the ACK that completes the handshake",
	"verdict_frame": "frame that decided otherwise: RST, ICMP error, wrong SYN-ACK",
	"syn_count":     "SYNs of the client, retries included",
	"synack_count":  "SYN-ACKs of the server",
	"syn_waits_ns":  "times between SYNs",
	"icmp_type":     "of the ICMP error that quotes it, or of an ICMP conversation",
	"icmp_code":     "likewise",
	"icmp_from":     "who sent that error",

	"start":       "time of the earliest packet, UTC",
	"duration_ns": "to the latest packet",
	"syn_rtt_ns":  "from the last SYN before it to the SYN-ACK",
	"ack_rtt_ns":  "from the last SYN-ACK before it to the ACK; with syn_rtt_ns Wireshark's iRTT",
	"setup_ns":    "from the first SYN to the ACK: what connect() waited",
	"ambiguous":   "true: after a retransmission syn_rtt_ns or ack_rtt_ns is a guess (Karn)",

	"packets":       "frames",
	"bytes":         "lengths on the wire, link headers included",
	"ip_bytes":      "lengths of the IP packets",
	"payload_bytes": "lengths of transport payload",

	"syn":             "segments with SYN and without ACK",
	"synack":          "segments with SYN and ACK",
	"fin":             "segments with FIN",
	"rst":             "segments with RST",
	"retransmissions": "segments sent again, fast and spurious ones included, as tcp.analysis has them",
	"out_of_order":    "segments that others overtook, likewise",
	"dup_acks":        "duplicate ACKs, likewise",
	"zero_windows":    "announcements of a zero window, likewise",
	"keep_alives":     "keep-alives, likewise",
	"missing_bytes":   "payload that the other side acknowledged and the capture lacks",
	"rtt_min_ns":      "from data to the ACK of them, no retransmissions: the shortest",
	"rtt_p50_ns":      "the median of these (an estimate beyond 14)",
	"rtt_p95_ns":      "95 % are shorter (likewise)",
	"rtt_max_ns":      "the longest",
	"rtt_samples":     "how many there are",

	"mss":            "maximum segment size that the side's SYN or SYN-ACK offers",
	"window_scale":   "shift that it offers",
	"sack_permitted": "whether it permits selective ACKs; absent when cut off",
	"timestamps":     "whether it has timestamps; absent when cut off",
	"isn":            "its initial sequence number",

	"pid":                "number of the process that process_side says, live or as the file carries it (Wireshark, of macOS captures: frame.darwin.process_info.pid)",
	"process":            "its name: up to 15 bytes on Linux (frame.darwin.process_info.pname)",
	"cmdline":            "its command line, as it was then",
	"uid":                "number of the user that it runs as",
	"user":               "that user's name",
	"unit":               "systemd's unit that it belongs to",
	"container":          "id of the container that it runs in",
	"netns":              "inode of the network namespace of its socket",
	"process_side":       "whose process that is: the client's where it is known, else the server's",
	"process_basis":      "exact: the kernel named it for this socket; listener: it listens, another may serve; cgroup: only its control group is known",
	"peer_pid":           "where both ends are of this host: the server's process",
	"peer_process":       "its name",
	"peer_process_basis": "how that is known",
}

// ColumnMeanings explains all columns, in their order.
func ColumnMeanings() []ColumnHelp {
	var lines []ColumnHelp
	at := map[string]int{}
	for i := range vocabulary {
		name := vocabulary[i].name
		meaning, pair := meanings[name], false
		base := name
		for _, suffix := range []string{"_c2s", "_s2c", "_client", "_server"} {
			if b, ok := strings.CutSuffix(name, suffix); ok && meaning == "" {
				base, meaning, pair = b, meanings[b], true
			}
		}
		if line, ok := at[base]; ok && pair {
			lines[line].Names = append(lines[line].Names, name)
			continue
		}
		at[base] = len(lines)
		lines = append(lines, ColumnHelp{Names: []string{name}, Meaning: meaning})
	}
	return lines
}
