package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"sockscope/capture"
	"sockscope/capture/lab"
	"sockscope/decode/flow"
	lang "sockscope/report/words"
)

// The JSON document of a lab; what is unknown is left out.
type labJSON struct {
	Lab         string          `json:"lab"`
	Made        bool            `json:"made"` // nothing of it happened
	Calls       []labCall       `json:"calls"`
	Frames      []labPacket     `json:"frames"`
	Tables      []labTable      `json:"tables"`
	Connections []labConnection `json:"connections"`
	Point       string          `json:"point"`
}

type labCall struct {
	End      string `json:"end"`
	Name     string `json:"name"`
	Call     string `json:"call,omitzero"`
	Result   string `json:"result,omitzero"`
	Started  string `json:"started"`
	Returned string `json:"returned,omitzero"`
}

type labPacket struct {
	Frame int    `json:"frame"`
	Time  string `json:"time"`
	From  string `json:"from"` // the end that sent it
	What  string `json:"what"`
}

type labTable struct {
	End     string      `json:"end"`
	Time    string      `json:"time"`
	Sockets []labSocket `json:"sockets"`
}

type labSocket struct {
	Protocol string `json:"proto"`
	State    string `json:"state"`
	Local    string `json:"local"`
	Remote   string `json:"remote"`
	Received int    `json:"unread"`
	Sending  int    `json:"unacked"`
	Inode    uint64 `json:"inode,omitzero"`
}

type labConnection struct {
	Protocol string `json:"proto"`
	Client   string `json:"client"`
	Server   string `json:"server"`
	Outcome  string `json:"outcome"`
	Close    string `json:"close,omitzero"`
	ClosedBy string `json:"closed_by,omitzero"`
}

// labTime is a time for machines.
func labTime(t capture.Timestamp) string {
	if !t.Known() {
		return ""
	}
	return t.Time().Format(time.RFC3339Nano)
}

// writeJSON writes a lab as one document.
func (d *labDocument) writeJSON(w io.Writer, say *lang.Printer) error {
	j := labJSON{Lab: d.Name, Made: d.Made, Calls: []labCall{}, Frames: []labPacket{}, Tables: []labTable{}, Connections: []labConnection{},
		Point: say.Say("lab." + d.Name + ".point")}
	for _, c := range d.Calls {
		j.Calls = append(j.Calls, labCall{c.End, c.Name, c.Text, c.Result, labTime(c.Begin), labTime(c.Done)})
	}
	for i := range d.Frames {
		f := &d.Frames[i]
		from := lab.Client
		if f.Direction == capture.Inbound {
			from = lab.Server
		}
		j.Frames = append(j.Frames, labPacket{i + 1, labTime(f.Time), from, labFrame(f)})
	}
	for _, t := range d.Tables {
		table := labTable{t.End, labTime(t.Time), []labSocket{}}
		for _, s := range t.Sockets {
			table.Sockets = append(table.Sockets, labSocket(s))
		}
		j.Tables = append(j.Tables, table)
	}
	for i := range d.conversations {
		j.Connections = append(j.Connections, newLabConnection(&d.conversations[i].Connection))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(j)
}

func newLabConnection(c *flow.Connection) labConnection {
	j := labConnection{Protocol: protocolWord(c.Protocol), Client: labEndpoint(c, flow.ClientSide), Server: labEndpoint(c, flow.ServerSide),
		Outcome: c.Outcome.String()}
	if c.Close != flow.NoClose {
		j.Close = c.Close.String()
	}
	if c.ClosedBy != flow.Neither {
		j.ClosedBy = c.ClosedBy.String()
	}
	return j
}

// labVerdict is what came of a connection, in the words of the reports.
func labVerdict(c *flow.Connection) string {
	j := newLabConnection(c)
	text := fmt.Sprintf("%s  %s → %s: %s", j.Protocol, j.Client, j.Server, j.Outcome)
	if c.Close == flow.NoClose || c.Close == flow.Never {
		return text
	}
	text += ", " + j.Close
	if j.ClosedBy != "" {
		text += " (" + j.ClosedBy + ")"
	}
	return text
}

// labEndpoint is an end of c, with its port when there are ports.
func labEndpoint(c *flow.Connection, side flow.Side) string {
	end := c.Client
	if side == flow.ServerSide {
		end = c.Server
	}
	if !c.HasPorts {
		return end.Addr().String()
	}
	return end.String()
}

// protocolWord is the name of an IP protocol.
func protocolWord(protocol uint8) string {
	switch protocol {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	}
	return fmt.Sprint("ip ", protocol)
}
