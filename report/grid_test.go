package report

import (
	"strings"
	"testing"
	"time"
)

func TestGrid(t *testing.T) {
	for name, c := range map[string]struct {
		cells []string // ">" before one that is flush right
		want  string
	}{
		"cells have places":                  {[]string{"a", ">1", "b"}, "a       1 b"},
		"a long cell pushes the next":        {[]string{"abcdefgh", ">1", "b"}, "abcdefgh 1 b"},
		"and they return when there is room": {[]string{"abcdef", ">1", "b"}, "abcdef  1 b"},
		"wide characters take two cells":     {[]string{"정상", ">1", "b"}, "정상    1 b"},
		"the last column is not filled up":   {[]string{"a", "b", "c"}, "a    b    c"},
	} {
		t.Run(name, func(t *testing.T) {
			var g grid
			g.start([]byte("dirty "))
			for _, s := range c.cells {
				if right, ok := strings.CutPrefix(s, ">"); ok {
					g.right([]byte(right), 4)
				} else {
					g.left([]byte(s), 4, "")
				}
			}
			if got := string(g.buf); got != "dirty "+c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestLinesFitTheWidth(t *testing.T) {
	rows := sampleRows()
	var usual []Row // with values as wide as their columns are for
	for _, r := range rows {
		if r.Client.Addr().Is4() && len(r.Service) < 7 && r.Close.String() != "reset-after-fin" && r.Close.String() != "half-close" && protocolName(r.Protocol) != "icmpv6" {
			r.Flags = 0
			usual = append(usual, r)
		}
	}
	for width := 60; width < 200; width++ {
		out := string(writeRows(t, "text", ConnectionOptions{Width: width, Location: time.UTC}, usual))
		for line := range strings.Lines(out) {
			if n := widthOf([]byte(strings.TrimSuffix(line, "\n"))); n > max(width, 65) {
				t.Fatalf("%d cells in a width of %d: %s", n, width, line)
			}
		}
	}
}

func TestColourIsOnlyAskedFor(t *testing.T) {
	for _, columns := range [][]string{nil, {"id", "outcome"}} {
		plain := writeRows(t, "text", ConnectionOptions{Columns: columns}, sampleRows())
		color := writeRows(t, "text", ConnectionOptions{Columns: columns, Color: true}, sampleRows())
		if strings.Contains(string(plain), "\x1b") || !strings.Contains(string(color), colourFailed+"refused"+colourOff) {
			t.Errorf("%s\n%s", plain, color)
		}
		if got := sgr.ReplaceAllString(string(color), ""); got != string(plain) {
			t.Errorf("colour changes the text:\n%s\n%s", plain, got)
		}
	}
}
