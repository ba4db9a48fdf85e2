package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/capture/ring"
	"sockscope/report/explain/bits"
)

// bitsFormats are what a frame can be drawn as; the first is the usual one.
var bitsFormats = []string{"text", "markdown", "html"}

// bits draws the headers of the frame with a number: 1 is the first of the whole input,
// whether or not it passes the filter, as in first_frame of connections. A capture ends when
// the frame has come; its numbers count what the kernel gave.
func (p *program) bits(ctx context.Context, source *sourceFlags, frame uint64, format string, o bits.Options) error {
	if err := source.check(p); err != nil {
		return err
	}
	filter, err := p.newFrameFilter(source.words, source.filter)
	if err != nil {
		return err
	}
	f := &frameFinder{number: frame, filter: filter}
	if source.isLive() {
		return f.listen(ctx, p, source, format, o)
	}
	src, err := pcapfile.Open(ctx, source.files, pcapfile.Config{MaxInput: source.maxInput.value, Stdin: p.stdin})
	if err != nil {
		return source.failed(ctx, err)
	}
	defer src.Close()
	var from capture.Source = src
	if n := source.limit(); n > 0 {
		from = &limited{Source: src, left: n, filter: filter}
	}
	if err := f.find(from); err != nil || ctx.Err() != nil && f.drawing == nil {
		return source.failed(ctx, err)
	}
	r := &reading{stats: src.Stats(), named: source.files, filter: filter}
	if r.unusable() {
		return r.verdict(p)
	}
	return f.present(p, r, format, o)
}

// A frameFinder looks for one frame of a source.
type frameFinder struct {
	number uint64
	filter *frameFilter // nil: all pass

	drawing *bits.Drawing // nil: not found
	seen    uint64        // frames until then
	refused bool          // it is there, and does not pass
}

// listen looks for the frame on interfaces.
func (f *frameFinder) listen(ctx context.Context, p *program, source *sourceFlags, format string, o bits.Options) error {
	s, err := source.openLive(ctx, p, f.filter, "")
	if err != nil {
		return err
	}
	defer s.close()
	f.filter = s.filter
	source.live.announce(p, s.end)
	from := s.src
	if n := source.limit(); n > 0 {
		from = &limited{Source: from, left: n, filter: s.filter, reached: s.end}
	}
	r := &reading{filter: s.filter}
	switch err := f.find(from); {
	case errors.Is(err, ring.ErrGone):
		r.ended = err
	case err != nil:
		return err
	}
	r.stats = s.src.Stats()
	p.captured(r.stats, f.seen)
	return f.present(p, r, format, o)
}

// find reads until the frame has come or the source ends, and takes the frame apart: what is
// drawn of it is a copy.
func (f *frameFinder) find(src capture.Source) error {
	var b capture.Block
	for {
		switch err := src.Next(&b); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		first, n := b.First, uint64(len(b.Frames))
		if n > 0 {
			f.seen = first + n - 1
		}
		if n > 0 && first <= f.number && f.number < first+n {
			frame := b.Frames[f.number-first]
			if f.refused = f.filter != nil && !f.filter.match(&frame); !f.refused {
				frame.Data = slices.Clone(frame.Data)
				f.drawing = bits.Of(&frame, f.number)
			}
			src.Release(&b)
			return nil
		}
		src.Release(&b)
	}
}

// present draws the frame, or says why there is none.
func (f *frameFinder) present(p *program, r *reading, format string, o bits.Options) error {
	if f.drawing != nil {
		return r.present(p, func(w io.Writer) error { return drawFrame(w, f.drawing, format, o) })
	}
	if err := r.verdict(p); r.ended != nil {
		return err
	} // else what is wrong with the inputs may be why
	if f.refused {
		return &failure{exitNotStarted, fmt.Errorf("frame %d does not pass the filter", f.number)}
	}
	return &failure{exitNotStarted, fmt.Errorf("no frame %d: the input has %d", f.number, f.seen)}
}

// drawFrame writes a drawing in a format.
func drawFrame(w io.Writer, d *bits.Drawing, format string, o bits.Options) error {
	switch format {
	case "markdown":
		return d.WriteMarkdown(w, o)
	case "html":
		return d.WriteHTML(w, o)
	}
	return d.WriteText(w, o)
}
