package main

import (
	"encoding/json"
	"io"

	"sockscope/capture"
	"sockscope/report"
)

// The documents of the view "sockets". What is unknown is left out.
type (
	socketsDocument struct {
		Ephemeral  *portBounds      `json:"ephemeral_range,omitzero"`
		Netns      uint32           `json:"netns,omitzero"`
		Hidden     string           `json:"hidden,omitzero"` // why not all processes are known
		Incomplete []string         `json:"incomplete,omitzero"`
		Holders    []holderDocument `json:"holders"`
	}
	holderDocument struct {
		Held    string         `json:"held_by"` // "process", "kernel", "hidden", "unknown"
		Netns   uint32         `json:"netns,omitzero"`
		Process *ownerDocument `json:"process,omitzero"`
		Sharing []portOwner    `json:"shared_with,omitzero"`
		Ports   []doorDocument `json:"ports"`
	}
	ownerDocument struct {
		PID       int    `json:"pid"`
		Name      string `json:"process,omitzero"`
		Command   string `json:"command,omitzero"`
		UID       uint32 `json:"uid"`
		User      string `json:"user,omitzero"`
		Unit      string `json:"unit,omitzero"`
		Container string `json:"container,omitzero"`
	}
	doorDocument struct {
		Type      string           `json:"type"`
		Protocol  string           `json:"proto,omitzero"`
		Port      uint16           `json:"port,omitzero"` // of TCP, UDP and the like; ICMP's identifier
		EtherType uint16           `json:"ethertype,omitzero"`
		Service   string           `json:"service,omitzero"` // by the port alone
		Ephemeral bool             `json:"ephemeral,omitzero"`
		Waiting   int              `json:"waiting"` // sockets without a peer: TCP's listen
		Connected int              `json:"connected"`
		Unused    int              `json:"unused,omitzero"` // neither: bound only
		Sockets   []socketDocument `json:"sockets"`
	}
	socketDocument struct {
		State       string      `json:"state,omitzero"` // RFC 9293's; else "connected" or "unconnected"
		LocalIP     string      `json:"local_ip,omitzero"`
		LocalPort   uint16      `json:"local_port,omitzero"`
		RemoteIP    string      `json:"remote_ip,omitzero"`
		RemotePort  uint16      `json:"remote_port,omitzero"`
		Family      string      `json:"family,omitzero"`
		Only6       bool        `json:"ipv6_only,omitzero"`
		Interface   string      `json:"interface,omitzero"`
		UID         uint32      `json:"uid"`
		Inode       uint64      `json:"inode,omitzero"`
		Receive     uint32      `json:"receive_queue"`
		Send        uint32      `json:"send_queue"`
		Processes   []portOwner `json:"processes,omitzero"`
		Unavailable string      `json:"processes_unavailable,omitzero"`
	}
	socketLine struct { // ndjson: a socket and where it stands
		Held      string `json:"held_by"`
		Netns     uint32 `json:"netns,omitzero"`
		PID       int    `json:"pid,omitzero"`
		Process   string `json:"process,omitzero"`
		User      string `json:"user,omitzero"`
		Type      string `json:"type"`
		Protocol  string `json:"proto,omitzero"`
		EtherType uint16 `json:"ethertype,omitzero"`
		Service   string `json:"service,omitzero"`
		Ephemeral bool   `json:"ephemeral,omitzero"`
		socketDocument
	}
)

// writeSocketsJSON writes t as one JSON document.
func writeSocketsJSON(w io.Writer, t *socketTree) error {
	doc := socketsDocument{Netns: t.host.Netns, Hidden: report.EscapeText(t.host.Hidden), Holders: []holderDocument{}}
	if t.host.EphemeralHigh > 0 {
		doc.Ephemeral = &portBounds{t.host.EphemeralLow, t.host.EphemeralHigh}
	}
	for _, why := range t.host.Incomplete {
		doc.Incomplete = append(doc.Incomplete, report.EscapeText(why))
	}
	for _, h := range t.holders {
		doc.Holders = append(doc.Holders, documentOf(t.host, h))
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(doc)
}

// netnsOf is the inode of a socket's network namespace; 0 when it is not known.
func netnsOf(host *capture.Host, netns uint32) uint32 {
	if netns == 0 {
		return host.Netns
	}
	return netns
}

func documentOf(host *capture.Host, h *holder) holderDocument {
	doc := holderDocument{Held: h.holding.String(), Netns: netnsOf(host, h.netns)}
	if p := h.process; p != nil {
		doc.Process = &ownerDocument{p.PID, report.EscapeText(p.Name), report.EscapeText(p.Command), p.UID,
			report.EscapeText(p.User), report.EscapeText(p.Unit), report.EscapeText(p.Container)}
	}
	for _, p := range h.sharing {
		doc.Sharing = append(doc.Sharing, portOwner{p.PID, report.EscapeText(p.Name)})
	}
	for _, d := range h.doors {
		dd := doorDocument{Type: d.kind.String(), Protocol: d.protocolName(), Service: d.service(), Ephemeral: d.lent,
			Waiting: d.waiting, Connected: d.connected, Unused: d.unused}
		switch {
		case d.kind <= capture.Datagram:
			dd.Port = d.number
		case d.kind == capture.Packet:
			dd.EtherType = d.number
		}
		for _, s := range d.sockets {
			dd.Sockets = append(dd.Sockets, documentOfSocket(s))
		}
		doc.Ports = append(doc.Ports, dd)
	}
	return doc
}

// protocolName is that of d's sockets; "" for those below IP.
func (d *door) protocolName() string {
	if d.kind == capture.Packet {
		return ""
	}
	return protocolName(d.protocol)
}

// service is what d's number stands for; "" where it was lent.
func (d *door) service() string {
	if d.kind > capture.Datagram || d.waiting == 0 {
		return ""
	}
	name, _ := portName(d.protocol, d.number)
	return name
}

func documentOfSocket(s *capture.Socket) socketDocument {
	doc := socketDocument{UID: s.UID, Inode: s.Inode, Receive: s.ReceiveQueue, Send: s.SendQueue, Only6: s.Only6,
		Interface: report.EscapeText(s.Interface), Unavailable: report.EscapeText(s.Unavailable)}
	if s.Type != capture.Packet {
		doc.State, doc.Family = stateOf(s), "ipv4"
		if s.IPv6 {
			doc.Family = "ipv6"
		}
	}
	if s.Local.IsValid() {
		doc.LocalIP, doc.LocalPort = s.Local.Addr().String(), s.Local.Port()
	}
	if s.Remote.IsValid() {
		doc.RemoteIP, doc.RemotePort = s.Remote.Addr().String(), s.Remote.Port()
	}
	for _, o := range s.Owners {
		doc.Processes = append(doc.Processes, portOwner{o.PID, report.EscapeText(o.Name)})
	}
	return doc
}

// writeSocketsLines writes each socket of t as a JSON document in a line.
func writeSocketsLines(w io.Writer, t *socketTree) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, h := range t.holders {
		for _, d := range h.doors {
			line := socketLine{Held: h.holding.String(), Netns: netnsOf(t.host, h.netns), Type: d.kind.String(), Protocol: d.protocolName(),
				Service: d.service(), Ephemeral: d.lent}
			if d.kind == capture.Packet {
				line.EtherType = d.number
			}
			if p := h.process; p != nil {
				line.PID, line.Process, line.User = p.PID, report.EscapeText(p.Name), report.EscapeText(p.User)
			}
			for _, s := range d.sockets {
				line.socketDocument = documentOfSocket(s)
				if err := e.Encode(line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
