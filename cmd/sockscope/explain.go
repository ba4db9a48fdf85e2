package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/explain"
	"sockscope/report/explain/bits"
	"sockscope/report/explain/ladder"
	lang "sockscope/report/words"
)

func explainView() *view {
	return &view{
		name:     "explain",
		synopsis: "-r FILE | -i IFACE [flags] [capture filter]",
		summary:  "study: each segment of a connection, and what it is for",
		examples: []example{
			{"sockscope explain -r capture.pcapng tcp port 443", "the connections of a port"},
			{"sockscope explain -r capture.pcapng --bits 12 --lang ko", "a frame's headers, in Korean"},
		},
		maxArgs: anyWords,
		define:  defineExplain,
	}
}

// mostExplained is how many connections are explained at most, unless they are named: a
// flood has millions, and what is known of each takes a kilobyte until it is explained.
const mostExplained = 100_000

func defineExplain(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	e := &explaining{source: source}
	fs.Var((*ids)(&e.ids), "connection", "explain connection `N`, as id in connections (repeatable)")
	fs.StringArrayVar(&e.communities, "community-id", nil, "explain the connection with this `ID` (repeatable)")
	top := numberFlag(fs, "top", 10, 1, mostExplained, "the first `N` connections")
	all := fs.Bool("all", false, "all connections, at most 100,000")
	fs.BoolVar(&e.full, "full", false, "every segment, long phases of data too")
	frame := numberFlag(fs, "bits", 0, 1, 1_000_000_000, "instead, draw the headers of frame `N` bit by bit")
	format := choiceFlag(fs, "format", []string{"text", "markdown", "json", "html", "svg"}, "output as text, markdown, json, html, svg")
	language := addLanguageFlag(fs)
	show := addDisplayFlags(fs)
	source.addReadingFlags(fs)
	show.addMessageFlags(fs)
	hide(fs, append(seldom, "udp-idle", "utc", "memory", "autostop")...)

	return func(ctx context.Context, p *program, args []string) error {
		show.apply(p)
		source.words = args
		if *all && fs.Changed("top") {
			return usage("--all and --top contradict each other")
		}
		if e.chooses() && (*all || fs.Changed("top")) {
			return usage("--connection and --community-id contradict --all and --top")
		}
		if e.top = top.value; *all {
			e.top = mostExplained
		}
		e.words = p.printerFor(language)
		d := show.display(p)
		if frame.value > 0 {
			if e.chooses() || *all || e.full || fs.Changed("top") {
				return usage("--bits draws one frame: --connection, --community-id, --all, --top and --full choose others")
			}
			if !slices.Contains(bitsFormats, format.value) {
				return usage("--bits draws as %s", strings.Join(bitsFormats, ", "))
			}
			return p.bits(ctx, source, uint64(frame.value), format.value, bits.Options{Width: d.width, Language: e.words.Language, ASCII: d.ascii})
		}
		e.width = min(d.width, 120)
		e.write = func(w io.Writer, c *explain.Conversation) error {
			return explain.WriteText(w, c, explain.TextOptions{Words: e.words, Width: d.width, Color: d.color, ASCII: d.ascii})
		}
		switch format.value {
		case "markdown":
			e.width = 0
			e.write = func(w io.Writer, c *explain.Conversation) error { return explain.WriteMarkdown(w, c, e.words) }
		case "json":
			e.bare = true
			e.write = func(w io.Writer, c *explain.Conversation) error { return explain.WriteJSON(w, c, e.words) }
		case "html":
			e.bare, e.page = true, &pageOf{}
		case "svg":
			e.bare, e.single = true, true
			e.write = func(w io.Writer, c *explain.Conversation) error { return ladder.WriteSVG(w, c, e.words) }
		}
		return e.run(ctx, p)
	}
}

// ids is a flag value that collects numbers of connections.
type ids []uint64

func (n *ids) Type() string   { return "N" }
func (n *ids) String() string { return "" }

func (n *ids) Set(s string) error {
	v, err := strconv.ParseUint(s, 10, 64)
	if err != nil || v == 0 {
		return errors.New("must be a number from 1 on")
	}
	*n = append(*n, v)
	return nil
}

// An explaining finds connections and explains them: the source is read once to find them,
// and once more to follow those that were chosen.
type explaining struct {
	source      *sourceFlags
	ids         []uint64
	communities []string
	top         int // 0: all
	full        bool
	words       *lang.Printer
	width       int  // of lines; 0: they are not broken
	bare        bool // nothing stands between or behind the conversations
	write       func(io.Writer, *explain.Conversation) error

	page   *pageOf // html; else nil
	single bool    // write can have only one conversation

	found int                  // connections that there are
	about map[uint64]*referred // of ICMP errors, by the first frame of their conversation
}

