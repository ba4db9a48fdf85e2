package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
)

func completionView() *view {
	return &view{
		name:     "completion",
		synopsis: "bash|zsh|fish",
		summary:  "a script that completes words in your shell",
		examples: []example{
			{"source <(sockscope completion bash)", "in ~/.bashrc"},
			{"sockscope completion fish | source", "in ~/.config/fish/config.fish"},
		},
		extra:   true,
		maxArgs: 1,
		define:  defineCompletion,
	}
}

var shells = []string{"bash", "zsh", "fish"}

func defineCompletion(*pflag.FlagSet) action {
	return func(_ context.Context, p *program, args []string) error {
		if len(args) == 0 {
			return usage("which shell? one of %s", strings.Join(shells, ", "))
		}
		switch args[0] {
		case "bash":
			return p.write(writeBashCompletion)
		case "zsh":
			return p.write(writeZshCompletion)
		case "fish":
			return p.write(writeFishCompletion)
		}
		return usage("unknown shell %s: one of %s%s", p.quote(args[0]), strings.Join(shells, ", "), p.suggest(args[0], shells, ""))
	}
}

// operands are the words that may follow a view's name.
func operands(v *view) []string {
	switch v.name {
	case "completion":
		return shells
	case "help":
		return viewNames()
	}
	return nil
}

// writeBashCompletion writes two tables, of the words of each view and of the
// values of each flag, and a function that looks them up.
func writeBashCompletion(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# bash completion for sockscope\n_sockscope() {\n")
	b.WriteString("  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n")
	b.WriteString("  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -eq 1 ]; then\n")
	fmt.Fprintf(&b, "    COMPREPLY=($(compgen -W '%s --help --version' -- \"$cur\"))\n    return\n  fi\n", strings.Join(viewNames(), " "))
	b.WriteString("  case ${COMP_WORDS[1]}:$prev in\n")
	for _, v := range views() {
		flagsOf(v).VisitAll(func(f *pflag.Flag) {
			if !takesValue(f) {
				return
			}
			patterns := v.name + ":--" + f.Name
			if f.Shorthand != "" {
				patterns += "|" + v.name + ":-" + f.Shorthand
			}
			if f.Name == "read" {
				fmt.Fprintf(&b, "    %s) local IFS=$'\n'; COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", patterns)
			} else {
				fmt.Fprintf(&b, "    %s) COMPREPLY=($(compgen -W '%s' -- \"$cur\")); return ;;\n", patterns, strings.Join(choicesOf(f), " "))
			}
		})
	}
	b.WriteString("  esac\n  case ${COMP_WORDS[1]} in\n")
	for _, v := range views() {
		words := operands(v)
		flagsOf(v).VisitAll(func(f *pflag.Flag) { words = append(words, "--"+f.Name) })
		fmt.Fprintf(&b, "    %s) words='%s --help' ;;\n", v.name, strings.Join(words, " "))
	}
	b.WriteString("  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\n")
	b.WriteString("complete -o filenames -F _sockscope sockscope\n")
	_, err := w.Write(b.Bytes())
	return err
}

func writeZshCompletion(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("#compdef sockscope\n_sockscope() {\n  local -a views\n  views=(\n")
	for _, v := range views() {
		fmt.Fprintf(&b, "    %s\n", shellQuote(v.name+":"+v.summary))
	}
	b.WriteString("  )\n  if (( CURRENT == 2 )); then\n    _describe view views\n    return\n  fi\n")
	b.WriteString("  local view=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $view in\n")
	for _, v := range views() {
		fmt.Fprintf(&b, "    %s)\n      _arguments '(- *)--help[show help]'", v.name)
		flagsOf(v).VisitAll(func(f *pflag.Flag) {
			for _, name := range flagSpellings(f) {
				b.WriteString(" \\\n        " + shellQuote("*"+name+zshSpec(f)))
			}
		})
		if words := operands(v); len(words) > 0 {
			fmt.Fprintf(&b, " \\\n        '1:word:(%s)'", strings.Join(words, " "))
		}
		b.WriteString("\n      ;;\n")
	}
	b.WriteString("  esac\n}\n")
	b.WriteString("if [ \"$funcstack[1]\" = _sockscope ]; then _sockscope \"$@\"; else compdef _sockscope sockscope; fi\n")
	_, err := w.Write(b.Bytes())
	return err
}

// zshSpec is what follows a flag's name in zsh's _arguments: meaning and value.
func zshSpec(f *pflag.Flag) string {
	value, meaning := pflag.UnquoteUsage(f)
	spec := "[" + strings.NewReplacer("[", "(", "]", ")", ":", `\:`).Replace(meaning) + "]"
	switch choices := choicesOf(f); {
	case !takesValue(f):
	case f.Name == "read":
		spec += ":" + value + ":_files"
	case len(choices) > 0:
		spec += ":" + value + ":(" + strings.Join(choices, " ") + ")"
	default:
		spec += ":" + value + ": "
	}
	return spec
}

func writeFishCompletion(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("# fish completion for sockscope\ncomplete -c sockscope -f\n")
	for _, v := range views() {
		fmt.Fprintf(&b, "complete -c sockscope -n __fish_use_subcommand -a %s -d %s\n", v.name, shellQuote(v.summary))
		condition := shellQuote("__fish_seen_subcommand_from " + v.name)
		if words := operands(v); len(words) > 0 {
			fmt.Fprintf(&b, "complete -c sockscope -n %s -a %s\n", condition, shellQuote(strings.Join(words, " ")))
		}
		flagsOf(v).VisitAll(func(f *pflag.Flag) {
			_, meaning := pflag.UnquoteUsage(f)
			fmt.Fprintf(&b, "complete -c sockscope -n %s -l %s", condition, f.Name)
			if f.Shorthand != "" {
				fmt.Fprintf(&b, " -s %s", f.Shorthand)
			}
			switch choices := choicesOf(f); {
			case !takesValue(f):
			case f.Name == "read":
				b.WriteString(" -r -F")
			case len(choices) > 0:
				fmt.Fprintf(&b, " -x -a %s", shellQuote(strings.Join(choices, " ")))
			default:
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", shellQuote(meaning))
		})
	}
	_, err := w.Write(b.Bytes())
	return err
}

// flagSpellings are the ways to write f.
func flagSpellings(f *pflag.Flag) []string {
	if f.Shorthand == "" {
		return []string{"--" + f.Name}
	}
	return []string{"-" + f.Shorthand, "--" + f.Name}
}

// shellQuote is s as one word of a shell.
func shellQuote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
