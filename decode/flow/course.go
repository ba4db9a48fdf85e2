package flow

import "sockscope/capture"

// A course is when the segments of a handshake came: frames are 0 and times Unknown of
// those that are not there.
type course struct {
	synFrame, synackFrame, ackFrame, verdictFrame                 uint64
	firstSYN, lastSYN, synBefore, synackTime, lastSYNACK, ackTime capture.Timestamp
	synCount                                                      uint32 // of the client
	synackCount                                                   uint32 // of the server
	synData                                                       uint32 // payload bytes in the client's first SYN
}

// usual is the course of nearly all connections, told from their first packet: that is
// the SYN, when there is one; nothing is sent twice, and the answers come soon. Once
// something is otherwise, a connection has a course of its own, in the rare of its meta.
//
// Numbers are 1 + the distance from the first packet, in frames and in nanoseconds; 0 is
// none.
type usual struct {
	synack, ack, verdict uint32
	synackTime, ackTime  uint32
}

// usualCounts are the numbers of SYNs, 0 or 1, and of SYN-ACKs in a usual course.
type usualCounts uint8

const (
	oneSYN    usualCounts = 1 << 7
	oneSYNACK usualCounts = 1
)

// frameAfter is 1 + the distance of a frame from the first one of h, and ok when it fits.
// 0 is none.
func (h *handshake) frameAfter(frame uint64) (d uint32, ok bool) {
	if frame == 0 {
		return 0, true
	}
	after := frame - h.firstFrame // modulo 2^64, as it is added again
	return uint32(after) + 1, after < 1<<32-1
}

// timeAfter is the same for a time.
func (h *handshake) timeAfter(when capture.Timestamp) (d uint32, ok bool) {
	if !when.Known() {
		return 0, true
	}
	after := uint64(when) - uint64(h.began)
	return uint32(after) + 1, after < 1<<32-1
}

// usualAfter are both distances, and ok when the course of h is a usual one and has room for
// them.
func (t *Table) usualAfter(h *handshake, frame uint64, when capture.Timestamp) (f, d uint32, ok bool) {
	f, fits := h.frameAfter(frame)
	d, ok = h.timeAfter(when)
	return f, d, ok && fits && t.ownCourse(h) == nil
}

// frameAt is the frame at a distance.
func (h *handshake) frameAt(d uint32) uint64 {
	if d == 0 {
		return 0
	}
	return h.firstFrame + uint64(d-1)
}

// timeAt is the time at a distance.
func (h *handshake) timeAt(d uint32) capture.Timestamp {
	if d == 0 {
		return capture.Unknown
	}
	return h.began + capture.Timestamp(d-1)
}

// course is the course of h, whichever way it is kept.
func (t *Table) course(h *handshake) course {
	if own := t.ownCourse(h); own != nil {
		return *own
	}
	u := &h.usual
	w := course{
		synackFrame: h.frameAt(u.synack), ackFrame: h.frameAt(u.ack), verdictFrame: h.frameAt(u.verdict),
		firstSYN: capture.Unknown, lastSYN: capture.Unknown, synBefore: capture.Unknown,
		synackTime: h.timeAt(u.synackTime), ackTime: h.timeAt(u.ackTime),
		synackCount: uint32(h.counts &^ oneSYN),
	}
	w.lastSYNACK = w.synackTime
	if h.counts&oneSYN != 0 {
		w.synFrame, w.firstSYN, w.lastSYN, w.synCount = h.firstFrame, h.began, h.began, 1
		if u.synack != 0 {
			w.synBefore = h.began
		}
	}
	return w
}

// ownCourse is the course of its own that h has, or nil.
func (t *Table) ownCourse(h *handshake) *course {
	if h.rare == 0 {
		return nil
	}
	i := t.rares.at(h.rare - 1).course
	if i == 0 {
		return nil
	}
	return t.courses.at(i - 1)
}

// unusual gives h a course of its own, unless it has one.
func (t *Table) unusual(h *handshake) *course {
	own := t.ownCourse(h)
	if own == nil {
		w := t.course(h)
		var i uint32
		i, own = t.courses.add()
		*own = w
		t.rare(&h.meta).course = i + 1
	}
	return own
}

// setSYN notes the client's first SYN.
func (t *Table) setSYN(h *handshake, frame uint64, when capture.Timestamp, data uint32) {
	if t.ownCourse(h) == nil && frame == h.firstFrame && when == h.began && data == 0 && h.usual.synack == 0 {
		h.counts |= oneSYN
		return
	}
	w := t.unusual(h)
	w.synFrame, w.firstSYN, w.lastSYN = frame, when, when
	w.synCount, w.synData = 1, data
}

// countSYNACK counts a SYN-ACK of the server.
func (t *Table) countSYNACK(h *handshake) {
	if t.ownCourse(h) == nil && h.counts&^oneSYN < oneSYN-1 {
		h.counts += oneSYNACK
		return
	}
	t.unusual(h).synackCount++
}

// setSYNACK notes the server's SYN-ACK.
func (t *Table) setSYNACK(h *handshake, frame uint64, when capture.Timestamp) {
	if f, d, ok := t.usualAfter(h, frame, when); ok {
		h.usual.synack, h.usual.synackTime = f, d
		return
	}
	w := t.unusual(h)
	w.synackFrame, w.synackTime, w.lastSYNACK = frame, when, when
	w.synBefore = w.lastSYN
}

// setACK notes the client's ACK.
func (t *Table) setACK(h *handshake, frame uint64, when capture.Timestamp) {
	if f, d, ok := t.usualAfter(h, frame, when); ok {
		h.usual.ack, h.usual.ackTime = f, d
		return
	}
	w := t.unusual(h)
	w.ackFrame, w.ackTime = frame, when
}

// setVerdict notes the frame that decided; 0 is none.
func (t *Table) setVerdict(h *handshake, frame uint64) {
	if t.ownCourse(h) == nil {
		if f, ok := h.frameAfter(frame); ok {
			h.usual.verdict = f
			return
		}
	}
	t.unusual(h).verdictFrame = frame
}

// hasVerdict reports whether there is a frame that decided.
func (t *Table) hasVerdict(h *handshake) bool {
	if own := t.ownCourse(h); own != nil {
		return own.verdictFrame != 0
	}
	return h.usual.verdict != 0
}

// hasACK reports whether the client's ACK was seen.
func (t *Table) hasACK(h *handshake) bool {
	if own := t.ownCourse(h); own != nil {
		return own.ackFrame != 0
	}
	return h.usual.ack != 0
}

// synCount is the number of the client's SYNs.
func (t *Table) synCount(h *handshake) uint32 {
	if own := t.ownCourse(h); own != nil {
		return own.synCount
	}
	return uint32(h.counts / oneSYN)
}

// synData is the number of payload bytes in the client's first SYN.
func (t *Table) synData(h *handshake) uint32 {
	if own := t.ownCourse(h); own != nil {
		return own.synData
	}
	return 0
}
