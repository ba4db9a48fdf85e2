package report

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestEscapeText(t *testing.T) {
	for name, c := range map[string]struct{ in, want, ascii string }{
		"printable ASCII stays":                {"GET /a?b=c~", "GET /a?b=c~", "GET /a?b=c~"},
		"nothing stays nothing":                {"", "", ""},
		"a backslash is doubled":               {`\x1b`, `\\x1b`, `\\x1b`},
		"C0 and DEL are bytes":                 {"a\x1b[31m\n\t\x00\x7f", `a\x1b[31m\x0a\x09\x00\x7f`, `a\x1b[31m\x0a\x09\x00\x7f`},
		"C1 as a rune":                         {"\u009b31m", `\u{9b}31m`, `\u{9b}31m`},
		"C1 as a raw byte":                     {"\x9b31m", `\x9b31m`, `\x9b31m`},
		"bytes that are not UTF-8":             {"\xff\xc3(\xe2\x82", `\xff\xc3(\xe2\x82`, `\xff\xc3(\xe2\x82`},
		"a surrogate is not UTF-8":             {"\xed\xa0\x80", `\xed\xa0\x80`, `\xed\xa0\x80`},
		"U+FFFD itself is a rune":              {"\ufffd", "\ufffd", `\u{fffd}`},
		"Hangul, Han, kana, emoji stay":        {"정상 漢字 かな 🙂", "정상 漢字 かな 🙂", `\u{c815}\u{c0c1} \u{6f22}\u{5b57} \u{304b}\u{306a} \u{1f642}`},
		"emoji style stays":                    {"❤\ufe0f", "❤\ufe0f", `\u{2764}\u{fe0f}`},
		"combining marks stay on their letter": {"e\u0301", "e\u0301", `e\u{301}`},
		"a first combining mark has none":      {"\u0301e", `\u{301}e`, `\u{301}e`},
		"bidirectional controls":               {"\u202e\u2066\u200f\u061c", `\u{202e}\u{2066}\u{200f}\u{61c}`, `\u{202e}\u{2066}\u{200f}\u{61c}`},
		"zero width":                           {"\u200b\u200d\ufeff\u2060", `\u{200b}\u{200d}\u{feff}\u{2060}`, `\u{200b}\u{200d}\u{feff}\u{2060}`},
		"line and paragraph separators":        {"\u2028\u2029", `\u{2028}\u{2029}`, `\u{2028}\u{2029}`},
		"blanks other than U+0020":             {"\u00a0\u3000\u2003", `\u{a0}\u{3000}\u{2003}`, `\u{a0}\u{3000}\u{2003}`},
		"fillers that look like blanks":        {"\u3164\u115f\u2800\u034f", `\u{3164}\u{115f}\u{2800}\u{34f}`, `\u{3164}\u{115f}\u{2800}\u{34f}`},
		"tags and selectors that hide text":    {"\U000e0041\U000e0101", `\u{e0041}\u{e0101}`, `\u{e0041}\u{e0101}`},
		"private use and unassigned":           {"\ue000\U0010ffff\u0378", `\u{e000}\u{10ffff}\u{378}`, `\u{e000}\u{10ffff}\u{378}`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := EscapeText(c.in); got != c.want {
				t.Errorf("EscapeText(%q) = %s, want %s", c.in, got, c.want)
			}
			if got := EscapeASCII(c.in); got != c.ascii {
				t.Errorf("EscapeASCII(%q) = %s, want %s", c.in, got, c.ascii)
			}
		})
	}
}

func TestEscapeCell(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@A1": "'@A1", "＝1": "'＝1", "'=1": "''=1",
		"\t=1": `'\x09=1`, "\r=1": `'\x0d=1`, "a=1": "a=1", "1-1": "1-1", "": "", "정상": "정상",
	} {
		if got := escapeCell(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
		out := string(appendCSVText(nil, in))
		if got := strings.Trim(out, `"`); got != want {
			t.Errorf("%q as a CSV cell: %s, want %s", in, got, want)
		}
	}
}

// unescape undoes EscapeText and EscapeASCII.
func unescape(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		switch {
		case strings.HasPrefix(s, `\\`):
			b.WriteByte('\\')
			s = s[2:]
		case strings.HasPrefix(s, `\x`):
			n, _ := strconv.ParseUint(s[2:4], 16, 8)
			b.WriteByte(byte(n))
			s = s[4:]
		case strings.HasPrefix(s, `\u{`):
			digits, rest, _ := strings.Cut(s[3:], "}")
			n, _ := strconv.ParseUint(digits, 16, 32)
			b.WriteRune(rune(n))
			s = rest
		default:
			b.WriteByte(s[0])
			s = s[1:]
		}
	}
	return b.String()
}

func FuzzEscapeText(f *testing.F) {
	for _, s := range hostileTexts {
		if len(s) < 200 {
			f.Add(s)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		escaped, ascii := EscapeText(s), EscapeASCII(s)
		sound(t, []byte(escaped), "")
		if !isPlainASCII([]byte(ascii)) {
			t.Errorf("not ASCII: %q", ascii)
		}
		if got := unescape(escaped); got != s {
			t.Errorf("EscapeText(%q) is undone to %q", s, got)
		}
		if got := unescape(ascii); got != s {
			t.Errorf("EscapeASCII(%q) is undone to %q", s, got)
		}
		if EscapeText(escaped) != escaped && !strings.Contains(escaped, `\`) {
			t.Errorf("%q is escaped twice", escaped)
		}
		if cell := escapeCell(s); cell != escaped && cell != "'"+escaped {
			t.Errorf("cell %q", cell)
		}
		b := appendJSONText([]byte(`"`), s)
		if quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(escaped); string(b) != quoted {
			t.Errorf("JSON %q, want %q", b, quoted)
		}
		if !utf8.ValidString(markdownText(s)) {
			t.Errorf("Markdown of %q", s)
		}
	})
}

func TestEscapingPlainTextDoesNotAllocate(t *testing.T) {
	var sink string
	if n := testing.AllocsPerRun(100, func() { sink = EscapeText("www.example.com") }); n != 0 || sink == "" {
		t.Errorf("%v allocations", n)
	}
	b := make([]byte, 0, 200)
	if n := testing.AllocsPerRun(100, func() { b = appendEscaped(b[:0], "\x1b예시\xff\u202e") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkEscape(b *testing.B) {
	for name, s := range map[string]string{"plain": "static.cdn.example.com", "hangul": "정상.example", "hostile": "\x1b[31m\u202e\xff\\"} {
		b.Run(name, func(b *testing.B) {
			var out []byte
			b.ReportAllocs()
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				out = appendEscaped(out[:0], s)
			}
		})
	}
}
