package main

import (
	"io"
	"path/filepath"

	"sockscope/decode/flow"
	"sockscope/report/explain"
	"sockscope/report/explain/ladder"
	say "sockscope/report/words"
)

// A pageOf is explain's html page, from its beginning to its end.
type pageOf struct{ *ladder.Page }

// begin begins the page for connections of inputs, as the user named them.
func (p *pageOf) begin(w io.Writer, words *say.Printer, inputs []string, chosen []flow.Connection) (err error) {
	p.Page, err = ladder.Begin(w, words, pageTitle(words, inputs), chosen)
	return err
}

// add writes the next conversation. The page has its writer from the beginning.
func (p *pageOf) add(_ io.Writer, c *explain.Conversation) error { return p.Add(c) }

func (p *pageOf) end(remark string) error { return p.End(remark) }

// pageTitle names the inputs: the first, and how many more there are.
func pageTitle(words *say.Printer, inputs []string) string {
	if len(inputs) == 0 {
		return ""
	}
	name := filepath.Base(inputs[0])
	if inputs[0] == "-" {
		name = words.Say("ladder.stdin")
	}
	if more := len(inputs) - 1; more > 0 {
		return words.Say("ladder.several", name, more)
	}
	return name
}
