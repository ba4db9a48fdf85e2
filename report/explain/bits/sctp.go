package bits

// maxChunks is how many chunks of a packet are drawn.
const maxChunks = 16

var sctpTable = define("SCTP", "RFC 9260 §3.1",
	field{0, 16, "port.source", "Source Port Number", decimal, ""},
	field{16, 16, "port.destination", "Destination Port Number", decimal, ""},
	field{32, 32, "sctp.tag", "Verification Tag", hex32, ""},
	field{64, 32, "sctp.checksum", "Checksum", hex32, ""})

var chunkTypes = map[uint64]string{0: "DATA", 1: "INIT", 2: "INIT ACK", 3: "SACK", 4: "HEARTBEAT", 5: "HB ACK", 6: "ABORT", 7: "SHUTDOWN",
	8: "SHUT ACK", 9: "ERROR", 10: "COOKIE", 11: "CK ACK", 14: "SHUT DONE", 130: "RE-CONFIG", 192: "FWD TSN"}

var chunkTable = define("SCTP chunk", "RFC 9260 §3.2",
	field{0, 8, "sctp.chunk", "Chunk Type", named(decimal, chunkTypes), ""},
	field{8, 8, "sctp.flags", "Chunk Flags", hex8, ""},
	field{16, 16, "sctp.chunk-length", "Chunk Length", decimal, ""})

var (
	sctpData = define("SCTP chunk", "RFC 9260 §3.3.1",
		field{0, 32, "sctp.tsn", "TSN", decimal, ""},
		field{32, 16, "sctp.stream", "Stream Identifier", decimal, ""},
		field{48, 16, "sctp.stream-sequence", "Stream Sequence Number", decimal, ""},
		field{64, 32, "sctp.payload-protocol", "Payload Protocol Identifier", decimal, ""})
	sctpInit = define("SCTP chunk", "RFC 9260 §3.3.2",
		field{0, 32, "sctp.initiate-tag", "Initiate Tag", hex32, ""},
		field{32, 32, "sctp.window", "Advertised Receiver Window Credit", decimal, ""},
		field{64, 16, "sctp.outbound", "Outbound Streams", decimal, ""},
		field{80, 16, "sctp.inbound", "Inbound Streams", decimal, ""},
		field{96, 32, "sctp.initial-tsn", "Initial TSN", decimal, ""})
	sctpSACK = define("SCTP chunk", "RFC 9260 §3.3.4",
		field{0, 32, "sctp.cumulative", "Cumulative TSN Ack", decimal, ""},
		field{32, 32, "sctp.window", "Advertised Receiver Window Credit", decimal, ""},
		field{64, 16, "sctp.gaps", "Number of Gap Ack Blocks", decimal, ""},
		field{80, 16, "sctp.duplicates", "Number of Duplicate TSNs", decimal, ""})
	sctpShutdown = define("SCTP chunk", "RFC 9260 §3.3.8",
		field{0, 32, "sctp.cumulative", "Cumulative TSN Ack", decimal, ""})
)

var chunkParts = map[byte]*table{0: sctpData, 1: sctpInit, 2: sctpInit, 3: sctpSACK, 7: sctpShutdown}

func sctp(w *walk) step {
	w.begin(sctpTable)
	start := w.pos
	if _, ok := w.add(sctpTable); !ok {
		return nil
	}
	w.checkSCTP(start)
	w.chunks = 0
	return chunk
}

func chunk(w *walk) step {
	if len(w.rest()) == 0 {
		return nil
	}
	if w.chunks++; w.chunks > maxChunks {
		w.note("bits.too-many-chunks", maxChunks)
		return nil
	}
	w.begin(chunkTable)
	start := w.pos
	b, ok := w.add(chunkTable)
	if !ok {
		return nil
	}
	n := int(be16(b[2:]))
	if n < chunkTable.size() {
		w.note("bits.lie.chunk", n)
		return nil
	}
	if part := chunkParts[b[0]]; part != nil && part.size() <= n-chunkTable.size() {
		if _, ok := w.add(part); !ok {
			w.want(start, n)
			return nil
		}
	}
	// The chunk's length leaves the padding out; the last chunk's may be missing.
	padding := min(-n&3, max(0, w.end+w.missing-(start+n)))
	if !w.bytes(start+n-w.pos, "sctp.value", "Chunk Value") || !w.bytes(padding, "option.padding", "Padding") {
		w.want(start, n+padding)
		return nil
	}
	return chunk
}
