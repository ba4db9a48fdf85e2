package explain

import (
	"sockscope/decode"
	"sockscope/decode/flow"
)

// A side is what is known of the numbers of one end of a TCP connection.
type side struct {
	isn     uint32 // its first sequence number, or one less than the first that was seen
	hasISN  bool
	next    uint32 // behind its last byte
	hasNext bool
	ack     uint32 // its highest acknowledgment
	hasAck  bool
	finEnd  uint32 // behind its FIN
	hasFIN  bool
	finDone bool // and the other end has acknowledged it
	window  uint16
	room    uint32 // what that means in bytes, or 0
	hasWin  bool
	asked   bool   // its last segment was a keep-alive
	lastSYN bool   // or a SYN
	upTo    uint32 // before this number nothing is missing at the other end, as far as was seen
	hasUpTo bool

	took   []Sum // its last segments that took sequence numbers, each with what comes behind it: a ring
	places int   // that were put into it
}

// recentSegments is among how many segments of a side a number's origin is looked for: more
// than are under way at once, mostly.
const recentSegments = 512

// origin is the segment behind which a number lies, as a sum; nil when it was not seen.
func (s *side) origin(number uint32) *Sum {
	for i := range len(s.took) {
		if sum := &s.took[(s.places-1-i)%recentSegments]; sum.Total == number {
			found := *sum
			found.ISN, found.HasISN = s.isn, s.hasISN
			return &found
		}
	}
	return nil
}

// take notes a segment of the side that takes sequence numbers.
func (s *side) take(step *Step) {
	sum := Sum{Base: step.Seq, Payload: step.Payload, SYN: step.HasFlags(decode.SYN), FIN: step.HasFlags(decode.FIN), Frame: step.Frame}
	sum.Total = step.end()
	if sum.Total == sum.Base {
		return
	}
	if !s.hasNext || after(sum.Total, s.next) {
		s.next, s.hasNext = sum.Total, true
	}
	if len(s.took) < recentSegments {
		s.took = append(s.took, sum)
	} else {
		s.took[s.places%recentSegments] = sum
	}
	s.places++
}

// end is the sequence number behind the segment.
func (s *Step) end() uint32 {
	end := s.Seq + s.Payload
	if s.HasFlags(decode.SYN) {
		end++
	}
	if s.HasFlags(decode.FIN) {
		end++
	}
	return end
}

// after reports whether sequence number a is later than b (RFC 9293 §3.4).
func after(a, b uint32) bool { return int32(a-b) > 0 }

// segment takes a TCP segment: what the table counted tells what it was.
func (t *trace) segment(step *Step, p *decode.Packet) {
	step.Kind = Segment
	step.Flags, step.Seq, step.Ack, step.Window, step.Options = p.Flags, p.Seq, p.Ack, p.Window, p.Options
	if p.Flags&decode.ACK == 0 {
		step.Ack = 0
	}
	me, peer := &t.sides[0], &t.sides[1]
	if !step.FromClient {
		me, peer = peer, me
	}
	t.counted(step)
	t.numbers(step, me, peer)
	t.windows(step, me, peer)
	t.handshake(step)
	if step.HasFlags(decode.ACK) && peer.hasFIN && !peer.finDone && !after(peer.finEnd, step.Ack) {
		step.Marks |= AcksFIN
		peer.finDone = true
	}
	if peer.asked && !step.Has(KeepAlive) && step.Payload == 0 && step.Flags&(decode.SYN|decode.FIN|decode.RST) == 0 {
		step.Marks |= KeepAliveACK
	}
	peer.asked, me.asked = false, step.Has(KeepAlive)
	if step.HasFlags(decode.ACK) && (!peer.hasUpTo || after(step.Ack, peer.upTo)) {
		peer.upTo, peer.hasUpTo = step.Ack, true
	}
	me.deliver(step)
	const everyday = decode.ACK | decode.PSH | decode.ECE | decode.CWR | decode.AE
	if step.Flags&^everyday == 0 && step.Marks&^(DuplicateACK|Delivers|WindowUpdate) == 0 && step.Before == step.After {
		step.Marks |= Ordinary
	}
	if step.Has(DuplicateACK) {
		if n := t.sent(&t.now, step.FromClient).DupACKs; n == 1 || me.ack != step.Ack {
			step.Marks &^= Ordinary
		}
	}
	if step.HasFlags(decode.ACK) && (!me.hasAck || after(step.Ack, me.ack)) {
		me.ack, me.hasAck = step.Ack, true
	}
	if step.HasFlags(decode.FIN) && !me.hasFIN {
		me.finEnd, me.hasFIN = step.end(), true
	}
	if !step.Has(KeepAlive|Probe) && !step.HasFlags(decode.RST) {
		me.take(step)
	}
}

// deliver marks a step whose data the other end can take right away.
func (s *side) deliver(step *Step) {
	end := step.end()
	if end == step.Seq || s.hasUpTo && (after(step.Seq, s.upTo) || !after(end, s.upTo)) || step.Flags&decode.RST != 0 || step.Has(KeepAlive|Probe) {
		return
	}
	s.upTo, s.hasUpTo = end, true
	if step.Payload > 0 && !step.HasFlags(decode.SYN) {
		step.Marks |= Delivers
	}
}

