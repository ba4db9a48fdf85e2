package ring

import (
	"errors"
	"io"
	"testing"

	"github.com/vishvananda/netlink"
)

func TestDump(t *testing.T) {
	tests := []struct {
		name  string
		errs  []error // of the reads, in order; the last one stays
		want  error
		reads int
	}{
		{"a quiet host is read once", []error{nil}, nil, 1},
		{"an interrupted dump is read again", []error{netlink.ErrDumpInterrupted, nil}, nil, 2},
		{"a dump interrupted each time is incomplete", []error{netlink.ErrDumpInterrupted}, ErrIncomplete, attempts},
		{"another error is final", []error{io.ErrUnexpectedEOF}, io.ErrUnexpectedEOF, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			reads := 0
			list, err := dump(func() ([]int, error) {
				err := tt.errs[min(reads, len(tt.errs)-1)]
				reads++
				return []int{reads}, err
			})
			if !errors.Is(err, tt.want) || reads != tt.reads {
				t.Errorf("error %v after %d reads, want %v after %d", err, reads, tt.want, tt.reads)
			}
			if complete := err == nil || errors.Is(err, ErrIncomplete); complete != (len(list) == 1) {
				t.Errorf("list %v with error %v", list, err)
			}
		})
	}
}
