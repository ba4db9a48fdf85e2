package bits

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sockscope/report/words"
)

// Each table's fields follow each other without a gap and end with a byte.
func TestTablesHaveNoGaps(t *testing.T) {
	for _, table := range tables {
		at := 0
		for _, f := range table.fields {
			if f.at != at || f.bits <= 0 {
				t.Errorf("%s (%s): %s begins at bit %d, the field before ends at %d", table.name, table.rfc, f.label, f.at, at)
			}
			at = f.at + f.bits
		}
		if at == 0 || at%8 != 0 {
			t.Errorf("%s (%s) ends at bit %d", table.name, table.rfc, at)
		}
		if at/8 != table.size() {
			t.Errorf("%s (%s): %d bytes, want %d", table.name, table.rfc, table.size(), at/8)
		}
		if table.rfc == "" {
			t.Errorf("%s is defined nowhere", table.name)
		}
	}
	if len(tables) < 60 {
		t.Errorf("only %d tables", len(tables))
	}
}

// Every field has a name that fits its cell, a short value that does, and a sentence.
func TestFieldsFit(t *testing.T) {
	for _, table := range tables {
		for _, f := range table.fields {
			width := 2*min(f.bits, rowBits) - 1
			for _, word := range strings.Fields(f.label) {
				if f.bits > 1 && len(word) > width {
					t.Errorf("%s: %q does not fit into %d columns", table.name, word, width)
				}
			}
			if f.bits > 64 {
				continue
			}
			raw := []byte(strings.Repeat("\xff", (f.bits+7)/8))
			if short, _ := f.format.of(value{n: 1<<f.bits - 1, raw: raw}); len(short) > width {
				t.Errorf("%s: %s: %q does not fit into %d columns", table.name, f.label, short, width)
			}
			for _, language := range []words.Language{words.English, words.Korean} {
				if !words.New(language).Has("bits." + f.key) {
					t.Errorf("%s: %s: no sentence bits.%s in %v", table.name, f.label, f.key, language)
				}
			}
		}
	}
}

// The names of option kinds are seen in cells of eight bits.
func TestOptionNamesFit(t *testing.T) {
	for name, set := range map[string]*optionSet{"IPv4": ip4Options, "IPv6": ip6Options, "TCP": tcpOptions, "ND": ndOptions} {
		for kind, o := range set.known {
			f := o.head.fields[0]
			if _, full := f.format.of(value{n: uint64(kind)}); len(full) > 15 || !strings.Contains(full, "(") {
				t.Errorf("%s: kind %d is %q", name, kind, full)
			}
		}
	}
}

func TestBitsAt(t *testing.T) {
	for _, test := range []struct {
		name     string
		at, bits int
		want     uint64
	}{
		{"a byte", 0, 8, 0x12}, {"half of one", 4, 4, 2}, {"one bit", 3, 1, 1}, {"across bytes", 4, 8, 0x23},
		{"all", 0, 64, 0x123456789abcdef0}, {"none", 5, 0, 0},
	} {
		if got := bitsAt([]byte{0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0}, test.at, test.bits); got != test.want {
			t.Errorf("%s: %#x, want %#x", test.name, got, test.want)
		}
	}
}

// Every sentence of the catalogue is said somewhere.
func TestNoSentenceIsLeftOver(t *testing.T) {
	var source strings.Builder
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	catalogue, err := os.ReadFile("../../words/en/bits.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(catalogue)) {
		key, _, ok := strings.Cut(line, ":")
		if key, _, _ = strings.Cut(key, "#"); !ok || key == "" || line[0] == ' ' {
			continue
		}
		n++
		if !strings.Contains(source.String(), `"`+key+`"`) && !strings.Contains(source.String(), `"`+strings.TrimPrefix(key, "bits.")+`"`) {
			t.Errorf("nobody says %s", key)
		}
	}
	if n < 200 {
		t.Errorf("only %d sentences", n)
	}
}