// counted marks the step by what the table counted.
func (t *trace) counted(step *Step) {
	var was flow.Direction
	if t.was.FirstFrame != 0 {
		was = *t.sent(&t.was, step.FromClient)
	}
	now := t.sent(&t.now, step.FromClient)
	for _, c := range []struct {
		mark     Mark
		was, now uint64
	}{
		{Retransmitted, was.Retransmissions, now.Retransmissions},
		{OutOfOrder, was.OutOfOrder, now.OutOfOrder},
		{DuplicateACK, was.DupACKs, now.DupACKs},
		{KeepAlive, was.KeepAlives, now.KeepAlives},
		{ZeroWindow, was.ZeroWindows, now.ZeroWindows},
	} {
		if c.now > c.was {
			step.Marks |= c.mark
		}
	}
}

// numbers fills in what the step's numbers are made of.
func (t *trace) numbers(step *Step, me, peer *side) {
	offered := &t.sent(&t.now, step.FromClient).Options
	switch {
	case offered.Known:
		me.isn, me.hasISN = offered.ISN, true
	case me.hasISN:
	case step.HasFlags(decode.SYN):
		me.isn, me.hasISN = step.Seq, true
	case step.HasFlags(decode.RST) && step.Seq == 0: // it has no number of its own
	default:
		me.isn, me.hasISN = step.Seq-1, true
	}
	if step.HasFlags(decode.ACK) && !peer.hasISN {
		peer.isn, peer.hasISN = step.Ack-1, true
	}
	if me.hasISN {
		step.RelSeq, step.HasRelSeq = step.Seq-me.isn, true
	}
	if !step.HasFlags(decode.SYN) {
		step.Continues = me.origin(step.Seq)
		if me.hasNext && after(step.Seq, me.next) && !step.HasFlags(decode.RST) {
			step.Marks |= Gap
		}
	}
	if step.HasFlags(decode.ACK) {
		step.Acks = peer.origin(step.Ack)
		if step.Acks == nil && step.HasFlags(decode.SYN) {
			step.Acks = peer.early(step.Ack)
		}
		if peer.hasISN {
			step.RelAck, step.HasRelAck = step.Ack-peer.isn, true
		}
	}
}

// windows marks what the step says of the room that there is.
func (t *trace) windows(step *Step, me, peer *side) {
	control := step.Flags & (decode.SYN | decode.FIN | decode.RST)
	if control == 0 && peer.hasWin && peer.window == 0 && step.Payload == 1 && me.hasNext && step.Seq == me.next {
		step.Marks |= Probe
	}
	if peer.hasWin && peer.window == 0 && step.Has(KeepAlive) { // Linux probes with an old number
		step.Marks = step.Marks&^KeepAlive | Probe
	}
	if step.HasFlags(decode.RST) {
		return
	}
	if me.hasWin && me.window == 0 && step.Window > 0 && control&decode.SYN == 0 {
		step.Marks |= WindowOpens
	}
	step.NewWindow = !me.hasWin || me.window != step.Window
	me.window, me.hasWin = step.Window, true
	from, to := t.sent(&t.now, true).Options, t.sent(&t.now, false).Options
	if !step.HasFlags(decode.SYN) && from.HasScale && to.HasScale {
		scale := from.WindowScale
		if !step.FromClient {
			scale = to.WindowScale
		}
		step.Scaled = uint32(step.Window) << min(scale, 14) // RFC 7323 §2.3
		if me.lastSYN {                                     // the same number means more now
			step.NewWindow = true
		}
	}
	if control == 0 && step.Payload == 0 && !step.Has(Probe|KeepAlive) && me.updates(step) && peer.hasISN && step.Ack-peer.isn > 1 {
		step.Marks |= WindowUpdate
	}
	me.room = step.room()
	me.lastSYN = step.HasFlags(decode.SYN)
}

// updates reports whether a step acknowledges what was acknowledged before, and has more room
// for what comes. After a SYN, whose window has no scale, it may be more only by rounding.
func (s *side) updates(step *Step) bool {
	return s.hasAck && step.Ack == s.ack && !s.lastSYN && s.room > 0 && step.room() > s.room
}

// handshake marks what the step means to it.
func (t *trace) handshake(step *Step) {
	gained := t.now.Flags &^ t.was.Flags
	switch step.Flags & (decode.SYN | decode.ACK | decode.RST) {
	case decode.SYN:
		if step.Payload > 0 {
			step.Marks |= EarlyData
		}
		if t.now.Flags&flow.Simultaneous != 0 {
			step.Marks |= Simultaneous
		}
	case decode.SYN | decode.ACK:
		switch {
		case gained&flow.FastOpen != 0:
			step.Marks |= EarlyDataTaken
		case gained&flow.FastOpenIgnored != 0:
			step.Marks |= EarlyDataLeft
		case step.Acks == nil && t.now.Flags&flow.SYNACKMismatch != 0:
			step.Marks |= Mismatch
		}
		if t.now.Flags&flow.Simultaneous != 0 {
			step.Marks |= Simultaneous
			if t.sent(&t.now, step.FromClient).SYNACKs == 1 { // prescribed, not sent again for want of an answer
				step.Marks &^= Retransmitted
			}
		}
	}
	if step.HasFlags(decode.RST) && t.now.Outcome == flow.Refused && t.was.Outcome != flow.Refused {
		step.Marks |= Refuses
	}
	if t.now.ACKFrame == step.Frame {
		step.Marks |= Handshake
	}
}

// early is the sum of an acknowledgment that takes the side's SYN but not all of its data;
// nil when it does not.
func (s *side) early(ack uint32) *Sum {
	for i := range s.took {
		if syn := &s.took[i]; syn.SYN && ack-syn.Base-1 < syn.Payload {
			return &Sum{Total: ack, Base: syn.Base, Payload: ack - syn.Base - 1, SYN: true, Frame: syn.Frame, ISN: s.isn, HasISN: s.hasISN}
		}
	}
	return nil
}
