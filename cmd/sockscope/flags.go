package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// newFlagSet is an empty set that reports errors to its caller and prints nothing.
func newFlagSet(name string) *pflag.FlagSet {
	fs := pflag.NewFlagSet(name, pflag.ContinueOnError)
	fs.SortFlags = false
	fs.Usage = func() {}
	return fs
}

// hide takes flags that few need out of the help, so that it fits a screen. The man page
// and the completion have them.
func hide(fs *pflag.FlagSet, names ...string) {
	for _, name := range names {
		fs.Lookup(name).Hidden = true
	}
}

// A choice is a flag value out of a few words.
type choice struct {
	value   string
	choices []string
}

func choiceFlag(fs *pflag.FlagSet, name string, choices []string, help string) *choice {
	c := &choice{choices[0], choices}
	fs.Var(c, name, help)
	return c
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return "WORD" }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.choices, s) {
		return errChoice
	}
	c.value = s
	return nil
}

// invalidValue replaces these errors by messages with the words concerned.
var (
	errChoice = errors.New("not one of the choices")
	errTwice  = errors.New("given twice")
)

// A words value is a comma-separated list out of a few words, or "help", which asks
// for these words.
type words struct {
	value   []string
	help    bool
	choices []string
	wrong   string // the word that was refused
}

func (w *words) String() string { return strings.Join(w.value, ",") }
func (w *words) Type() string   { return "LIST" }

func (w *words) Set(s string) error {
	w.value = nil
	if w.help = s == "help"; w.help {
		return nil
	}
	for word := range strings.SplitSeq(s, ",") {
		if !slices.Contains(w.choices, word) {
			w.wrong = word
			return errChoice
		}
		if slices.Contains(w.value, word) {
			w.wrong = word
			return errTwice
		}
		w.value = append(w.value, word)
	}
	return nil
}

// A number is a flag value between two bounds.
type number struct{ value, low, high int }

func numberFlag(fs *pflag.FlagSet, name string, value, low, high int, help string) *number {
	n := &number{value, low, high}
	fs.Var(n, name, help)
	return n
}

func (n *number) String() string { return strconv.Itoa(n.value) }
func (n *number) Type() string   { return "N" }

func (n *number) Set(s string) error {
	v, err := strconv.Atoi(s)
	if err != nil || v < n.low || v > n.high {
		return fmt.Errorf("must be a number from %d to %d", n.low, n.high)
	}
	n.value = v
	return nil
}

// A span is a flag value that is a duration, not negative.
type span struct{ value time.Duration }

func spanFlag(fs *pflag.FlagSet, name string, value time.Duration, help string) *span {
	s := &span{value}
	fs.Var(s, name, help)
	return s
}

func (s *span) Type() string { return "TIME" }

func (s *span) String() string {
	text := s.value.String() // "2m0s" is more precise than anyone writes it
	if cut, ok := strings.CutSuffix(text, "m0s"); ok {
		text = cut + "m"
	}
	return text
}

func (s *span) Set(text string) error {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return errors.New("must be a time such as 90s, 2m or 0")
	}
	s.value = d
	return nil
}

// A size is a flag value in bytes.
type size struct{ value int64 }

func sizeFlag(fs *pflag.FlagSet, name string, value int64, help string) *size {
	s := &size{value}
	fs.Var(s, name, help)
	return s
}

// sizeUnits are factors of 1024, as in "64K" or "1TiB", and of 1000 in "64kB".
const sizeUnits = "KMGTP"

func (s *size) Type() string { return "SIZE" }

func (s *size) String() string {
	v, unit := s.value, ""
	for i := 0; i < len(sizeUnits) && v > 0 && v%1024 == 0; i++ {
		v, unit = v/1024, sizeUnits[i:i+1]+"iB"
	}
	return strconv.FormatInt(v, 10) + unit
}

func (s *size) Set(text string) error {
	digits, step := strings.ToUpper(text), int64(1024)
	if cut, ok := strings.CutSuffix(digits, "IB"); ok {
		digits = cut
	} else if cut, ok := strings.CutSuffix(digits, "B"); ok {
		digits, step = cut, 1000
	}
	factor := int64(1)
	if n := len(digits); n > 0 {
		if i := strings.IndexByte(sizeUnits, digits[n-1]); i >= 0 {
			digits = digits[:n-1]
			for range i + 1 {
				factor *= step
			}
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v <= 0 || v > (1<<62)/factor {
		return errors.New("must be a size such as 500M or 2TiB, more than 0")
	}
	s.value = v * factor
	return nil
}

// flagFailure is the message for an error of parsing fs.
func (p *program) flagFailure(fs *pflag.FlagSet, err error) error {
	help := "sockscope " + fs.Name() + " --help"
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown):
		if short := unknown.GetSpecifiedShortnames(); short != "" {
			name := unknown.GetSpecifiedName()
			return usage("unknown flag -%s%s", p.escape(name), p.suggestShort(fs, short, help))
		}
		var names []string
		fs.VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		name := "--" + unknown.GetSpecifiedName()
		return usage("unknown flag %s%s", p.escape(name), p.suggest(name, append(names, "--help"), help))
	case errors.As(err, &missing):
		return usage("%s needs a value (see: %s)", flagName(missing.GetFlag()), help)
	case errors.As(err, &invalid):
		return p.invalidValue(invalid, help)
	}
	return usage("%s (see: %s)", p.escape(err.Error()), help)
}

func (p *program) invalidValue(invalid *pflag.InvalidValueError, help string) error {
	f, value := invalid.GetFlag(), invalid.GetValue()
	switch v := f.Value.(type) {
	case *choice:
		if near := nearest(value, v.choices); near != "" {
			return usage("%s %s: unknown word (did you mean %s?)", flagName(f), p.escape(value), near)
		}
		return usage("%s %s: not one of %s", flagName(f), p.escape(value), strings.Join(v.choices, ", "))
	case *words:
		if errors.Is(invalid, errTwice) {
			return usage("%s: %s is given twice", flagName(f), p.quote(v.wrong))
		}
		return usage("%s: unknown name %s%s", flagName(f), p.quote(v.wrong), p.suggest(v.wrong, v.choices, help))
	}
	cause := errors.Unwrap(invalid)
	if f.Value.Type() == "bool" {
		cause = errors.New("must be true or false")
	}
	return usage("%s %s: %v", flagName(f), p.escape(value), cause)
}

// suggestShort names the long flag that a single dash was perhaps meant for:
// "-format" reads as -f -o -r and so on.
func (p *program) suggestShort(fs *pflag.FlagSet, letters, help string) string {
	word, _, _ := strings.Cut(letters, "=")
	if len(word) > 1 && fs.Lookup(word) != nil {
		return fmt.Sprintf(" (did you mean --%s?)", word)
	}
	return fmt.Sprintf(" (see: %s)", help)
}

// flagName is how users write f.
func flagName(f *pflag.Flag) string {
	if f.Shorthand != "" {
		return "-" + f.Shorthand
	}
	return "--" + f.Name
}
