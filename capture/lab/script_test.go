package lab

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is made from a script has its shape.
func TestMadeHasTheShapeOfItsScript(t *testing.T) {
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			r, err := Make(name)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile("script/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), shape(r)); diff != "" {
				t.Errorf("(-script, +made):\n%s", diff)
			}
			if again, err := Make(name); err != nil || !cmp.Equal(r, again) {
				t.Errorf("made twice, it differs: %v", err)
			}
		})
	}
}

func TestScriptsAndNamesAgree(t *testing.T) {
	files, err := os.ReadDir("script")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, f := range files {
		have = append(have, f.Name()[:len(f.Name())-len(".txt")])
	}
	slices.Sort(have)
	want := Names()
	slices.Sort(want)
	if diff := cmp.Diff(want, have); diff != "" {
		t.Error(diff)
	}
	var wrong *NameError
	if _, err := Make("handshakes"); !errors.As(err, &wrong) {
		t.Errorf("%v for a lab that there is none of", err)
	}
}

func TestLinesThatAreNotUnderstood(t *testing.T) {
	for _, line := range []string{
		"", "nobody socket() = 0", "wait long", "wait -1s", "wait 2h", "- tcp LISTEN a b 0 0", "client ... connect([1]) = 0",
		"frame tcp 192.0.2.1:1 192.0.2.2:80", "frame tcp 192.0.2.1:1 192.0.2.2:80 URG", "frame tcp 192.0.2.1:1 192.0.2.2:80 SYN often",
		"frame tcp 192.0.2.1:1 192.0.2.2:80 SYN win 70000", "frame tcp x 192.0.2.2:80 SYN", "frame tcp 192.0.2.1:1 y SYN", "frame tcp",
		"frame icmp 192.0.2.1 192.0.2.2", "frame icmp 192.0.2.1 192.0.2.2 a/b", "frame ip9 192.0.2.1 192.0.2.2",
		`frame udp 192.0.2.1:1 192.0.2.2:2 data "x`, "frame udp 192.0.2.1:1 192.0.2.2:2 data 2000*a",
	} {
		m := newMaker("")
		if err := m.line(line); err == nil {
			t.Errorf("%q is understood", line)
		}
	}
}
