package report

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/decode"
	"sockscope/decode/flow"
)

func TestColumnNamesAreTheVocabulary(t *testing.T) {
	want := strings.Fields(`
		id community_id proto tunnel vlan interface part_of
		client_ip client_port client_range server_ip server_port server_range role_basis
		service service_basis server_name alpn
		outcome failed flags close closed_by conn_state history completeness
		first_frame syn_frame synack_frame ack_frame verdict_frame syn_count synack_count syn_waits_ns icmp_type icmp_code icmp_from
		start duration_ns syn_rtt_ns ack_rtt_ns setup_ns ambiguous
		packets_c2s packets_s2c bytes_c2s bytes_s2c ip_bytes_c2s ip_bytes_s2c payload_bytes_c2s payload_bytes_s2c
		syn_c2s syn_s2c synack_c2s synack_s2c fin_c2s fin_s2c rst_c2s rst_s2c
		retransmissions_c2s retransmissions_s2c out_of_order_c2s out_of_order_s2c dup_acks_c2s dup_acks_s2c
		zero_windows_c2s zero_windows_s2c keep_alives_c2s keep_alives_s2c missing_bytes_c2s missing_bytes_s2c
		rtt_min_ns_c2s rtt_min_ns_s2c rtt_p50_ns_c2s rtt_p50_ns_s2c rtt_p95_ns_c2s rtt_p95_ns_s2c rtt_max_ns_c2s rtt_max_ns_s2c
		rtt_samples_c2s rtt_samples_s2c
		mss_client mss_server window_scale_client window_scale_server sack_permitted_client sack_permitted_server
		timestamps_client timestamps_server isn_client isn_server
		pid process cmdline uid user unit container netns process_side process_basis peer_pid peer_process peer_process_basis`)
	if diff := cmp.Diff(want, ColumnNames()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAliasesStandForColumns(t *testing.T) {
	chosen, err := chooseColumns([]string{"id", "bytes", "setup"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range chosen {
		got = append(got, c.name)
	}
	if diff := cmp.Diff([]string{"id", "bytes_c2s", "bytes_s2c", "setup_ns"}, got); diff != "" {
		t.Error(diff)
	}
	if _, err := chooseColumns(ColumnAliases()); err != nil {
		t.Error(err)
	}
	if _, err := chooseColumns([]string{"bytes_s2c", "bytes"}); err == nil {
		t.Error("a column is given by its name and by its alias")
	}
}

func TestEveryColumnHasAValueInTheSamples(t *testing.T) {
	x := context{interfaces: sampleInterfaces}
	seen := map[string]bool{}
	part := sampleRows()[0]
	part.PartOf = 3
	for _, r := range append(append(sampleRows(), processRows()...), part) {
		for i := range vocabulary {
			if value, ok := vocabulary[i].append(nil, &r, &x); ok {
				seen[vocabulary[i].name] = true
				if len(value) == 0 {
					t.Errorf("%s is known but empty", vocabulary[i].name)
				}
			} else if len(value) != 0 {
				t.Errorf("%s is not known but appends %q", vocabulary[i].name, value)
			}
		}
	}
	for _, name := range ColumnNames() {
		// A server that offers neither is a sample too.
		if !seen[name] && name != "mss_server" && name != "window_scale_server" {
			t.Errorf("no sample has %s", name)
		}
	}
}

func TestAnEmptyRowHasFewColumns(t *testing.T) {
	row := Row{Connection: flow.Connection{SYNRTT: flow.NoDuration, ACKRTT: flow.NoDuration, Setup: flow.NoDuration}}
	got := string(writeRows(t, "ndjson", ConnectionOptions{}, []Row{row}))
	want := `{"id":0,"proto":"hopopt","role_basis":"syn","outcome":"complete","failed":false,"start":"1970-01-01T00:00:00.000000Z","duration_ns":0,` +
		`"packets_c2s":0,"packets_s2c":0,"bytes_c2s":0,"bytes_s2c":0,"ip_bytes_c2s":0,"ip_bytes_s2c":0,"payload_bytes_c2s":0,"payload_bytes_s2c":0}` + "\n"
	if got != want {
		t.Errorf("%s", cmp.Diff(want, got))
	}
	row.Client = netip.AddrPort{}
	if got := string(writeRows(t, "ndjson", ConnectionOptions{Columns: []string{"client_ip", "vlan"}}, []Row{row})); got != "{}\n" {
		t.Errorf("no columns: %s", got)
	}
}

func TestFlagsAreTheWordsOfTheSet(t *testing.T) {
	for bit := range flow.NumFlags {
		r := Row{Connection: flow.Connection{Flags: 1 << bit}}
		b, ok := appendFlags(nil, &r, nil)
		if want := strings.Join(r.Flags.Names(), ";"); string(b) != want || !ok {
			t.Errorf("%s, want %s", b, want)
		}
	}
	if b, ok := appendFlags([]byte("x"), &Row{}, nil); ok || string(b) != "x" {
		t.Errorf("no flags: %q %v", b, ok)
	}
	unknown := Row{Connection: flow.Connection{Flags: 1 << 31}}
	if b, ok := appendFlags(nil, &unknown, nil); ok {
		t.Errorf("an unknown flag: %q", b)
	}
}

func TestTunnels(t *testing.T) {
	v4 := func(last byte) decode.Addr { return decode.Addr{10, 0, 0, last} }
	for want, tunnels := range map[string][]decode.Tunnel{
		"":                               nil,
		"vxlan 10.0.0.1>10.0.0.2 vni 42": {{Kind: decode.VXLAN, Version: 4, HasID: true, ID: 42, Src: v4(1), Dst: v4(2)}},
		"gre 10.0.0.1>10.0.0.2; gtp-u ::>:: teid 4294967295; macsec": {
			{Kind: decode.GRE, Version: 4, Src: v4(1), Dst: v4(2)},
			{Kind: decode.GTPU, Version: 6, HasID: true, ID: 1<<32 - 1}, {Kind: decode.MACsec}},
	} {
		if got := string(appendTunnels(nil, tunnels)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestProtocolNames(t *testing.T) {
	for protocol, want := range map[uint8]string{
		0: "hopopt", 1: "icmp", 6: "tcp", 17: "udp", 41: "ipv6", 47: "gre", 50: "esp", 51: "ah", 58: "icmpv6", 60: "ipv6-opts",
		61: "61", 89: "ospf", 94: "ipip", 97: "etherip", 103: "pim", 112: "vrrp", 114: "114", 115: "l2tp", 124: "isis",
		132: "sctp", 136: "udplite", 137: "mpls-in-ip", 139: "hip", 143: "ethernet", 147: "bit-emu", 148: "148", 255: "255",
	} {
		if got := protocolName(protocol); got != want {
			t.Errorf("%d: %s, want %s", protocol, got, want)
		}
	}
}

func TestNewRowTellsWhereTheServiceIsFrom(t *testing.T) {
	conn := tcpRow(1, "10.0.0.1:40000", "10.0.0.2:443").Connection
	proven := conn
	proven.Evidence.Service = "ssh"
	portless := conn
	portless.HasPorts = false
	unknown := conn
	unknown.Server = netip.MustParseAddrPort("10.0.0.2:49999")
	for name, c := range map[string]struct {
		conn           flow.Connection
		service, basis string
	}{
		"the registry has the port":      {conn, "https", "port"},
		"the payload outranks the port":  {proven, "ssh", "payload"},
		"without ports there is no name": {portless, "", ""},
		"the registry has no such port":  {unknown, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			want := Row{Connection: c.conn, Service: c.service, ServiceBasis: c.basis}
			if diff := cmp.Diff(want, NewRow(&c.conn), cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is not among options that the snap length cut off may have been offered.
func TestOffered(t *testing.T) {
	for _, tt := range []struct {
		options           flow.Options
		has, value, known bool
	}{
		{flow.Options{}, false, false, false},
		{flow.Options{Known: true}, false, false, true},
		{flow.Options{Known: true}, true, true, true},
		{flow.Options{Known: true, Cut: true}, false, false, false},
		{flow.Options{Known: true, Cut: true}, true, true, true},
	} {
		if value, known := offered(&tt.options, tt.has); value != tt.value || known != tt.known {
			t.Errorf("%+v, %v: %v, known %v", tt.options, tt.has, value, known)
		}
	}
}

// Every column is explained, and nothing else is.
func TestColumnMeanings(t *testing.T) {
	explained := map[string]bool{}
	for _, line := range ColumnMeanings() {
		if line.Meaning == "" {
			t.Errorf("%v: not explained", line.Names)
		}
		for _, name := range line.Names {
			explained[name] = true
		}
	}
	for _, name := range ColumnNames() {
		if !explained[name] {
			t.Errorf("%s: not explained", name)
		}
	}
	used := map[string]bool{}
	for _, line := range ColumnMeanings() {
		used[line.Meaning] = true
	}
	for name, meaning := range meanings {
		if !used[meaning] {
			t.Errorf("%s: there is no such column", name)
		}
	}
}
