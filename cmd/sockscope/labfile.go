package main

import (
	"fmt"

	"sockscope/capture/lab"
	"sockscope/capture/pcapfile"
)

// writeLabFile writes the frames of r to a file, which must not be there yet.
func writeLabFile(p *program, into *folder, name string, r *lab.Record) error {
	src := r.Source()
	encoder := pcapfile.NewEncoder(pcapfile.EncoderConfig{Application: "sockscope", System: systemName(), Stats: src.Stats})
	b := encoder.Begin(nil)
	for i := range r.Frames {
		var err error
		if b, err = encoder.Frame(b, &r.Frames[i], 0); err != nil {
			return err
		}
	}
	b = encoder.End(b, 0)
	f, err := into.create(name)
	if err != nil {
		return notStarted(p, into.in(name), err)
	}
	if _, err = f.Write(b); err != nil {
		err = systemError(err)
		f.discard()
	} else {
		err = f.finish()
	}
	if err != nil {
		return &failure{exitOutput, fmt.Errorf("%s: %s", p.escape(into.in(name)), p.escape(err.Error()))}
	}
	return nil
}
