package main

import "testing"

func TestNearest(t *testing.T) {
	views := []string{"report", "connections", "port", "interfaces"}
	tests := []struct {
		name, word string
		valid      []string
		want       string
	}{
		{"the word itself", "port", views, "port"},
		{"two letters swapped", "reprot", views, "report"},
		{"a letter left out", "prt", views, "port"},
		{"a letter too many", "portt", views, "port"},
		{"capital letters", "REPORT", views, "report"},
		{"the beginning of a long word", "conn", views, "connections"},
		{"nothing alike", "xyzzy", views, ""},
		{"two letters are the beginning of too much", "co", views, ""},
		{"flags by their letters, not their dashes", "--xy", []string{"--all", "--utc"}, ""},
		{"a word of bytes that are no text", "\xff\xfe", views, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := nearest(tt.word, tt.valid); got != tt.want {
				t.Errorf("nearest(%q) = %q, want %q", tt.word, got, tt.want)
			}
		})
	}
}

func TestEdits(t *testing.T) {
	tests := []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0},
		{"abc", "acb", 1}, {"abc", "abx", 1}, {"abc", "bc", 1}, {"ca", "abc", 3},
	}
	for _, tt := range tests {
		if got := edits(tt.a, tt.b); got != tt.want {
			t.Errorf("edits(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}
