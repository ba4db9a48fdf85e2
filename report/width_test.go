package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	tests := []struct {
		name    string
		in      string
		width   int
		hanging int
		want    []string
	}{
		{"nothing is no line", " ", 10, 0, nil},
		{"what fits stays", "aa bb cc", 8, 0, []string{"aa bb cc"}},
		{"later lines have less room", "aaaa bbbb cccc", 9, 4, []string{"aaaa bbbb", "cccc"}},
		{"a number stays with what it counts", "it took 12.5 ms", 12, 0, []string{"it took", "12.5 ms"}},
		{"several numbers stay together", "x 1 2 3 y", 7, 0, []string{"x", "1 2 3 y"}},
		{"a long word is broken", "ab cdefghij", 4, 0, []string{"ab", "cdef", "ghij"}},
		{"wide characters count two cells", "한국어 서비스", 6, 0, []string{"한국어", "서비스"}},
		{"a combining mark takes no cell", "e\u0301e\u0301e\u0301 x", 5, 0, []string{"e\u0301e\u0301e\u0301 x"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.in, tt.width, tt.hanging)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestShorten(t *testing.T) {
	tests := []struct {
		name  string
		in    string
		width int
		want  string
	}{
		{"what fits stays", "service", 7, "service"},
		{"the mark is within the width", "service", 6, "servi…"},
		{"a wide character is not halved", "한국어", 4, "한…"},
		{"only the mark", "service", 1, "…"},
		{"no room at all", "service", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := shorten(tt.in, tt.width, "…"); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("2 of 20 connections to [2001:db8::1]:443 failed", 40, 2)
	f.Add("서비스 e\u0301 1 2 3", 5, 0)
	f.Fuzz(func(t *testing.T, s string, width, hanging int) {
		width = 2 + max(0, width)%200
		hanging = max(0, hanging) % width
		s = EscapeText(s)
		lines := wrap(s, width, hanging)
		for i, line := range lines {
			room := width
			if i > 0 {
				room = max(1, width-hanging)
			}
			if n := textWidth(line); n > room && room > 1 {
				t.Errorf("line %d takes %d cells of %d: %q", i, n, room, line)
			}
		}
		if diff := cmp.Diff(strings.ReplaceAll(s, " ", ""), strings.ReplaceAll(strings.Join(lines, ""), " ", "")); diff != "" {
			t.Error(diff)
		}
	})
}
