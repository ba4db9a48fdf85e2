package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/capture/pcapfile"
	"sockscope/decode"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
	"sockscope/report"
	"sockscope/report/service"
)

// flowConfig is what the program itself gives the connection table.
func flowConfig() flow.Config {
	return flow.Config{UDPIdle: 2 * time.Minute, Classify: classify, Registered: service.Registered}
}

// analyse runs one capture through the program's parts.
func analyse(t *testing.T, path string, cfg flow.Config) (*engine.Result, capture.Stats) {
	t.Helper()
	ctx := context.Background()
	src, err := pcapfile.Open(ctx, []string{path}, pcapfile.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	res, err := engine.Run(ctx, src, engine.Config{Flow: cfg})
	if err != nil {
		t.Fatal(err)
	}
	return res, src.Stats()
}

// transport reports whether c is of a protocol with connections or flows; the
// expectations speak of those only.
func transport(c *flow.Connection) bool { return c.HasPorts }

// Every capture of the zoo comes out as its expectations say.
func TestZooOutcomes(t *testing.T) {
	all := zoo()
	for _, name := range zooFiles() {
		s := all[name]
		t.Run(s.name, func(t *testing.T) {
			res, _ := analyse(t, filepath.Join(testdata, name), flowConfig())
			var rows []map[string]string
			for c := range res.Connections() {
				if transport(c) || s.portless {
					row := report.NewRow(c)
					rows = append(rows, columns(&row))
				}
			}
			expect := s.record(t).expectations()
			if len(rows) != len(expect) {
				t.Fatalf("%d connections, want %d", len(rows), len(expect))
			}
			for i, line := range expect {
				want, err := parseExpectation(line, s.unsaid)
				if err != nil {
					t.Fatal(err)
				}
				got := map[string]string{}
				for column := range want {
					got[column] = rows[i][column]
				}
				if d := cmp.Diff(want, got); d != "" {
					t.Errorf("connection %d, %s > %s (-want +got):\n%s", i+1, rows[i]["client"], rows[i]["server"], d)
				}
			}
		})
	}
}

// parseExpectation reads "column=value …" and checks that the columns that
// every expectation has to give are there.
func parseExpectation(line string, unsaid []string) (map[string]string, error) {
	want := map[string]string{}
	for _, word := range strings.Fields(line) {
		column, value, ok := strings.Cut(word, "=")
		if _, known := columns(&report.Row{})[column]; !ok || !known {
			return nil, fmt.Errorf("expectation %q: no column %q", line, column)
		}
		want[column] = value
	}
	for _, column := range []string{"outcome", "close", "flags"} {
		if _, ok := want[column]; !ok && !slices.Contains(unsaid, column) {
			return nil, fmt.Errorf("expectation %q does not give %s", line, column)
		}
	}
	return want, nil
}

// columns is a row in the words of the expectations: "-" for nothing.
func columns(r *report.Row) map[string]string {
	word := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	pair := func(a, b any) string { return fmt.Sprintf("%v/%v", a, b) }
	duration := func(d time.Duration) string {
		if d == flow.NoDuration {
			return "-"
		}
		return d.String()
	}
	var waits, tunnels []string
	for _, w := range r.SYNWaits {
		waits = append(waits, w.String())
	}
	for _, tunnel := range r.Tunnels {
		name := tunnelName(tunnel)
		tunnels = append(tunnels, name)
	}
	a, b := &r.ToServer.Options, &r.ToClient.Options
	m := map[string]string{
		"outcome": r.Outcome.String(), "close": word(r.Close.String()), "closed_by": word(r.ClosedBy.String()),
		"flags": word(strings.Join(r.Flags.Names(), ",")), "role": r.Role.String(),
		"client": r.Client.String(), "server": r.Server.String(),
		"completeness": strconv.Itoa(int(r.Completeness)), "conn_state": word(r.ConnState), "history": word(r.History),
		"ambiguous": strconv.FormatBool(r.Ambiguous), "syn_waits": word(strings.Join(waits, ",")),
		"syn_rtt": duration(r.SYNRTT), "ack_rtt": duration(r.ACKRTT), "setup": duration(r.Setup),
		"isn": pair(a.ISN, b.ISN), "mss": pair(a.MSS, b.MSS), "window_scale": pair(a.WindowScale, b.WindowScale),
		"sack_permitted": pair(a.SACKPermitted, b.SACKPermitted), "timestamps": pair(a.Timestamps, b.Timestamps),
		"states":  pair(r.ClientState, r.ServerState),
		"service": pair(word(r.Service), word(r.ServiceBasis)), "server_name": word(r.Evidence.ServerName), "alpn": word(r.Evidence.ALPN),
		"icmp": "-", "icmp_from": "-", "vlan": "-", "tunnel": word(strings.Join(tunnels, ",")),
		"interface": strconv.Itoa(int(r.Interface)),
	}
	if r.HasICMP {
		m["icmp"], m["icmp_from"] = pair(r.ICMPType, r.ICMPCode), r.ICMPFrom.String()
	}
	if r.HasVLAN {
		m["vlan"] = strconv.Itoa(int(r.VLAN))
	}
	for column, n := range map[string]uint64{
		"syn_frame": r.SYNFrame, "synack_frame": r.SYNACKFrame, "ack_frame": r.ACKFrame, "verdict_frame": r.VerdictFrame,
		"syn_count": uint64(r.SYNCount), "synack_count": uint64(r.SYNACKCount),
		"packets":     r.ToServer.Packets + r.ToClient.Packets,
		"packets_c2s": r.ToServer.Packets, "packets_s2c": r.ToClient.Packets,
		"ip_bytes_c2s": r.ToServer.IPBytes, "ip_bytes_s2c": r.ToClient.IPBytes,
		"payload_bytes_c2s": r.ToServer.Payload, "payload_bytes_s2c": r.ToClient.Payload,
		"zero_windows_c2s": r.ToServer.ZeroWindows, "zero_windows_s2c": r.ToClient.ZeroWindows,
		"keep_alives_c2s": r.ToServer.KeepAlives, "keep_alives_s2c": r.ToClient.KeepAlives,
		"retransmissions_c2s": r.ToServer.Retransmissions, "retransmissions_s2c": r.ToClient.Retransmissions,
		"out_of_order_c2s": r.ToServer.OutOfOrder, "out_of_order_s2c": r.ToClient.OutOfOrder,
		"dup_acks_c2s": r.ToServer.DupACKs, "dup_acks_s2c": r.ToClient.DupACKs,
		"missing_bytes_c2s": r.ToServer.Missing, "missing_bytes_s2c": r.ToClient.Missing,
	} {
		m[column] = strconv.FormatUint(n, 10)
	}
	return m
}

// tunnelName is a tunnel in the words of the expectations: "vxlan:42", "gre".
func tunnelName(t decode.Tunnel) string {
	name := map[decode.TunnelKind]string{decode.VXLAN: "vxlan", decode.GRE: "gre", decode.IPIP: "ipip"}[t.Kind]
	if t.HasID {
		return fmt.Sprintf("%s:%d", name, t.ID)
	}
	return name
}
