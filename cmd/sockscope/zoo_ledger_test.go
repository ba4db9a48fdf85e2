package main

import (
	"path/filepath"
	"testing"

	"sockscope/capture"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
)

// Frames read are counted exactly once: in a connection, or in one of the
// totals. The number and the bytes come from the script, not from the program.
func TestZooLedger(t *testing.T) {
	all := zoo()
	for _, name := range zooFiles() {
		s := all[name]
		t.Run(s.name, func(t *testing.T) {
			var want flow.Volume
			for _, f := range s.record(t).frames {
				want.Add(uint32(len(f.data)))
			}
			res, stats := analyse(t, filepath.Join(testdata, name), flow.Config{})
			checkLedger(t, res, stats, want)
		})
	}
}

// checkLedger compares the sums of a run with the number of frames in its input.
func checkLedger(t *testing.T, res *engine.Result, stats capture.Stats, want flow.Volume) {
	t.Helper()
	totals := &res.Totals
	if got := (flow.Volume{Frames: totals.Frames, Bytes: totals.Bytes}); got != want {
		t.Errorf("read %v, the file has %v", got, want)
	}
	if got := stats.Inputs[0].Frames; got != want.Frames {
		t.Errorf("the input counts %d frames, the file has %d", got, want.Frames)
	}
	// Conversations without ports are counted by protocol, the others together.
	var connections, conversations, portless flow.Volume
	for c := range res.Connections() {
		v := &connections
		if !transport(c) {
			v = &conversations
		}
		v.Frames += c.ToServer.Packets + c.ToClient.Packets
		v.Bytes += c.ToServer.Bytes + c.ToClient.Bytes
	}
	if connections != totals.Connections {
		t.Errorf("connections sum up to %v, the total says %v", connections, totals.Connections)
	}
	portless = totals.ICMP
	for _, v := range totals.OtherIP {
		portless.Frames += v.Frames
		portless.Bytes += v.Bytes
	}
	if conversations != portless {
		t.Errorf("conversations without ports sum up to %v, the totals say %v", conversations, portless)
	}
	sum := connections
	add := func(v flow.Volume) { sum.Frames += v.Frames; sum.Bytes += v.Bytes }
	add(portless)
	add(totals.Fragments)
	add(totals.Filtered)
	for _, v := range totals.Undecoded {
		add(v)
	}
	for _, v := range totals.NonIP {
		add(v)
	}
	for _, v := range totals.UnknownLink {
		add(v)
	}
	if sum != want {
		t.Errorf("counted %v, the file has %v", sum, want)
	}
}
