package ladder

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/words"
)

// element is the text of the only element of that name, and its start tag.
func element(t *testing.T, page, name string) (tag, text string) {
	t.Helper()
	all := regexp.MustCompile(`(?s)(<`+name+`[^>]*>)(.*?)</`+name+`>`).FindAllStringSubmatch(page, -1)
	if len(all) != 1 {
		t.Fatalf("%d <%s> elements, want 1", len(all), name)
	}
	return all[0][1], all[0][2]
}

func TestPolicyAllowsTheInlineAssetsAndNothingElse(t *testing.T) {
	page := render(t, all(t), words.English, "x.pcap")
	policy := regexp.MustCompile(`<meta http-equiv="Content-Security-Policy" content="([^"]*)">`).FindStringSubmatch(page)
	if policy == nil {
		t.Fatal("no Content-Security-Policy")
	}
	hash := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return base64.StdEncoding.EncodeToString(sum[:])
	}
	styleTag, style := element(t, page, "style")
	scriptTag, script := element(t, page, "script")
	if styleTag != "<style>" || scriptTag != "<script>" {
		t.Errorf("tags %s and %s: attributes where none belong", styleTag, scriptTag)
	}
	want := "default-src 'none'; style-src 'sha256-" + hash(style) + "'; script-src 'sha256-" + hash(script) +
		"'; base-uri 'none'; form-action 'none'"
	got := strings.NewReplacer("&#39;", "'", "&#43;", "+", "&#34;", `"`, "&amp;", "&").Replace(policy[1])
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if strings.Index(page, policy[0]) > strings.Index(page, styleTag) {
		t.Error("the policy stands after what it rules")
	}
}

func TestNothingIsLoaded(t *testing.T) {
	list := all(t)
	for _, page := range []string{render(t, list, words.English, "x.pcap"), renderSVG(t, &list[0], words.Korean)} {
		for _, load := range []string{`\bsrc\s*=`, `url\(`, `@import`, `<link`, `<img`, `<image`, `<iframe`, `<object`, `<embed`, `<base`, `<use`, `<foreignObject`,
			`\bfetch\(`, `XMLHttpRequest`, `import\(`, `WebSocket`, `sendBeacon`, `innerHTML`, `\beval\(`, `\sstyle=`, `\son[a-z]+=`} {
			if at := regexp.MustCompile(load).FindStringIndex(page); at != nil {
				t.Errorf("%s: …%s…", load, page[max(0, at[0]-40):min(len(page), at[1]+40)])
			}
		}
	}
}

// hostile are texts that try to leave the place where they stand.
var hostile = []string{
	`</script><img src=x onerror=alert(1)>`,
	`"><svg onload=alert(1)>`,
	`'-alert(1)-'`,
	`</title></text></svg><script>alert(1)</script>`,
	`</style><iframe src=//evil.example>`,
	`]]><![CDATA[<?xml ?><!DOCTYPE x [<!ENTITY y "z">]>&y;`,
	"{{.Policy}} `${alert(1)}` &lt;b&gt; <!--",
	"a\x00b\x1b[31mred\x07\u009b31m\r\n\u2028",
	"user\u202etxt.exe\u2066\u200f\ufeff\ufffe",
	"\xff\xfe\xc0\xaf",
}

// poisoned is a conversation with a text in every place that a capture or its user can fill.
func poisoned(text string) *explain.Conversation {
	c := callsSeen()
	c.Calls[0].Text = text
	c.Header = []explain.Note{{Key: "explain.role-syn", Args: []any{text, text}, RFC: "RFC 9293"}}
	c.Verdict = c.Header
	for i := range c.Steps {
		c.Steps[i].Notes = c.Header
	}
	quoting := c.Steps[2]
	quoting.Kind, quoting.ICMP, quoting.Notes = explain.ICMPError, &explain.Message{Version: 4, Type: 3, From: text}, c.Header
	quoting.Calls = []explain.Call{{Side: flow.ClientSide, Text: text, Result: text, At: explain.Returns}}
	c.Steps = append(c.Steps, quoting)
	return c
}

// A structure is what text must not change: the tags of a page outside of its drawings, and
// which tags there are in these. How many lines and shapes a text takes is no structure.
type structure struct{ Page, Drawings []string }

func structureOf(t *testing.T, c *explain.Conversation, title string) structure {
	t.Helper()
	page, picture := render(t, []explain.Conversation{*c, *c}, words.Korean, title), renderSVG(t, c, words.English)
	checkVisible(t, page)
	checkVisible(t, picture)
	for d := xml.NewDecoder(strings.NewReader(picture)); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%q: %v", title, err)
		}
	}
	drawing := regexp.MustCompile(`(?s)<svg.*?</svg>`)
	inside := tags(strings.Join(append(drawing.FindAllString(page, -1), picture), ""))
	slices.Sort(inside)
	// As many drawings may be there as rows.
	return structure{tags(drawing.ReplaceAllString(page, "")), slices.Compact(inside)}
}

func TestTextOffTheWireStaysText(t *testing.T) {
	for _, inferred := range []bool{false, true} {
		of := func(text string) structure {
			c := poisoned(text)
			if inferred {
				c.Calls, c.Before = nil, []explain.Call{{Side: flow.ServerSide, Text: text}}
			}
			return structureOf(t, c, text)
		}
		want := of("plain")
		for _, text := range hostile {
			if diff := cmp.Diff(want, of(text)); diff != "" {
				t.Errorf("%q changes the structure (-want +got):\n%s", text, diff)
			}
		}
	}
}

// checkVisible fails on runes that a page must not show as they are.
func checkVisible(t *testing.T, page string) {
	t.Helper()
	for _, r := range page {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0xfffd || r >= 0x200e && r <= 0x200f ||
			r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			t.Errorf("%U in the page", r)
		}
	}
}
