package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/pflag"

	"sockscope/capture/ring"
	"sockscope/report"
)

func interfacesView() *view {
	return &view{
		name:     "interfaces",
		synopsis: "[flags]",
		summary:  "this host's network interfaces (also -D)",
		examples: []example{
			{"sockscope interfaces", "a table"},
			{"sockscope interfaces --format json | jq -r .[].name", "only their names"},
		},
		define: defineInterfaces,
	}
}

func defineInterfaces(fs *pflag.FlagSet) action {
	format := choiceFlag(fs, "format", []string{"text", "json"}, "output as text, json")
	messages := &displayFlags{}
	messages.addMessageFlags(fs)
	return func(_ context.Context, p *program, _ []string) error {
		messages.apply(p)
		list, err := ring.Interfaces()
		if errors.Is(err, ring.ErrIncomplete) {
			p.remark("", err.Error())
		} else if err != nil {
			return err
		}
		return p.write(func(w io.Writer) error {
			if format.value == "json" {
				return writeInterfacesJSON(w, list)
			}
			return p.writeInterfaces(w, list)
		})
	}
}

// writeInterfaces writes a table. A host may have very long interface names and
// many addresses: those come last, one a line.
func (p *program) writeInterfaces(w io.Writer, list []ring.Interface) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INTERFACE\tSTATE\tLINK\tMTU\tHARDWARE ADDRESS\tADDRESSES")
	for _, i := range list {
		mtu, hardware := "-", "-"
		if i.MTU > 0 {
			mtu = fmt.Sprint(i.MTU)
		}
		if len(i.HardwareAddr) > 0 {
			hardware = i.HardwareAddr.String()
		}
		addresses := []string{"-"}
		if i.Name == "any" && i.Index == 0 {
			addresses = []string{"(all interfaces together)"}
		}
		for n, a := range i.Addresses {
			addresses = append(addresses[:n], a.String())
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", p.escape(i.Name), interfaceState(i), p.escape(i.Kind), mtu, hardware, addresses[0])
		for _, a := range addresses[1:] {
			fmt.Fprintf(t, "\t\t\t\t\t%s\n", a)
		}
	}
	return t.Flush()
}

// interfaceState is one word: can frames be captured, and is there a carrier?
func interfaceState(i ring.Interface) string {
	switch {
	case !i.Up:
		return "down"
	case !i.Running:
		return "no carrier"
	}
	return "up"
}

func writeInterfacesJSON(w io.Writer, list []ring.Interface) error {
	type entry struct {
		Name      string   `json:"name"`
		Index     int      `json:"index,omitzero"`
		Link      string   `json:"link"`
		Up        bool     `json:"up"`
		Running   bool     `json:"running"`
		MTU       int      `json:"mtu,omitzero"`
		Hardware  string   `json:"hardware_address,omitzero"`
		Addresses []string `json:"addresses,omitzero"`
	}
	entries := make([]entry, len(list))
	for n, i := range list {
		entries[n] = entry{
			Name: report.EscapeText(i.Name), Index: i.Index, Link: report.EscapeText(i.Kind),
			Up: i.Up, Running: i.Running, MTU: i.MTU, Hardware: strings.ToLower(i.HardwareAddr.String()),
		}
		for _, a := range i.Addresses {
			entries[n].Addresses = append(entries[n].Addresses, a.String())
		}
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(entries)
}