// chooses reports whether the user named connections.
func (e *explaining) chooses() bool { return len(e.ids)+len(e.communities) > 0 }

func (e *explaining) run(ctx context.Context, p *program) error {
	if e.source.isLive() || readableOnce(e.source.files) {
		e.source.keep = &kept{}
	}
	g := e.newChoosing()
	e.source.early = func(_ func() capture.Stats, c *flow.Connection) { g.add(c) }
	r, err := e.source.read(ctx, p)
	if err != nil {
		return err
	}
	for c := range r.result.Connections() {
		g.add(c)
	}
	chosen, err := g.end()
	if err != nil {
		return err
	}
	e.refer(r, chosen)
	if e.single && len(chosen) != 1 {
		return usage("--format svg draws one connection (here are %d): choose it with --connection N", len(chosen))
	}
	if rest := e.found - e.top; e.bare && !e.chooses() && e.top > 0 && rest > 0 {
		p.remark("", fmt.Sprintf("%d of %d connections are not explained (--top, --all)", rest, e.found))
	}
	if k := e.source.keep; k != nil && k.left > 0 {
		p.remark("", fmt.Sprintf("%d frames are not explained: there was room for the first %d (%s)", k.left, len(k.frames), bytesText(k.most)))
	}
	if e.page != nil {
		if err := p.write(func(w io.Writer) error {
			return e.page.begin(w, e.words, slices.Concat(e.source.files, e.source.live.interfaces), chosen)
		}); err != nil {
			return err
		}
		e.write = e.page.add
	}
	if ctx.Err() != nil { // who ended the reading wants to see what was read until then
		ctx = context.WithoutCancel(ctx)
	}
	for len(chosen) > 0 {
		n := together(chosen)
		conversations, err := e.follow(ctx, p, r, chosen[:n])
		if err != nil {
			return err
		}
		for i := range conversations {
			if a := e.about[conversations[i].Connection.FirstFrame]; a != nil && a.count > 0 {
				conversations[i].Refer(a.first, a.count)
			}
			if ctx.Err() != nil {
				if e.page != nil { // what is there can be looked at
					if err := p.write(func(io.Writer) error { return e.page.end("") }); err != nil {
						return err
					}
				}
				return &failure{exitInterrupted, errors.New("interrupted: not all connections are explained")}
			}
			if err := p.write(func(w io.Writer) error { return e.writeNext(w, &conversations[i], i > 0) }); err != nil {
				return err
			}
		}
		if chosen = chosen[n:]; len(chosen) > 0 {
			if err := p.write(e.writeGap); err != nil {
				return err
			}
		}
	}
	return r.present(p, e.writeRest)
}

// writeNext writes a conversation, set off from the one before.
func (e *explaining) writeNext(w io.Writer, c *explain.Conversation, more bool) error {
	if more {
		if err := e.writeGap(w); err != nil {
			return err
		}
	}
	return e.write(w, c)
}

func (e *explaining) writeGap(w io.Writer) error {
	if e.bare {
		return nil
	}
	_, err := io.WriteString(w, "\n\n")
	return err
}

// writeRest tells how many connections were not chosen, and how to get at them.
func (e *explaining) writeRest(w io.Writer) error {
	said, rest := "", e.found-e.top
	switch {
	case e.found == 0:
		said = e.words.Say("explain.none")
	case !e.chooses() && e.top > 0 && rest > 0:
		said = e.words.Say("explain.rest", rest)
	}
	switch {
	case e.page != nil:
		return e.page.end(said)
	case e.bare || said == "":
		return nil
	case e.found > 0:
		return e.writeLines(w, "", said)
	}
	return e.writeLines(w, said)
}

// writeLines writes paragraphs.
func (e *explaining) writeLines(w io.Writer, paragraphs ...string) error {
	for _, text := range paragraphs {
		lines := []string{text}
		if e.width > 0 {
			lines = lang.Wrap(text, e.width)
		}
		for _, line := range lines {
			if _, err := fmt.Fprintln(w, line); err != nil {
				return err
			}
		}
	}
	return nil
}

// A choosing takes the connections that the user wants to see out of all, which come in any
// order where memory was short.
type choosing struct {
	*explaining
	chosen      []flow.Connection
	roots       map[uint64]uint64 // of records that go on from another one: where they began, by ID
	ids         map[uint64]bool   // which of those that the user named were found
	communities map[string]bool   // likewise
}

func (e *explaining) newChoosing() *choosing {
	return &choosing{explaining: e, roots: map[uint64]uint64{}, ids: map[uint64]bool{}, communities: map[string]bool{}}
}

