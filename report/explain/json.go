package explain

import (
	"encoding/json"
	"io"
	"time"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/words"
)

// WriteJSON writes a conversation as one JSON document in one line. Texts are in the
// printer's language; what programs go by (kinds, keys, states, numbers) is in none.
func WriteJSON(w io.Writer, c *Conversation, p *words.Printer) error {
	r := &c.Connection
	d := document{
		ID: r.ID, Protocol: c.protocol(), Client: c.Endpoint(flow.ClientSide), Server: c.Endpoint(flow.ServerSide),
		RoleBasis: r.Role.String(), Outcome: r.Outcome.String(), Close: r.Close.String(),
		Start:  ends{c.ClientStart.String(), c.ServerStart.String()},
		Header: sentences(c.Header, p), Verdict: sentences(c.Verdict, p),
		Steps: make([]stepLine, len(c.Steps)), Calls: callLines(c.Calls), Left: c.Left,
	}
	for i := range c.Steps {
		d.Steps[i] = newStepLine(&c.Steps[i], p)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(&d)
}

// A document is a Conversation as JSON has it.
type document struct {
	ID        uint64     `json:"id"`
	Protocol  string     `json:"protocol"`
	Client    string     `json:"client"`
	Server    string     `json:"server"`
	RoleBasis string     `json:"role_basis"`
	Outcome   string     `json:"outcome"`
	Close     string     `json:"close,omitempty"`
	Start     ends       `json:"start"`
	Header    []sentence `json:"header"`
	Steps     []stepLine `json:"steps"`
	Left      uint64     `json:"left,omitempty"`
	Calls     []callLine `json:"calls,omitempty"`
	Verdict   []sentence `json:"verdict"`
}

type sentence struct {
	Key  string `json:"key"`
	Text string `json:"text"`
	RFC  string `json:"rfc,omitempty"`
}

type ends struct {
	Client string `json:"client,omitempty"`
	Server string `json:"server,omitempty"`
}

type callLine struct {
	Side   string `json:"side"`
	At     string `json:"at"`
	Call   string `json:"call"`
	Result string `json:"result,omitempty"`
	Time   string `json:"time,omitempty"`
}

type sumLine struct {
	Total   uint32 `json:"total"`
	Base    uint32 `json:"base"`
	Payload uint32 `json:"payload"`
	SYN     bool   `json:"syn"`
	FIN     bool   `json:"fin"`
	Frame   uint64 `json:"frame"`
}

type runLine struct {
	LastFrame uint64 `json:"last_frame"`
	ToServer  Amount `json:"to_server"`
	ToClient  Amount `json:"to_client"`
	DupACKs   uint64 `json:"dup_acks"`
}

type stepLine struct {
	Frame   uint64     `json:"frame"`
	Time    string     `json:"time,omitempty"`
	From    string     `json:"from"`
	Kind    string     `json:"kind"`
	Label   string     `json:"label,omitempty"`
	Flags   []string   `json:"flags,omitempty"`
	Seq     *uint32    `json:"seq,omitempty"`
	Ack     *uint32    `json:"ack,omitempty"`
	RelSeq  *uint32    `json:"rel_seq,omitempty"`
	RelAck  *uint32    `json:"rel_ack,omitempty"`
	SeqSum  *sumLine   `json:"seq_sum,omitempty"`
	AckSum  *sumLine   `json:"ack_sum,omitempty"`
	Window  *uint16    `json:"window,omitempty"`
	Payload uint32     `json:"payload"`
	Details []string   `json:"details,omitempty"`
	Before  ends       `json:"before"`
	After   ends       `json:"after"`
	Calls   []callLine `json:"calls,omitempty"`
	Notes   []sentence `json:"notes,omitempty"`
	Run     *runLine   `json:"run,omitempty"`
}

// String is the kind's word in JSON.
func (k Kind) String() string {
	return [...]string{"segment", "datagram", "packet", "icmp", "icmp-error", "fragment", "cut", "folded"}[k]
}

func newStepLine(s *Step, p *words.Printer) stepLine {
	l := stepLine{
		Frame: s.Frame, Time: timeText(s.Time), From: s.Sender().String(), Kind: s.Kind.String(), Label: s.Label(p),
		Payload: s.Payload, Details: s.Details(p), Calls: callLines(s.Calls), Notes: sentences(s.Notes, p),
		Before: ends{s.Before.Client.String(), s.Before.Server.String()}, After: ends{s.After.Client.String(), s.After.Server.String()},
		SeqSum: newSumLine(s.Continues), AckSum: newSumLine(s.Acks),
	}
	if s.Kind == Segment {
		l.Flags, l.Seq, l.Ack, l.Window = FlagNames(s.Flags), &s.Seq, &s.Ack, &s.Window
		if s.HasRelSeq {
			l.RelSeq = &s.RelSeq
		}
		if s.HasRelAck {
			l.RelAck = &s.RelAck
		}
	}
	if r := s.Run; r != nil {
		l.From = ""
		l.Run = &runLine{r.LastFrame, r.ToServer, r.ToClient, r.DupACKs}
	}
	return l
}

func newSumLine(s *Sum) *sumLine {
	if s == nil {
		return nil
	}
	return &sumLine{s.Total, s.Base, s.Payload, s.SYN, s.FIN, s.Frame}
}

func sentences(notes []Note, p *words.Printer) []sentence {
	var all []sentence
	for i := range notes {
		n := &notes[i]
		all = append(all, sentence{n.Key, n.Say(p), n.RFC})
	}
	return all
}

func callLines(calls []Call) []callLine {
	var all []callLine
	for i := range calls {
		c := &calls[i]
		at := "starts"
		if c.At == Returns {
			at = "returns"
		}
		all = append(all, callLine{c.Side.String(), at, report.EscapeText(c.Text), c.Result, timeText(c.Time)})
	}
	return all
}

// timeText is a time in UTC; "" when it is not known.
func timeText(t capture.Timestamp) string {
	if !t.Known() {
		return ""
	}
	return t.Time().Format(time.RFC3339Nano)
}
