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

// Whatever the helper sends, no more comes of it than it is long.
func FuzzReadPart(f *testing.F) {
	f.Add(appendLink(appendPart(nil, 3, 1, more), capture.Link{PID: 7, Inode: 8}))
	f.Add(append(appendPart(nil, 3, 1, failed), "why"...))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPart(b)
		links := p.appendLinks(nil)
		if err == nil && headerSize+linkSize*len(links)+len(p.text) != len(b) || err != nil && len(links) > 0 {
			t.Errorf("%d bytes: %d links, %q, %v", len(b), len(links), p.text, err)
		}
		for _, l := range links {
			if l.PID < 0 {
				t.Errorf("PID %d", l.PID)
			}
		}
	})
}
