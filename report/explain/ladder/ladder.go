// Package ladder draws conversations: as one html page that needs nothing else, or as an svg
// file of its own. Time runs down, to scale where that leaves room for what has to be said.
//
// The layout is a pure function from a conversation to shapes, so that tests see what overlaps.
// As in report/page, a Content-Security-Policy allows the page's own style sheet and script
// and nothing else, and what comes off the wire goes through report.EscapeText and through
// html/template's escaping.
package ladder

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"sync"

	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/words"
)

//go:embed page.html drawing.html
var markup embed.FS

// drawingStyle is the drawing's own style sheet, in a page and in an svg file alike.
//
//go:embed drawing.css
var drawingStyle string

//go:embed page.css
var pageStyle string

//go:embed page.js
var script string

// templates are parsed by the first drawing: no other view should wait for it.
var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").ParseFS(markup, "*.html"))
})

// styleSheet is the page's.
func styleSheet() string { return drawingStyle + pageStyle }

// contentPolicy allows the embedded style sheet and script and nothing else.
func contentPolicy() string {
	return "default-src 'none'; style-src " + source(styleSheet()) + "; script-src " + source(script) +
		"; base-uri 'none'; form-action 'none'"
}

// source is a Content-Security-Policy source expression that allows an inline element with
// this text (CSP Level 3 §2.3.1, hash-source).
func source(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// maxSteps is how many steps of a conversation a page or an svg file shows: a browser cannot
// cope with many more. Both say what they leave out; the text format has all.
const maxSteps = 2000

// A page is what page.html shows. Every string that comes off the wire, out of a file or
// from the user has gone through report.EscapeText.
type page struct {
	Lang, Title string
	Policy      string
	Style       template.CSS
	Script      template.JS
	Contents    []entry
	Remark      string // on all of them, at the end
}

// An entry is a conversation in the page's contents.
type entry struct{ ID, Title, Word, Class string }

// A Page is an html page in the making. A conversation is laid out and written when its turn
// comes, so memory does not follow their number.
type Page struct {
	out   *bufio.Writer
	words *words.Printer
	head  page
	added int
}

// Begin begins a page of conversations of these connections. The title says what they are
// from.
func Begin(w io.Writer, p *words.Printer, title string, contents []flow.Connection) (*Page, error) {
	page := &Page{out: bufio.NewWriterSize(w, 64<<10), words: p, head: page{
		Lang: p.Language.String(), Title: report.EscapeText(title), Policy: contentPolicy(),
		Style: template.CSS(styleSheet()), Script: template.JS(script),
	}}
	if len(contents) > 1 {
		for i := range contents {
			c := &explain.Conversation{Connection: contents[i]}
			page.head.Contents = append(page.head.Contents, entry{conversationID(i), report.EscapeText(c.Title(p)), c.Word(), wordClass(c)})
		}
	}
	return page, page.write("head", says{page.head, p})
}

// Add writes the next conversation.
func (p *Page) Add(c *explain.Conversation) error {
	p.added++
	return p.write("conversation", newView(p.added-1, c, p.words))
}

// End ends the page, with what is to be said of all of it; "" for nothing.
func (p *Page) End(remark string) error {
	p.head.Remark = report.EscapeText(remark)
	return p.write("foot", says{p.head, p.words})
}

func (p *Page) write(name string, data any) error {
	err := templates().ExecuteTemplate(p.out, name, data)
	if err == nil {
		err = p.out.Flush()
	}
	if err != nil {
		return fmt.Errorf("html ladder: %w", err)
	}
	return nil
}

// Write writes conversations as one html page.
func Write(w io.Writer, list []explain.Conversation, p *words.Printer, title string) error {
	var contents []flow.Connection
	for i := range list {
		contents = append(contents, list[i].Connection)
	}
	page, err := Begin(w, p, title, contents)
	for i := range list {
		if err == nil {
			err = page.Add(&list[i])
		}
	}
	if err == nil {
		err = page.End("")
	}
	return err
}

// WriteSVG writes the ladder of one conversation as an svg file.
func WriteSVG(w io.Writer, c *explain.Conversation, p *words.Printer) error {
	b := bufio.NewWriterSize(w, 64<<10)
	err := templates().ExecuteTemplate(b, "svg", newFile(c, p))
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return fmt.Errorf("svg ladder: %w", err)
	}
	return nil
}

// A file is what an svg file shows: a title, the ladder, and what there was no room for.
type file struct {
	Lang, Title   string
	Style         template.CSS
	Heading, Foot []textLine
	Picture       picture
	Offset        int // of the ladder, from the top
	Height        int
}

func newFile(c *explain.Conversation, p *words.Printer) *file {
	f := &file{
		Lang: p.Language.String(), Title: report.EscapeText(c.Title(p)), Style: template.CSS(drawingStyle),
		Picture: newPicture("", c, p, wide),
	}
	y := rowMargin
	for _, line := range wrap(f.Title, f.Picture.Width-2*margin, labelSize+1) {
		y += labelLine
		f.Heading = append(f.Heading, textLine{margin, y, "start", "title", labelSize + 1, line})
	}
	f.Offset = y + rowMargin
	y = f.Offset + f.Picture.Height
	if said := left(c, p); said != "" {
		for _, line := range wrap(said, f.Picture.Width-2*margin, smallSize) {
			y += smallLine
			f.Foot = append(f.Foot, textLine{margin, y, "start", "legend", smallSize, line})
		}
	}
	f.Height = y + rowMargin
	return f
}

// says gives a template the words of the page's language.
type says struct {
	V     any
	words *words.Printer
}

// Say is a message of the catalogue.
func (s says) Say(key string) string { return s.words.Say(key) }
