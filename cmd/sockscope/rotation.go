package main

import (
	"context"
	"time"

	"sockscope/capture"
)

// turn ends the file when f belongs into another one. It reports whether f is wanted at all.
func (r *dump) turn(f *capture.Frame) bool {
	switch {
	case r.name == "":
	case f.Time.Known() && r.names.over(f.Time.Time()):
		r.finishPeriod()
	case r.names.full(r.size):
		r.finishFile()
	}
	return !r.stopped
}

// finishPeriod ends the file and the period.
func (r *dump) finishPeriod() {
	if r.name == "" || !r.finishFile() {
		return
	}
	r.names.end()
	if r.names.enough() {
		r.stopped = true
		if r.end != nil {
			r.end()
		}
	}
}

// finishFile ends the file, unless there is no room even for that. The next frame begins
// another one.
func (r *dump) finishFile() bool {
	if !r.ready && !r.reserve(context.Background()) {
		return false
	}
	before := len(r.chunk.data)
	r.chunk.data = r.encoder.End(r.chunk.data, r.lost)
	r.grown(before)
	r.lost = 0
	r.chunk.ends = true
	r.hand()
	r.name = ""
	return true
}

// another begins the file that f is the first frame of.
func (r *dump) another(f *capture.Frame) bool {
	now := time.Now()
	if f.Time.Known() {
		now = f.Time.Time()
	}
	var name string
	var err error
	switch {
	case !r.begun:
		r.begin(now)
		return r.begun
	case r.names.ended:
		name, err = r.names.period(now)
	default:
		name, err = r.names.next()
	}
	if err != nil {
		r.packets++
		r.fail(err)
		return false
	}
	r.open(name)
	return true
}

// open begins a file in the chunk.
func (r *dump) open(name string) {
	if !r.ready {
		r.reserve(context.Background())
	}
	r.name, r.size = name, 0
	r.chunk.begins = name
	before := len(r.chunk.data)
	r.chunk.data = r.encoder.Begin(r.chunk.data)
	r.grown(before)
}
