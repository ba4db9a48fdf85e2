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

// printerFor says things in the language that was chosen, or the environment's.
func printerFor(c *choice) *lang.Printer {
	if c.value == "" {
		return lang.New(lang.FromEnvironment(os.Getenv))
	}
	return lang.New(lang.Of(c.value))
}