// add takes the next connection.
func (g *choosing) add(c *flow.Connection) {
	g.found++
	take := !g.chooses()
	if slices.Contains(g.explaining.ids, c.ID) {
		take, g.ids[c.ID] = true, true
	}
	if len(g.explaining.communities) > 0 {
		if id, ok := report.CommunityID(c); ok && slices.Contains(g.explaining.communities, id) {
			take, g.communities[id] = true, true
		}
	}
	own := *c
	if c.PartOf != 0 { // it is followed from its very beginning
		root := cmp.Or(g.roots[c.PartOf], c.PartOf)
		g.roots[c.ID] = root
		own.ID, own.FirstFrame = root, root // where there are parts, IDs are frames
	}
	if take {
		g.chosen = append(g.chosen, own)
		if !g.chooses() && g.top > 0 && len(g.chosen) > 2*g.top+64 {
			g.cut()
		}
	}
}

// cut puts what is chosen in order, each once, and drops what is too many.
func (g *choosing) cut() {
	slices.SortStableFunc(g.chosen, func(a, b flow.Connection) int { return cmp.Compare(a.FirstFrame, b.FirstFrame) })
	g.chosen = slices.CompactFunc(g.chosen, func(a, b flow.Connection) bool { return a.FirstFrame == b.FirstFrame })
	if !g.chooses() && g.top > 0 {
		g.chosen = g.chosen[:min(g.top, len(g.chosen))]
	}
}

// end gives what is chosen, or what the user named in vain.
func (g *choosing) end() ([]flow.Connection, error) {
	for _, id := range g.explaining.ids {
		if !g.ids[id] {
			return nil, usage("--connection %d: there is none (ids go to %d)", id, g.found)
		}
	}
	for _, id := range g.explaining.communities {
		if !g.communities[id] {
			return nil, usage("--community-id %s: no connection has it", report.EscapeASCII(id))
		}
	}
	g.cut()
	return g.chosen, nil
}

// A referred tells which connections the errors of an ICMP conversation are about.
type referred struct {
	first uint64 // ID of the first of them
	count int
}

// refer finds the connections that the chosen ICMP errors are about: they quote a packet of
// one, and so go to its sender.
func (e *explaining) refer(r *reading, chosen []flow.Connection) {
	type way struct{ from, to netip.Addr }
	ways := map[way]*referred{}
	e.about = map[uint64]*referred{}
	for i := range chosen {
		if c := &chosen[i]; explain.IsError(c) {
			w := way{c.Server.Addr(), c.Client.Addr()}
			if ways[w] == nil {
				ways[w] = &referred{}
			}
			e.about[c.FirstFrame] = ways[w]
		}
	}
	if len(ways) == 0 {
		return
	}
	for c := range r.result.Connections() {
		if !c.HasICMP {
			continue
		}
		for i, to := range []netip.Addr{c.Client.Addr(), c.Server.Addr()} {
			if i > 0 && to == c.Client.Addr() { // a host that talks to itself
				break
			}
			if a := ways[way{c.ICMPFrom, to}]; a != nil {
				if a.count++; a.count == 1 {
					a.first = c.ID
				}
			}
		}
	}
}

// together is how many of the chosen connections are followed at once: what is kept of their
// frames takes memory, so the source is rather read again.
func together(chosen []flow.Connection) int {
	const most = 1 << 17 // frames
	frames := uint64(0)
	for i := range chosen {
		frames += chosen[i].ToServer.Packets + chosen[i].ToClient.Packets
		if frames > most {
			return max(1, i)
		}
	}
	return len(chosen)
}

// follow reads the source again, for those connections.
func (e *explaining) follow(ctx context.Context, p *program, r *reading, chosen []flow.Connection) ([]explain.Conversation, error) {
	t := explain.NewTracer(explain.Config{Flow: e.source.flowConfig(), Full: e.full}, chosen)
	if k := e.source.keep; k != nil {
		for number, f := range k.all() {
			t.Frame(number, f)
		}
		return t.Conversations(), nil
	}
	src, err := pcapfile.Open(ctx, e.source.files, pcapfile.Config{MaxInput: e.source.maxInput.value, Stdin: p.stdin})
	if err != nil {
		return nil, err
	}
	defer src.Close()
	last := r.result.Totals.Frames
	var b capture.Block
	for ctx.Err() == nil {
		if err := src.Next(&b); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		over := false
		for i := range b.Frames {
			number, f := b.First+uint64(i), &b.Frames[i]
			if over = number > last; over {
				break
			}
			if r.filter == nil || r.filter.match(f) {
				t.Frame(number, f)
			}
		}
		src.Release(&b)
		if over {
			break
		}
	}
	conversations := t.Conversations()
	if len(conversations) < len(chosen) && ctx.Err() == nil {
		p.say("", fmt.Sprintf("%d of %d connections were not found again: the input has changed", len(chosen)-len(conversations), len(chosen)))
	}
	return conversations, nil
}
