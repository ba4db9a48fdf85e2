package words

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// verb is a place for an argument. They are numbered, for languages order them differently.
var verb = regexp.MustCompile(`%(\[\d+\][a-z]|%|.?)`)

// No message is missing in a language, and all have the same arguments.
func TestLanguagesAgree(t *testing.T) {
	en, ko := New(English), New(Korean)
	for key := range en.keys {
		if !strings.HasSuffix(key, "#one") && !ko.Has(key) {
			t.Errorf("%s is missing in ko", key)
		}
	}
	for key, said := range ko.keys {
		if strings.HasSuffix(key, "#one") {
			t.Errorf("ko: %s: a Korean noun has one form", key)
		}
		if !en.Has(key) {
			t.Errorf("%s is missing in en", key)
		}
		if diff := cmp.Diff(verbs(t, en.keys[key]), verbs(t, said)); diff != "" {
			t.Errorf("%s has other arguments in ko (-en, +ko):\n%s", key, diff)
		}
		if strings.Contains(particle.ReplaceAllString(said, ""), "{") {
			t.Errorf("ko: %s: no such particle in %q", key, said)
		}
	}
}

// verbs are the arguments of a message, in their order.
func verbs(t *testing.T, said string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, v := range verb.FindAllString(said, -1) {
		if !strings.HasPrefix(v, "%[") && v != "%%" {
			t.Errorf("%q: %s has no number", said, v)
		}
		found[v] = true
	}
	return slices.Sorted(maps.Keys(found))
}

func TestSay(t *testing.T) {
	for _, test := range []struct {
		language Language
		n        int
		want     string
	}{
		{English, 1, "1 segment"}, {English, 0, "0 segments"}, {English, 1204, "1,204 segments"},
		{Korean, 1, "세그먼트 1개"}, {Korean, 1204, "세그먼트 1,204개"},
	} {
		if got := New(test.language).Say("segments", test.n); got != test.want {
			t.Errorf("%v: %q, want %q", test.language, got, test.want)
		}
	}
	if got := New(Korean).Say("no such key"); got != "!no such key" {
		t.Errorf("%q for a key that is not there", got)
	}
}

func TestCatalogueErrors(t *testing.T) {
	for text, want := range map[string]string{
		"a: b\nno colon": "line 2: no message",
		"a:  ":           "line 1: no message",
		"a: b\n\na: c":   "line 3: a is there already",
		": b":            "line 1: no message",
	} {
		if err := read(map[string]string{}, text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	keys := map[string]string{}
	if err := read(keys, "# no message\na: one\n  two\n\nb: three"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "one two", "b": "three"}, keys); diff != "" {
		t.Error(diff)
	}
}

func TestParticles(t *testing.T) {
	for text, want := range map[string]string{
		"서버{은/는}": "서버는", "소켓{은/는}": "소켓은", "포트 80{을/를}": "포트 80을", "포트 443{이/가}": "포트 443이",
		"포트 22{으로/로}": "포트 22로", "포트 81{으로/로}": "포트 81로", "SYN{을/를}": "SYN을", "ACK{을/를}": "ACK를",
		"RST{이/가}": "RST가", "커널{으로/로}": "커널로", "응답{으로/로}": "응답으로", "서버(192.0.2.11){은/는}": "서버(192.0.2.11)는",
		"'소켓'{과/와}": "'소켓'과", "curl{이/가}": "curl이", "nginx{이/가}": "nginx가", "socket{을/를}": "socket을",
		"listen(){은/는}": "listen()은", "{은/는}": "는", "connect(){을/를} accept(){과/와}": "connect()를 accept()와",
		"서버[80]{은/는}": "서버[80]은", "a {은는} b": "a {은는} b", "ping{은/는}": "ping은",
	} {
		if got := withParticles(text); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
}

func TestFromEnvironment(t *testing.T) {
	for _, test := range []struct {
		all, messages, lang string
		want                Language
	}{
		{"", "", "", English},
		{"", "", "ko_KR.UTF-8", Korean},
		{"", "ko", "en_US.UTF-8", Korean},
		{"C", "ko_KR", "ko_KR", English},
		{"", "", "kok_IN", English},
	} {
		env := map[string]string{"LC_ALL": test.all, "LC_MESSAGES": test.messages, "LANG": test.lang}
		if got := FromEnvironment(func(name string) string { return env[name] }); got != test.want {
			t.Errorf("%v: %v, want %v", env, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, test := range []struct {
		text  string
		width int
		want  []string
	}{
		{"the server answers", 10, []string{"the server", "answers"}},
		{"서버가 응답합니다", 7, []string{"서버가", "응답합", "니다"}},
		{"서버가 응답합니다", 10, []string{"서버가", "응답합니다"}},
		{"abcdef", 4, []string{"abcd", "ef"}},
		{"", 4, []string{""}},
		{"a", 0, []string{"a"}},
	} {
		got := Wrap(test.text, test.width)
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%q: %s", test.text, diff)
		}
	}
	if got := Pad("포트", 6) + "|"; got != "포트  |" {
		t.Errorf("%q", got)
	}
}
