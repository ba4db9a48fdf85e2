package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"sockscope/capture"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
	"sockscope/report"
)

// minInterval is how often there may be a report at most.
const minInterval = 100 * time.Millisecond

// A series is reports of a capture that goes on, each of all since its beginning. They are
// made and written by a goroutine of their own. While one waits for that, none is begun: a
// slow reader gets fewer of them.
type series struct {
	p       *program
	format  string
	display display
	lines   *wholeLines
	stop    context.CancelFunc // ends the capture
	facts   *facts             // when it has begun

	sofar chan *sofar // what is to be reported; it holds one
	done  chan struct{}
	err   error // the writer's, when it is done
	n     int   // reports written
}

// sofar is all that a report is made of: while it is being found the capture's, and the
// writer's when it is complete.
type sofar struct {
	builder  *report.Builder
	stats    capture.Stats
	totals   flow.Totals
	last     bool
	taken    time.Time     // the moment that it is of
	complete chan struct{} // closed when it is
	dropped  bool          // the capture ended before it was
}

// Open implements engine.View.
func (f *sofar) Open(c *flow.Connection) { f.builder.Add(c) }

// Done implements engine.View.
func (f *sofar) Done(totals *flow.Totals) {
	f.totals = *totals
	close(f.complete)
}

// fresh is how soon behind the last frame the kernel must be asked: what it says later is
// not about these frames.
const fresh = 100 * time.Millisecond

// builders is of how many a report's memory must be enough at once: the one that goes on, and
// clones of which one is being written and one waits; and as much again for what is written.
const builders = 6

// reportSeries captures and writes reports, the last one at the end.
func reportSeries(ctx context.Context, p *program, source *sourceFlags, cfg report.Config, every time.Duration, format string, d display) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	s := &series{p: p, format: format, display: d, lines: &wholeLines{w: p.stdout}, stop: stop,
		sofar: make(chan *sofar, 1), done: make(chan struct{})}
	var src *tapped
	var b *report.Builder
	var latest *sofar
	cfg.Memory = reportMemory(source.memory.bytes(), builders)
	source.beside = builders * cfg.Memory
	source.tap = &tap{
		begin: func(begun *tapped, k *facts) { src, s.facts, b = begun, k, k.builder(cfg) },
		tell:  func(_ flow.Event, c *flow.Connection) { b.Add(c) },
		every: every,
		look: func() engine.View {
			if len(s.sofar) > 0 { // nobody else puts anything there
				return nil
			}
			latest = &sofar{builder: b.Clone(), stats: src.Stats(), taken: time.Now(), complete: make(chan struct{})}
			s.sofar <- latest
			return latest
		},
	}
	go s.write()
	r, err := source.read(ctx, p)
	latest.drop()
	if err != nil {
		close(s.sofar)
		awaitReader(ctx, s.done, s.lines)
		return err
	}
	select {
	case <-s.sofar: // the last one is newer
	default:
	}
	r.add(b)
	r.result.Forget()
	all := &sofar{builder: b, stats: r.stats, last: true, taken: time.Now(), complete: make(chan struct{})}
	all.Done(&r.result.Totals)
	s.sofar <- all
	close(s.sofar)
	if !awaitReader(ctx, s.done, s.lines) {
		return &failure{exitOutput, errors.New("standard output: its reader takes nothing: the last report was not written")}
	}
	if s.err != nil {
		return s.err
	}
	return r.verdict(p)
}

// drop gives f up unless it is complete, when nothing more comes. f may be nil.
func (f *sofar) drop() {
	if f == nil {
		return
	}
	select {
	case <-f.complete:
	default:
		f.dropped = true
		close(f.complete)
	}
}

// write writes what there is to report, until the end or an error, which ends the capture.
func (s *series) write() {
	defer close(s.done)
	for f := range s.sofar {
		if s.err != nil {
			continue
		}
		if s.err = s.report(f); s.err != nil {
			s.stop()
		}
	}
}

// report writes one report.
func (s *series) report(f *sofar) error {
	var host *capture.Host
	if !f.last && s.facts.ask != nil && time.Since(f.taken) < fresh {
		host = s.facts.ask() // while the connections are being added
	}
	<-f.complete
	if f.dropped {
		return nil
	}
	if host != nil {
		f.builder.Ask(host)
	}
	summary := f.builder.Summary(f.stats, &f.totals)
	if err := unbalanced(summary); err != nil {
		return err
	}
	var out bytes.Buffer
	if s.format == "json" {
		if err := writeSummary(oneLine{&out}, summary, s.format, s.display); err != nil {
			return err
		}
		out.WriteByte('\n')
	} else {
		until := "so far"
		if f.last {
			until = "the whole capture"
		}
		if s.n > 0 {
			out.WriteByte('\n')
		}
		fmt.Fprintf(&out, "=== %s: %s ===\n\n", time.Now().In(s.display.location).Format(time.TimeOnly), until)
		if err := writeSummary(&out, summary, s.format, s.display); err != nil {
			return err
		}
	}
	s.n++
	_, err := s.lines.Write(out.Bytes())
	return outputFailure(err)
}

// oneLine writes a JSON document without its line ends, which stand between its parts only.
type oneLine struct{ w io.Writer }

func (l oneLine) Write(b []byte) (int, error) {
	_, err := l.w.Write(bytes.ReplaceAll(b, []byte{'\n'}, nil))
	return len(b), err
}
