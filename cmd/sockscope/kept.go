package main

import (
	"iter"
	"os"
	"slices"

	"sockscope/capture"
)

// keptMost is how much of the frames of a source that can be read only once is kept, in
// bytes.
const keptMost = 256 << 20

// keptOverhead is what a frame takes beside its data, in bytes.
const keptOverhead = 96

// A kept has the frames of a source that passed the filter, so that they can be looked at
// once more. It belongs to the goroutine that reads the source.
type kept struct {
	numbers []uint64 // of the frames in the whole input
	frames  []capture.Frame
	bytes   int64
	most    int64  // 0: keptMost
	left    uint64 // frames for which there was no room
}

// from is a source whose frames k keeps; src itself when k is nil.
func (k *kept) from(src capture.Source, filter *frameFilter) capture.Source {
	if k == nil {
		return src
	}
	if k.most == 0 {
		k.most = keptMost
	}
	return &keeping{src, k, filter}
}

// all are the frames with their numbers.
func (k *kept) all() iter.Seq2[uint64, *capture.Frame] {
	return func(yield func(uint64, *capture.Frame) bool) {
		for i := range k.frames {
			if !yield(k.numbers[i], &k.frames[i]) {
				return
			}
		}
	}
}

// keep keeps a frame while there is room. What comes after the first frame for which there
// is none is not kept either: a hole would look like a loss.
func (k *kept) keep(number uint64, f *capture.Frame) {
	size := int64(len(f.Data)) + keptOverhead
	if k.left > 0 || k.bytes+size > k.most {
		k.left++
		return
	}
	k.bytes += size
	own := *f
	own.Data = slices.Clone(f.Data)
	k.numbers, k.frames = append(k.numbers, number), append(k.frames, own)
}

// keeping is a source whose frames are kept.
type keeping struct {
	capture.Source
	kept   *kept
	filter *frameFilter // nil: all pass
}

// Next implements capture.Source.
func (s *keeping) Next(b *capture.Block) error {
	if err := s.Source.Next(b); err != nil {
		return err
	}
	for i := range b.Frames {
		if f := &b.Frames[i]; s.filter == nil || s.filter.match(f) {
			s.kept.keep(b.First+uint64(i), f)
		}
	}
	return nil
}

// readableOnce reports whether one of the inputs cannot be read a second time: standard
// input, a named pipe, a device.
func readableOnce(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		if name == "-" {
			return true
		}
		info, err := os.Stat(name)
		return err == nil && !info.IsDir() && !info.Mode().IsRegular()
	})
}
