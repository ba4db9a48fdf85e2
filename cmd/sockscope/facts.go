package main

import (
	"cmp"
	"context"
	"sync"

	"sockscope/capture"
	"sockscope/capture/process"
	"sockscope/decode/flow"
	"sockscope/report"
)

// Facts are what is known of a source beside its frames. The zero value knows nothing.
type facts struct {
	// owners are the processes of a connection's client and server; nil: the source knows
	// no process.
	owners func(c *flow.Connection) [2]capture.Owner

	// Of a live capture.
	local      *capture.Host        // what the kernel said when it began; nil when it was not asked
	host       *capture.Host        // what it said after the last frame, likewise
	ask        func() *capture.Host // what it says now, nil: nothing; nil when nobody can be asked
	chosen     bool                 // a filter or a direction left frames out
	everywhere bool                 // from all interfaces
}

// builder makes the Builder of a report on the source.
func (k *facts) builder(cfg report.Config) *report.Builder {
	cfg.Owners, cfg.Local = k.owners, cmp.Or(k.local, k.host)
	cfg.Filtered, cfg.AllInterfaces = k.chosen, k.everywhere
	return report.NewBuilder(cfg)
}

// readInto reads the source to its end, and its connections into a Builder: those of a
// capture from interfaces as they end.
func (f *sourceFlags) readInto(ctx context.Context, p *program, cfg report.Config) (*reading, *report.Builder, error) {
	var b *report.Builder
	cfg.Memory = reportMemory(f.memory.bytes(), 1)
	f.beside = cfg.Memory
	if f.isLive() {
		f.tap = &tap{
			begin: func(_ *tapped, k *facts) { b = k.builder(cfg) },
			tell:  func(_ flow.Event, c *flow.Connection) { b.Add(c) },
		}
	}
	owners := &ownersSoFar{}
	f.early = func(stats func() capture.Stats, c *flow.Connection) {
		if b == nil {
			b = (&facts{owners: owners.of}).builder(cfg)
		}
		owners.stats = stats
		b.Add(c)
	}
	r, err := f.read(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	if b == nil {
		b = r.builder(cfg)
	} else if !f.isLive() {
		b.AskForOwners(r.owners) // where the whole file names none, all workers can add what is left
	}
	r.add(b)
	r.result.Forget()
	return r, b, nil
}

// add adds what is left of the connections to b, held against what the kernel said last.
func (r *reading) add(b *report.Builder) {
	if r.host != nil {
		b.Ask(r.host)
	}
	workers := r.result.Workers()
	crew := b.Crew(workers, r.result.Order().Next)
	var others sync.WaitGroup
	for range workers - 1 {
		others.Go(crew.Work)
	}
	crew.Work()
	others.Wait()
	crew.Done()
}

// setRow makes row the record of a connection.
func (k *facts) setRow(row *report.Row, c *flow.Connection) {
	row.Set(c)
	if k.owners != nil {
		row.Owners = k.owners(c)
	}
}

// ownersIn are the owners that a file names for its frames; nil when it names none.
func ownersIn(stats *capture.Stats) func(c *flow.Connection) [2]capture.Owner {
	if len(stats.Owners) == 0 {
		return nil
	}
	return (&ownersSoFar{stats: func() capture.Stats { return *stats }}).of
}

// ownersSoFar are the owners that a file names, while it is read.
type ownersSoFar struct {
	stats func() capture.Stats
	list  []capture.Owner
}

// of are those of a connection's client and server.
func (o *ownersSoFar) of(c *flow.Connection) (owners [2]capture.Owner) {
	for end, i := range c.Owners {
		if int(i) > len(o.list) {
			o.list = o.stats().Owners
		}
		if 0 < i && int(i) <= len(o.list) {
			owners[end] = o.list[i-1]
		}
	}
	return owners
}

// ownersBy are the owners that a watch knows.
func ownersBy(w *process.Watch) func(c *flow.Connection) [2]capture.Owner {
	return func(c *flow.Connection) [2]capture.Owner {
		if !c.HasPorts {
			return [2]capture.Owner{}
		}
		return w.Owners(c.Protocol, c.Client, c.Server, c.First, c.Last)
	}
}
