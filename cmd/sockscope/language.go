package main

import (
	"os"

	"github.com/spf13/pflag"

	lang "sockscope/report/words"
)

// addLanguageFlag adds the language of text. The environment is asked when text is written,
// so that help and manual are the same everywhere.
func addLanguageFlag(fs *pflag.FlagSet) *choice {
	c := &choice{"", lang.Codes()}
	fs.Var(c, "lang", "language of text: en, ko; else LANG's")
	return c
}

// language is the one that the user wants: by default the environment's, which a terminal
// without UTF-8 cannot show when it is Korean.
func (p *program) language(c *choice) lang.Language {
	switch {
	case c.value != "":
		return lang.Of(c.value)
	case p.ascii:
		return lang.English
	}
	return lang.FromEnvironment(os.Getenv)
}

// printerFor says things in the language that the user wants.
func (p *program) printerFor(c *choice) *lang.Printer { return lang.New(p.language(c)) }
