package privilege

import (
	"errors"
	"strings"
	"testing"

	"sockscope/capture"
)

func TestReadPart(t *testing.T) {
	whole := appendLink(appendPart(nil, 3, 1, more), capture.Link{PID: 1 << 30, Netns: 1 << 31, Inode: 1 << 40})
	tests := []struct {
		name   string
		packet []byte
		err    error
		links  int
		text   string
	}{
		{"a link", whole, nil, 1, ""},
		{"no link", whole[:headerSize], nil, 0, ""},
		{"a text", append(appendPart(nil, 3, 1, failed), "why"...), nil, 0, "why"},
		{"half a link", whole[:len(whole)-1], errBadMessage, 0, ""},
		{"half a header", whole[:headerSize-1], errBadMessage, 0, ""},
		{"nothing", nil, errBadMessage, 0, ""},
		{"an unknown kind", appendPart(nil, 3, 1, failed+1), errBadMessage, 0, ""},
		{"a packet cut short", append(whole[:headerSize:headerSize], strings.Repeat("x", packetSize)...), errBadMessage, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := readPart(tt.packet)
			links := p.appendLinks(nil)
			if !errors.Is(err, tt.err) || len(links) != tt.links || p.text != tt.text {
				t.Fatalf("%+v, %v, %v", p, links, err)
			}
			for _, l := range links {
				if l != (capture.Link{PID: 1 << 30, Netns: 1 << 31, Inode: 1 << 40}) {
					t.Errorf("%+v", l)
				}
			}
		})
	}
}
