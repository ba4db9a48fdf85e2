package main

import (
	"testing"
	"time"
)

func TestSize(t *testing.T) {
	tests := []struct {
		name, text string
		want       int64 // 0: refused
		shown      string
	}{
		{"bytes", "1000", 1000, "1000"},
		{"a unit is a factor of 1024", "64K", 64 << 10, "64KiB"},
		{"with its full name", "2TiB", 2 << 40, "2TiB"},
		{"in small letters", "3m", 3 << 20, "3MiB"},
		{"kB is a factor of 1000, as in all outputs", "10kB", 10_000, "10000"},
		{"nothing", "", 0, ""},
		{"only a unit", "M", 0, ""},
		{"zero", "0", 0, ""},
		{"negative", "-1", 0, ""},
		{"a fraction", "1.5G", 0, ""},
		{"more than fits", "9000000P", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &size{value: 7}
			err := s.Set(tt.text)
			if tt.want == 0 {
				if err == nil || s.value != 7 {
					t.Errorf("%q: %d, %v", tt.text, s.value, err)
				}
				return
			}
			if err != nil || s.value != tt.want || s.String() != tt.shown {
				t.Errorf("%q: %d, shown as %q, %v", tt.text, s.value, s, err)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		text string
		want time.Duration // -1: refused
	}{
		{"0", 0}, {"90s", 90 * time.Second}, {"1h30m", 90 * time.Minute}, {"-1s", -1}, {"5", -1}, {"", -1},
	}
	for _, tt := range tests {
		s := &span{}
		if err := s.Set(tt.text); (err != nil) != (tt.want < 0) || err == nil && s.value != tt.want {
			t.Errorf("%q: %v, %v", tt.text, s.value, err)
		}
	}
	if s := (&span{2 * time.Minute}).String(); s != "2m" {
		t.Errorf("2 minutes are shown as %q", s)
	}
}
