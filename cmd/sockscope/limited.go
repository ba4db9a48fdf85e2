package main

import (
	"io"

	"sockscope/capture"
)

// limited is a source that ends after a number of frames that pass a filter.
type limited struct {
	capture.Source
	left    int
	filter  *frameFilter // nil: all pass
	reached func()       // is told once; nil: nobody
}

// Next implements capture.Source.
func (l *limited) Next(b *capture.Block) error {
	if l.left == 0 {
		b.Frames = b.Frames[:0]
		return io.EOF
	}
	if err := l.Source.Next(b); err != nil {
		return err
	}
	for i := range b.Frames {
		if l.filter != nil && !l.filter.match(&b.Frames[i]) {
			continue
		}
		if l.left--; l.left == 0 {
			b.Frames = b.Frames[:i+1]
			if l.reached != nil {
				l.reached()
			}
			break
		}
	}
	return nil
}
