package pcapfile

import "sockscope/capture"

// captureHeader is how many bytes isCaptureHeader looks at.
const captureHeader = 12

// A tail walks what follows the records of a file whose header says where they
// end: another capture, or what programs put there for themselves. In a compressed
// file that is passed to its end, so that damage of the compression is still told.
type tail struct {
	in   *input
	kept *uint64
	none bool // no other capture begins here
}

// walk implements walker.
func (t *tail) walk(data []byte, off int64, eof bool, frames []capture.Frame) ([]capture.Frame, progress) {
	if !t.none && len(data) < captureHeader && !eof {
		return frames, progress{need: captureHeader}
	}
	if !t.none && isCaptureHeader(data) {
		return frames, progress{next: further(t.in, t.kept)}
	}
	t.none = true
	return frames, progress{used: len(data), ended: t.in.plain()}
}
