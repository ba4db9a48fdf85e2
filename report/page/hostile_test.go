package page

import (
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/report"
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
	page := render(t, sample(3))
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

func TestPageLoadsNothing(t *testing.T) {
	page := render(t, sample(40))
	for _, load := range []string{`\bsrc\s*=`, `url\(`, `@import`, `<link`, `<img`, `<iframe`, `<object`, `<embed`, `<base`, `<use`,
		`\bfetch\(`, `XMLHttpRequest`, `import\(`, `WebSocket`, `sendBeacon`, `innerHTML`, `\beval\(`, `\sstyle=`, `\son[a-z]+=`} {
		if at := regexp.MustCompile(load).FindStringIndex(page); at != nil {
			t.Errorf("%s in the page: …%s…", load, page[max(0, at[0]-40):min(len(page), at[1]+40)])
		}
	}
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") || !strings.Contains(page, ` id="`+m[1][1:]+`"`) {
			t.Errorf("link to %q, which is no place in the page", m[1])
		}
	}
}

// hostile are texts that try to leave the place where they stand.
var hostile = []string{
	`</script><img src=x onerror=alert(1)>`,
	`"><svg onload=alert(1)>`,
	`'-alert(1)-'`,
	`</title><script>alert(1)</script>`,
	`</style><iframe src=//evil.example>`,
	"{{.Policy}} `${alert(1)}` &lt;b&gt; <!--",
	"a\x00b\x1b[31mred\x07\u009b31m\r\n\u2028",
	"user\u202etxt.exe\u2066\u200f\ufeff",
	"\xff\xfe\xc0\xaf",
}

// poison puts text into every place of s that a capture or its user can fill.
func poison(s *report.Summary, text string) {
	for i := range s.Inputs {
		in := &s.Inputs[i]
		in.Name, in.Format, in.Compression = text, "pcap", ""
		in.Notes = []string{text}
		in.Anomalies = []capture.Count{{Name: text, N: 1}}
		in.Damage = []capture.Damage{{Unit: "block", Record: 1, Offset: 9, What: text}}
	}
	for i := range s.Ranges {
		s.Ranges[i].Busiest = []string{text, "~" + text}
	}
	for i := range s.Services {
		s.Services[i].Name, s.Services[i].Protocol = text, text
	}
	for i := range s.Trouble {
		s.Trouble[i].Kind, s.Trouble[i].Subject, s.Trouble[i].Text = text, text, text
	}
	for i := range s.Tunnels {
		s.Tunnels[i].Kind = text
	}
	for i := range s.Connections {
		r := &s.Connections[i]
		r.Service, r.Evidence.ServerName, r.Evidence.ALPN = text, text, text
	}
	for i := range s.Ledger.Lines {
		s.Ledger.Lines[i].Group, s.Ledger.Lines[i].Name = text, text
	}
	for i := range s.Interfaces {
		s.Interfaces[i].Name, s.Interfaces[i].Description = text, text
	}
	p := capture.Owner{Process: &capture.Process{PID: 7, Name: text, Command: text, User: text, Unit: text, Container: text}}
	used := report.Processes{List: []report.ProcessUse{{Owner: p, Connections: 1}}}
	for i := range s.Services {
		s.Services[i].ClientProcesses, s.Services[i].ServerProcesses = used, used
	}
	for i := range s.Connections {
		s.Connections[i].Owners = [2]capture.Owner{p, p}
	}
	s.Host = &report.Host{Incomplete: []string{text}, Listening: 2, Unvisited: []report.Listener{
		{Protocol: text, Service: text, Owners: []capture.Owner{p}}, {Protocol: text, Service: text, Unavailable: text},
	}}
	s.Doors.Service = text
	s.Sort = text
}

// tags are the start and end tags of a page, without their attributes' values.
func tags(page string) []string {
	list := strings.NewReplacer(styleSheet, "", script, "").Replace(page)
	found := regexp.MustCompile(`</?[a-zA-Z!][^>]*>`).FindAllString(list, -1)
	value := regexp.MustCompile(`"[^"]*"`)
	for i, tag := range found {
		found[i] = value.ReplaceAllString(tag, `""`)
	}
	return found
}

func TestTextOffTheWireStaysText(t *testing.T) {
	plain := sample(8)
	poison(plain, "plain")
	want := tags(render(t, plain))
	for _, text := range hostile {
		s := sample(8)
		poison(s, text)
		page := render(t, s)
		if diff := cmp.Diff(want, tags(page)); diff != "" {
			t.Errorf("%q changes the page's structure (-want +got):\n%s", text, diff)
		}
		checkVisible(t, page)
	}
}

// checkVisible fails on bytes that a page must not show as they are.
func checkVisible(t *testing.T, page string) {
	t.Helper()
	for _, r := range page {
		if r < 0x20 && r != '\n' || r >= 0x7f && r < 0xa0 || r == 0xfffd || r >= 0x200e && r <= 0x200f ||
			r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0xfeff {
			t.Errorf("%U in the page", r)
		}
	}
}

func FuzzTextStaysText(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	small := func(text string) *report.Summary {
		s := sample(1)
		s.Services, s.Trouble, s.Timeline.Buckets = s.Services[:1], s.Trouble[:1], nil
		poison(s, text)
		return s
	}
	want := tags(render(f, small("plain")))
	f.Fuzz(func(t *testing.T, text string) {
		if text == "" {
			t.Skip("an empty text leaves attributes out")
		}
		page := render(t, small(text))
		if got := tags(page); !slices.Equal(got, want) {
			t.Errorf("%q changes the page's structure (-want +got):\n%s", text, cmp.Diff(want, got))
		}
		checkVisible(t, page)
	})
}
