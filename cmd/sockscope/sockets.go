package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/capture/process"
	"sockscope/report/service"
)

func socketsView() *view {
	return &view{
		name:     "sockets",
		synopsis: "[PROCESS|PORT|SERVICE] [flags]",
		summary:  "this host's sockets by process and port",
		examples: []example{
			{"sockscope sockets --explain", "and what they show, in words"},
			{"sockscope sockets nginx", "those of a process; or of a port: 443, https"},
		},
		maxArgs: 1,
		define:  defineSockets,
	}
}

func defineSockets(fs *pflag.FlagSet) action {
	explain := fs.Bool("explain", false, "say in words what the sockets show")
	format := choiceFlag(fs, "format", []string{"text", "json", "ndjson"}, "output as text, json, ndjson (one socket a line)")
	language := addLanguageFlag(fs)
	messages := &displayFlags{}
	messages.addMessageFlags(fs)

	return func(_ context.Context, p *program, args []string) error {
		messages.apply(p)
		if *explain && format.value != "text" {
			return usage("--explain needs --format text")
		}
		host, err := process.Sockets(process.Survey{})
		if err != nil {
			return err
		}
		tree := newSocketTree(host)
		if len(args) > 0 {
			if err := p.narrow(tree, args[0]); err != nil {
				return err
			}
		}
		return p.write(func(w io.Writer) error {
			switch format.value {
			case "json":
				return writeSocketsJSON(w, tree)
			case "ndjson":
				return writeSocketsLines(w, tree)
			}
			say := p.printerFor(language)
			if tree.sockets() == 0 && len(args) > 0 {
				_, err := fmt.Fprintln(w, say.Say("sockets.none", p.escape(args[0])))
				return err
			}
			return p.writeSockets(w, tree, say, min(outputWidth(p.stdout, os.Getenv), mostWidth), *explain)
		})
	}
}

// mostWidth is how wide text is at most: longer lines are no easier to read.
const mostWidth = 120

// narrow leaves the sockets of a port at either end, of a service's ports, or of processes
// with a name.
func (p *program) narrow(t *socketTree, word string) error {
	ports := map[uint16]bool{}
	isNumber := word != "" && strings.Trim(word, "0123456789") == ""
	if isNumber {
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil || n == 0 {
			return usage("%s: port numbers go from 1 to 65535", p.quote(cut(word, 40)))
		}
		ports[uint16(n)] = true
	}
	for _, e := range slices.Concat(service.ByName(word), service.CommonByName(word)) {
		if e.Low == e.High {
			ports[e.Low] = true
		}
	}
	var names []string
	for _, h := range t.holders {
		for _, d := range h.doors {
			for _, s := range d.sockets {
				for _, o := range s.Owners {
					names = append(names, o.Name)
				}
			}
		}
	}
	if len(ports) == 0 && !slices.Contains(names, word) {
		slices.Sort(names)
		near := nearest(word, slices.Compact(names))
		if near == "" && len(word) <= 64 {
			near = strings.Join(service.Nearest(word, 1), "")
		}
		if near != "" {
			near = " (did you mean " + p.escape(near) + "?)"
		}
		return usage("%s: no process with sockets and no service has that name%s", p.quote(cut(word, 80)), near)
	}
	t.choose(func(h *holder, s *capture.Socket) bool {
		if s.Type <= capture.Datagram && (ports[s.Local.Port()] || ports[s.Remote.Port()]) {
			return true
		}
		return !isNumber && (h.process != nil && h.process.Name == word ||
			slices.ContainsFunc(s.Owners, func(o capture.Owner) bool { return o.Name == word }))
	})
	return nil
}
