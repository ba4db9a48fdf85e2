package main

import (
	"bytes"
	"testing"
)

// environment is a fake of os.Getenv.
type environment map[string]string

func (e environment) get(name string) string { return e[name] }

func TestUTF8Locale(t *testing.T) {
	tests := []struct {
		name string
		env  environment
		want bool
	}{
		{"nothing set is the locale C", environment{}, false},
		{"C", environment{"LC_ALL": "C"}, false},
		{"C with UTF-8", environment{"LC_ALL": "C.UTF-8"}, true},
		{"without the dash", environment{"LANG": "ko_KR.utf8"}, true},
		{"another character set", environment{"LANG": "ko_KR.EUC-KR"}, false},
		{"LC_ALL before LANG", environment{"LC_ALL": "C", "LANG": "en_US.UTF-8"}, false},
		{"LC_CTYPE before LANG", environment{"LC_CTYPE": "en_US.UTF-8", "LANG": "C"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := utf8Locale(tt.env.get); got != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}

func TestOutputWidthOfAPipe(t *testing.T) {
	tests := []struct {
		name, columns string
		want          int
	}{
		{"fixed without COLUMNS", "", pipeWidth},
		{"COLUMNS", "200", 200},
		{"no number", "wide", pipeWidth},
		{"zero", "0", pipeWidth},
		{"too narrow for a table", "1", minWidth},
		{"wider than any screen", "999999999", 10_000},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env := environment{"COLUMNS": tt.columns}
			if got := outputWidth(&bytes.Buffer{}, env.get); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestCapable(t *testing.T) {
	for name, want := range map[string]bool{"": false, "dumb": false, "xterm": true} {
		if got := capable(environment{"TERM": name}.get); got != want {
			t.Errorf("TERM=%q: %v", name, got)
		}
	}
}
