package ladder

import (
	"net/netip"
	"strings"
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

const began = capture.Timestamp(1_770_000_000_000_000_000)

func after(d time.Duration) capture.Timestamp { return began + capture.Timestamp(d) }

// made are conversations that no capture of ours has.
func made() map[string]*explain.Conversation {
	return map[string]*explain.Conversation{
		"calls": callsSeen(), "everything": everything(), "times": oddTimes(), "nothing": {Connection: between("192.0.2.1:40000", "192.0.2.2:80")},
	}
}

func between(client, server string) flow.Connection {
	return flow.Connection{
		ID: 7, Protocol: protoTCP, HasPorts: true, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server), First: began,
	}
}

// ends are both ends' states.
func ends(client, server flow.State) explain.Ends {
	return explain.Ends{Client: client, Server: server}
}

// callsSeen is a handshake with the programs' own calls.
func callsSeen() *explain.Conversation {
	const us = time.Microsecond
	start := ends(flow.Closed, flow.Listen)
	sent := ends(flow.SYNSent, flow.Listen)
	answered := ends(flow.SYNSent, flow.SYNReceived)
	open := ends(flow.Established, flow.Established)
	call := func(side flow.Side, at explain.Edge, text string, d time.Duration) explain.Call {
		return explain.Call{Side: side, Text: text, At: at, Time: after(d)}
	}
	return &explain.Conversation{
		Connection: between("192.0.2.1:40000", "192.0.2.2:80"), ClientStart: flow.Closed, ServerStart: flow.Listen,
		Calls: []explain.Call{
			call(flow.ServerSide, explain.Returns, "listen(3, 128) = 0", -900*us),
			call(flow.ServerSide, explain.Starts, "accept4(3, …)", -800*us),
			call(flow.ClientSide, explain.Starts, "connect(4, 192.0.2.2:80)", 0),
			call(flow.ClientSide, explain.Returns, "connect(4, 192.0.2.2:80) = 0", 40*us),
			call(flow.ServerSide, explain.Returns, "accept4(3, 192.0.2.1:40000) = 5", 45*us),
		},
		Before: []explain.Call{{Side: flow.ClientSide, Text: "socket()"}},
		Steps: []explain.Step{
			{Frame: 1, Time: after(0), FromClient: true, Flags: decode.SYN, Seq: 1000, HasRelSeq: true, Before: start, After: sent,
				Calls: []explain.Call{{Side: flow.ClientSide, Text: "connect()", At: explain.Starts}}},
			{Frame: 2, Time: after(15 * us), Flags: decode.SYN | decode.ACK, Seq: 5000, Ack: 1001, HasRelSeq: true, HasRelAck: true, RelAck: 1,
				Acks: &explain.Sum{Total: 1001, Base: 1000, SYN: true, Frame: 1, ISN: 1000, HasISN: true}, Before: sent, After: answered},
			{Frame: 3, Time: after(30 * us), FromClient: true, Flags: decode.ACK, Seq: 1001, Ack: 5001, HasRelSeq: true, HasRelAck: true, RelSeq: 1, RelAck: 1,
				Marks: explain.Handshake, Acks: &explain.Sum{Total: 5001, Base: 5000, SYN: true, Frame: 2, ISN: 5000, HasISN: true}, Before: answered, After: open},
		},
	}
}

// everything has a step of each kind with all marks, long calls and long addresses.
func everything() *explain.Conversation {
	c := &explain.Conversation{
		Connection:  between("[2001:db8:1111:2222:3333:4444:5555:6666]:40000", "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535"),
		ClientStart: flow.SYNReceived, ServerStart: flow.SYNReceived,
	}
	long := strings.Repeat("connect(3, [2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff]:65535) ", 3)
	calls := []explain.Call{
		{Side: flow.ClientSide, Text: long, At: explain.Starts}, {Side: flow.ServerSide, Text: "send()", At: explain.Starts},
		{Side: flow.ClientSide, Text: "connect()", Result: "ECONNREFUSED", At: explain.Returns}, {Side: flow.ServerSide, Text: long, At: explain.Returns},
	}
	c.Before = calls
	all := explain.Ordinary<<1 - 1
	states := ends(flow.SYNReceived, flow.SYNReceived)
	for kind := explain.Segment; kind <= explain.Folded; kind++ {
		for _, fromClient := range []bool{true, false} {
			s := explain.Step{
				Frame: 1 << 40, Time: after(time.Duration(len(c.Steps)) * 40 * time.Hour), FromClient: fromClient, Kind: kind, Marks: all,
				Flags: 0x1ff, Seq: 1<<32 - 1, Ack: 1<<32 - 1, HasRelSeq: true, HasRelAck: true, RelSeq: 1<<32 - 1, RelAck: 1<<32 - 1, Payload: 1<<32 - 1,
				Acks:  &explain.Sum{Total: 1<<32 - 1, Base: 1<<32 - 3, Payload: 1, SYN: true, FIN: true, HasISN: true},
				Calls: calls, ICMP: &explain.Message{Version: 6, Type: 1, Code: 4, From: "2001:db8:1234:5678:9abc:def0:1234:5678"},
				SCTP:   &explain.Chunks{Bits: 1<<15 - 1},
				Before: states, After: ends(flow.SYNSent+flow.State(len(c.Steps)%9), flow.TimeWait-flow.State(len(c.Steps)%9)),
			}
			if kind == explain.Folded {
				s.Run = &explain.Run{LastFrame: 1<<40 + 9, LastTime: s.Time + 1, DupACKs: 1 << 40,
					ToServer: explain.Amount{Segments: 1 << 40, Payload: 1 << 60}, ToClient: explain.Amount{Segments: 1 << 40, Payload: 1 << 60}}
			}
			states = s.After
			c.Steps = append(c.Steps, s)
		}
	}
	return c
}

// oddTimes has times that are not known, are the same, and go back.
func oddTimes() *explain.Conversation {
	c := &explain.Conversation{Connection: between("192.0.2.1:40000", "192.0.2.2:80")}
	for i, when := range []capture.Timestamp{
		capture.Unknown, after(0), after(0), after(time.Second), capture.Unknown, after(2 * time.Second), after(time.Second), after(time.Second + 1), -1 << 62, 1 << 62,
	} {
		c.Steps = append(c.Steps, explain.Step{Frame: uint64(i + 1), Time: when, FromClient: i%2 == 0, Flags: decode.ACK})
	}
	return c
}
