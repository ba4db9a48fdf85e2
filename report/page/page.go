// Package page writes a Summary as one html file that needs nothing else: style,
// script and charts are inside it, it loads nothing and it opens from a disk.
//
// A Content-Security-Policy in the file allows exactly the one style sheet and
// the one script that are compiled in, by their hashes. So text off the wire
// could run nothing even if it got past the two escapings that it passes
// through: control and direction characters are made visible, and html/template
// escapes the rest for the place where it stands.
package page

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"

	"sockscope/report"
)

//go:embed page.html charts.html tables.html
var markup embed.FS

//go:embed page.css
var styleSheet string

//go:embed page.js
var script string

// templates are parsed by the first page: no other view should wait for it.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").ParseFS(markup, "*.html"))
})

// contentPolicy allows the embedded style sheet and script and nothing else.
func contentPolicy() string {
	return "default-src 'none'; style-src " + source(styleSheet) + "; script-src " + source(script) +
		"; base-uri 'none'; form-action 'none'"
}

// source is a Content-Security-Policy source expression that allows an inline
// element with this text (CSP Level 3 §2.3.1, hash-source).
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Write writes s as a self-contained html page. The same Summary gives the same
// bytes; connections are written one at a time, so memory does not follow their
// number.
func Write(w io.Writer, s *report.Summary) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := templates().ExecuteTemplate(b, "page.html", newView(s)); err != nil {
		return fmt.Errorf("html report: %w", err)
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("html report: %w", err)
	}
	return nil
}
