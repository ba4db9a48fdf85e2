package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode/engine"
)

// The owners that a capture finds are those of the connections in its file.
func TestOwnersGoThroughAFile(t *testing.T) {
	const syn, ack = 2, 16
	client := capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{PID: 5, Name: "client", Command: "client --once"}}
	server := capture.Owner{Basis: capture.BasisListener, Process: &capture.Process{PID: 6, Name: "server", HasUID: true, Unit: "server.service"}}
	reply := segmentFrame(6e9, capture.Inbound, 80, 4000, syn|ack)
	reply.Direction = capture.NoDirection
	frames := []capture.Frame{
		segmentFrame(1e9, capture.Inbound, 9, 80, syn), segmentFrame(2e9, capture.Outbound, 80, 9, syn|ack), segmentFrame(3e9, capture.Inbound, 9, 80, ack),
		segmentFrame(4e9, capture.Outbound, 4000, 9, syn),
		segmentFrame(5e9, capture.NoDirection, 4000, 80, syn), reply,
		segmentFrame(7e9, capture.Outbound, 7, 7, syn),
	}
	src := attribute(&oneBlock{frames: frames}, &fakeAttributor{ports: map[uint16]capture.Owner{4000: client, 80: server}}, nil)
	var out bytes.Buffer
	encoder := pcapfile.NewEncoder(pcapfile.EncoderConfig{Stats: src.Stats})
	d := &dump{src: src, encoder: encoder, saver: newSaver(encoder, nil, &out)}
	d.begin(time.Now())
	if err := d.run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := d.close(); err != nil || d.unsaved() != 0 {
		t.Fatalf("%d unsaved, %v", d.unsaved(), err)
	}

	in, err := pcapfile.Open(context.Background(), []string{"-"}, pcapfile.Config{Stdin: &out})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	result, err := engine.Run(context.Background(), in, engine.Config{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	owners := in.Stats().Owners
	var got [][2]capture.Owner
	for c := range result.Connections() {
		var ends [2]capture.Owner
		for i, o := range c.Owners {
			if o != 0 {
				ends[i] = owners[o-1]
			}
		}
		got = append(got, ends)
	}
	want := [][2]capture.Owner{{{}, server}, {client, {}}, {client, server}, {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("owners of client and server (-want +got):\n%s", diff)
	}
}
