package main

import (
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	tests := []struct {
		name        string
		done, total int64
		elapsed     time.Duration
		width       int
		want        string
	}{
		{"half way", 500e6, 1000e6, time.Second, 79, "[###############................]   50 %  500 MB of 1.00 GB  500 MB/s  ETA 0:01"},
		{"a stream has no end", 1500, 0, time.Second, 79, "1.50 kB  1.50 kB/s"},
		{"no room for a bar", 500e6, 1000e6, time.Second, 30, " 50 %  500 MB of 1.00 GB  500 M"[:30]},
		{"nothing read yet", 0, 10, time.Second, 50, "[..........]    0 %  0 B of 10 B  0 B/s  ETA --:--"},
		{"a file that grew", 20, 10, time.Second, 45, "100 %  20 B of 10 B  20 B/s  ETA 0:00"},
		{"no room at all", 1, 2, time.Second, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := progressLine(tt.done, tt.total, tt.elapsed, tt.width)
			if len(got) > tt.width {
				t.Errorf("%d characters, want at most %d", len(got), tt.width)
			}
			if got != tt.want {
				t.Errorf("\n%q, want\n%q", got, tt.want)
			}
		})
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 B", 999: "999 B", 1000: "1.00 kB", 9_994: "9.99 kB", 9_996: "10.0 kB", 99_960: "100 kB",
		999_499: "999 kB", 999_500: "1.00 MB", 1e12: "1.00 TB", 1<<63 - 1: "9.22 EB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestClockText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0:00", 59 * time.Second: "0:59", 61 * time.Second: "1:01", 3661 * time.Second: "1:01:01", 100 * time.Hour: "100:00:00",
	} {
		if got := clockText(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
