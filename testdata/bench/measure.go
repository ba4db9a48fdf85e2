package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"time"
)

// A result is what the runs of one program took.
type result struct {
	seconds []float64
	cpu     []float64 // seconds of all cores
	peak    int64     // the largest resident set, in bytes; that of bench itself is its floor
	slow    bool
	absent  string // why there are no runs
}

// median is the middle of what some runs took.
func median(runs []float64) float64 {
	s := slices.Sorted(slices.Values(runs))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// once marks what was run once only.
func (r *result) once() string {
	if r.slow {
		return " (1 run)"
	}
	return ""
}

// measure runs the programs over a capture, by turns.
func (b *bench) measure(file string) []result {
	results := make([]result, len(b.programs))
	for range b.runs {
		for i := range b.programs {
			r := &results[i]
			if r.absent != "" || r.slow {
				continue
			}
			took, used, err := b.once(&b.programs[i], file)
			switch {
			case errors.Is(err, exec.ErrNotFound):
				r.absent = "absent"
			case errors.Is(err, context.DeadlineExceeded):
				r.absent = fmt.Sprintf("more than %v", b.limit)
			case err != nil:
				r.absent = "failed"
				log.Printf("%s: %v", b.programs[i].name, err)
			default:
				r.seconds = append(r.seconds, took.Seconds())
				r.cpu = append(r.cpu, (used.UserTime() + used.SystemTime()).Seconds())
				r.peak = max(r.peak, used.SysUsage().(*syscall.Rusage).Maxrss<<10)
				r.slow = took > b.patience && b.runs > 1
			}
		}
	}
	return results
}

// once runs a program over a capture.
func (b *bench) once(p *program, file string) (time.Duration, *os.ProcessState, error) {
	dir, err := os.MkdirTemp(b.dir, "out")
	if err != nil {
		return 0, nil, err
	}
	defer os.RemoveAll(dir)
	ctx, cancel := context.WithTimeout(context.Background(), b.limit)
	defer cancel()
	args := p.command(file, dir)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = dir
	began := time.Now()
	err = cmd.Run()
	took := time.Since(began)
	return took, cmd.ProcessState, errors.Join(ctx.Err(), err)
}
