// Package words says things in the reader's language: sentences from a catalogue, English
// or Korean, and their layout in columns of a terminal.
package words

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"golang.org/x/text/message/catalog"
)

// A Language is one that there is a catalogue for. The zero value is English.
type Language uint8

const (
	English Language = iota
	Korean
	numLanguages
)

// String is the language's code, as in --lang.
func (l Language) String() string { return [...]string{"en", "ko"}[l] }

// Codes are all languages' codes.
func Codes() []string { return []string{English.String(), Korean.String()} }

// Of is the language with a code; English for any other text.
func Of(code string) Language {
	if code == Korean.String() {
		return Korean
	}
	return English
}

// FromEnvironment is the language that the environment asks for: the first of LC_ALL,
// LC_MESSAGES and LANG that is not empty decides (POSIX 8.2).
func FromEnvironment(getenv func(string) string) Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			code, _, _ := strings.Cut(v, ".")
			code, _, _ = strings.Cut(code, "_")
			return Of(strings.ToLower(code))
		}
	}
	return English
}

// texts has a folder of files for each language; a file is about one thing.
//
//go:embed en/*.txt ko/*.txt
var texts embed.FS

// catalogues are made when somebody first asks.
var catalogues = [numLanguages]func() *catalogue{
	sync.OnceValue(func() *catalogue { return mustRead(English) }),
	sync.OnceValue(func() *catalogue { return mustRead(Korean) }),
}

// A catalogue has a language's messages by their keys.
type catalogue struct {
	messages catalog.Catalog
	tag      language.Tag
	keys     map[string]string // and the messages as they are written
}

// A Printer says things in one language. It is safe for use by several goroutines.
type Printer struct {
	*catalogue
	Language Language
}

// New makes a Printer for a language.
func New(l Language) *Printer { return &Printer{catalogues[l](), l} }

// Say is the message of a key with its arguments put in: %[1]s, %[2]d and so on. Numbers
// get the language's separators of thousands; what is no quantity (a port, a sequence
// number) is given as a string. In Korean, particles agree with what stands before them.
func (p *Printer) Say(key string, args ...any) string {
	if _, ok := p.keys[key]; !ok {
		return "!" + key
	}
	s := message.NewPrinter(p.tag, message.Catalog(p.messages)).Sprintf(key, args...)
	if p.Language == Korean {
		return withParticles(s)
	}
	return s
}

// Has reports whether there is a message with a key.
func (p *Printer) Has(key string) bool { _, ok := p.keys[key]; return ok }

// mustRead reads the catalogue of a language. It panics when its files, which are part of
// the program, are wrong: a test reads all.
func mustRead(l Language) *catalogue {
	keys := map[string]string{}
	names, _ := fs.Glob(texts, l.String()+"/*.txt") // the pattern is good
	for _, name := range names {
		text, err := texts.ReadFile(name)
		if err == nil {
			err = read(keys, string(text))
		}
		if err != nil {
			panic(fmt.Sprintf("words: %s: %v", name, err))
		}
	}
	c, err := newCatalogue(l, keys)
	if err != nil {
		panic(fmt.Sprintf("words: %s: %v", l, err))
	}
	return c
}

// read adds a file's messages to keys: "key: message" in each line; lines that are indented
// go on with the message, after a space. Empty lines, and those that begin with #, say
// nothing. A key that ends with #one has the message for when the first argument is 1.
func read(keys map[string]string, text string) error {
	key := ""
	for i, line := range strings.Split(text, "\n") {
		switch {
		case line == "" || line[0] == '#':
			continue
		case line[0] == ' ' && key != "":
			keys[key] += " " + strings.TrimSpace(line)
			continue
		}
		var said string
		var ok bool
		if key, said, ok = strings.Cut(line, ":"); !ok || key == "" || strings.TrimSpace(said) == "" {
			return fmt.Errorf("line %d: no message", i+1)
		}
		if _, again := keys[key]; again {
			return fmt.Errorf("line %d: %s is there already", i+1, key)
		}
		keys[key] = strings.TrimSpace(said)
	}
	return nil
}

// newCatalogue is the catalogue of a language with messages by their keys.
func newCatalogue(l Language, keys map[string]string) (*catalogue, error) {
	tag := language.MustParse(l.String())
	b := catalog.NewBuilder(catalog.Fallback(tag))
	for key, said := range keys {
		if strings.HasSuffix(key, "#one") {
			continue
		}
		msg := catalog.String(said)
		if one, ok := keys[key+"#one"]; ok {
			msg = plural.Selectf(1, "", "=1", one, "other", said)
		}
		if err := b.Set(tag, key, msg); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return &catalogue{b, tag, keys}, nil
}
