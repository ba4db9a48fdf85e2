package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/service"
)

func portView() *view {
	return &view{
		name:     "port",
		synopsis: "N|NAME [-r FILE | -i IFACE] [flags]",
		summary:  "what a port number is, and who uses it here",
		examples: []example{
			{"sockscope port 443", "range, registered services, who listens"},
			{"sockscope port postgresql -r capture.pcapng", "and who used it in a capture"},
		},
		maxArgs: 1,
		define:  definePort,
	}
}

func definePort(fs *pflag.FlagSet) action {
	source := addSourceFlags(fs)
	source.addLiveFlags(fs)
	source.addFilterFlags(fs)
	format := choiceFlag(fs, "format", []string{"text", "json"}, "output as text, json")
	language := addLanguageFlag(fs)
	messages := &displayFlags{}
	source.addReadingFlags(fs)
	messages.addMessageFlags(fs)
	hide(fs, append(seldom, "udp-idle")...)

	return func(ctx context.Context, p *program, args []string) error {
		messages.apply(p)
		if len(args) == 0 {
			return usage("which port? name a number or a service, as in: sockscope port 443")
		}
		facts, err := p.findPort(args[0])
		if err != nil {
			return err
		}
		facts.lookHere() // before a capture, for which privileges are given up
		var r *reading
		if len(source.files) > 0 || source.isLive() {
			uses := newPortUses(facts.Port)
			source.early = func(_ func() capture.Stats, c *flow.Connection) { uses.add(c) }
			if r, err = source.read(ctx, p); err != nil {
				return err
			}
			for c := range r.result.Connections() {
				uses.add(c)
			}
			facts.use(uses)
		}
		write := func(w io.Writer) error {
			return p.writePort(w, facts, p.printerFor(language), min(outputWidth(p.stdout, os.Getenv), mostWidth))
		}
		if format.value == "json" {
			write = func(w io.Writer) error { return writePortJSON(w, facts) }
		}
		if r == nil {
			return p.write(write)
		}
		return r.present(p, write)
	}
}

// findPort reads a port number, or the name of a service that has one.
func (p *program) findPort(word string) (*portFacts, error) {
	number, transport, _ := strings.Cut(word, "/") // "443/tcp" is how the registry writes it
	switch transport {
	case "", "tcp", "udp", "sctp", "dccp":
	default:
		return nil, usage("port %s: no such transport (known: tcp, udp, sctp, dccp)", p.quote(word))
	}
	if strings.Trim(number, "0123456789") == "" && number != "" {
		n, err := strconv.ParseUint(number, 10, 16)
		if err != nil {
			return nil, usage("port %s: port numbers go from 0 to 65535", p.quote(cut(word, 40)))
		}
		return newPortFacts(uint16(n)), nil
	}
	var ports []uint16
	for _, e := range service.ByName(number) {
		if transport == "" || e.Transport == transport {
			ports = append(ports, e.Low)
		}
	}
	if len(ports) == 0 {
		near := ""
		if len(number) <= 64 {
			if names := service.Nearest(number, 3); len(names) > 0 {
				near = " (did you mean " + strings.Join(names, ", ") + "?)"
			}
		}
		return nil, usage("port %s: no service of that name has a port%s", p.quote(cut(word, 80)), near)
	}
	slices.Sort(ports)
	ports = slices.Compact(ports)
	facts := newPortFacts(ports[0])
	facts.OtherPorts = ports[1:]
	return facts, nil
}
