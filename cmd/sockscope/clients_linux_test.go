package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// firewall is that of the other host.
const firewall = `table inet t { chain in { type filter hook input priority 0;
	tcp dport 82 drop
	tcp dport 83 reject with icmpx port-unreachable
	tcp dport 84 reject with tcp reset
	tcp dport 85 reject with icmpx admin-prohibited
	udp dport 9000 drop
	}
}`

// unfinished keeps the answers of port 86 from the host that asked.
const unfinished = `table inet t { chain in { type filter hook input priority 0;
	tcp sport 86 drop
	}
}`

// clients is what real clients did in serve and ask, by port, for each IP version.
var clients = []string{
	"tcp 5201 - complete", // iperf3: control, data
	"tcp 5201 - complete",
	"tcp 5202 - complete",      // control of UDP
	"tcp 80 http complete fin", // curl
	"tcp 81 - refused",         // nobody listens
	"tcp 82 - unanswered",      // dropped
	"tcp 83 - unreachable",     // rejected
	"tcp 84 - refused",
	"tcp 85 - unreachable",
	"tcp 86 - half-open",
	"tcp 87 - complete reset", // SO_LINGER 0
	"udp 5202 - answered",
	"udp 53 domain answered", // dig
	"udp 9000 - unanswered",
	"udp 9001 - unreachable",
}

// serve opens the other host's servers.
func serve(t *testing.T, h *twoHosts) {
	t.Helper()
	onFarThread(h, func() (bool, error) { // no answers of port 86 after the end of a capture
		return true, os.WriteFile("/proc/sys/net/ipv4/tcp_synack_retries", []byte("0"), 0)
	})
	listen := func(port int) net.Listener {
		l := onFarThread(h, func() (net.Listener, error) { return net.Listen("tcp", fmt.Sprint(":", port)) })
		t.Cleanup(func() { l.Close() })
		return l
	}
	go http.Serve(listen(80), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 100_000)) }))
	listen(86)
	resets := listen(87)
	go func() {
		for {
			c, err := resets.Accept()
			if err != nil {
				return
			}
			c.Read(make([]byte, 1))
			c.(*net.TCPConn).SetLinger(0)
			c.Close()
		}
	}()
	names := onFarThread(h, func() (net.PacketConn, error) { return net.ListenPacket("udp", ":53") })
	t.Cleanup(func() { names.Close() })
	go func() {
		b := make([]byte, 512)
		for {
			n, from, err := names.ReadFrom(b)
			if err != nil {
				return
			}
			b[2] |= 0x80 // the question back: there is nothing of that name
			names.WriteTo(b[:n], from)
		}
	}()
	nft := exec.Command("nft", firewall)
	nft.Args = append(strings.Fields(h.there()), nft.Args...)
	nft.Path, _ = exec.LookPath("nsenter")
	if out, err := nft.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
	if out, err := exec.Command("nft", unfinished).CombinedOutput(); err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
	h.iperf3(5201)
	h.iperf3(5202) // after a test a server is busy for a while
}

// ask runs the clients of one IP version.
func ask(t *testing.T, address string) {
	var all sync.WaitGroup
	defer all.Wait()
	at := func(port int) string { return net.JoinHostPort(address, fmt.Sprint(port)) }
	curl := func(port, status int) {
		all.Go(func() {
			err := exec.Command("curl", "--silent", "--noproxy", "*", "--connect-timeout", "1.5", "--output", "/dev/null", "http://"+at(port)).Run()
			got := 0
			if e, ok := err.(*exec.ExitError); ok {
				got = e.ExitCode()
			} else if err != nil {
				t.Error("curl: ", err)
			}
			if got != status {
				t.Errorf("curl port %d: exit status %d, want %d", port, got, status)
			}
		})
	}
	curl(80, 0)
	for _, port := range []int{81, 83, 84, 85} {
		curl(port, 7) // failed to connect
	}
	for _, port := range []int{82, 86} {
		curl(port, 28) // timed out
	}
	all.Go(func() {
		c, err := net.Dial("tcp", at(87))
		if err != nil {
			t.Error(err)
			return
		}
		c.Write([]byte("?"))
		c.Read(make([]byte, 1))
		c.Close()
	})
	for _, port := range []string{"9000", "9001"} {
		c, err := net.Dial("udp", net.JoinHostPort(address, port))
		if err != nil {
			t.Error(err)
			continue
		}
		c.Write([]byte("anybody?"))
		defer c.Close()
	}
	for _, words := range []string{
		"dig +tries=1 +nocookie www.example.com @" + address,
		"iperf3 -n 4M -c " + address,
		"iperf3 -p 5202 -u -b 50M -n 300K -l 1000 -c " + address,
	} {
		command(t, words)
	}
}

// A connection is what must not depend on who captured it, and when a frame of the other
// direction came.
type connection struct {
	Proto                                string
	Client_ip, Server_ip                 string
	Client_port, Server_port             int
	Service, Outcome, Close, Conn_state  string
	Service_basis                        string
	Packets_c2s, Packets_s2c             uint64
	Bytes_c2s, Bytes_s2c                 uint64
	Ip_bytes_c2s, Ip_bytes_s2c           uint64
	Payload_bytes_c2s, Payload_bytes_s2c uint64
	Syn_c2s, Synack_s2c                  uint64
	Fin_c2s, Fin_s2c, Rst_c2s, Rst_s2c   uint64
	Icmp_type, Icmp_code                 int
	Icmp_from                            string
}

func connectionsOf(t *testing.T, ndjson string) []connection {
	t.Helper()
	var list []connection
	for line := range strings.Lines(ndjson) {
		var c connection
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b connection) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return list
}

// String is a line as in clients.
func (c *connection) String() string {
	service := c.Service
	if service == "" || c.Service_basis == "port" {
		service = "-"
	}
	line := fmt.Sprint(c.Proto, " ", c.Server_port, " ", service, " ", c.Outcome)
	if c.Close != "" && c.Close != "never" && c.Server_port < 5201 { // iperf3 closes as it can
		line += " " + c.Close
	}
	return line
}

// saidBy is what a summary in JSON says without times and frame numbers, names of inputs,
// and how much of the frames was kept: each capture takes its own times, and frames that
// two processors bring at once come to two captures in either order.
func saidBy(t *testing.T, summary string) string {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(summary), &all); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"input", "interfaces", "timeline"} {
		delete(all, name)
	}
	text, err := json.MarshalIndent(timeless(all), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func timeless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if ofOneCapture(name, v[name]) {
				delete(v, name)
				continue
			}
			v[name] = timeless(v[name])
		}
	case []any:
		for i := range v {
			v[i] = timeless(v[i])
		}
		slices.SortFunc(v, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) // connections come by frame number
	}
	return v
}

// ofOneCapture says whether another capture of the same moment may have another value.
func ofOneCapture(name string, value any) bool {
	if _, numbers := value.([]any); numbers {
		return name == "frames"
	}
	return strings.HasSuffix(name, "_ns") || strings.HasPrefix(name, "rtt_") || strings.Contains(name, "_ns_") ||
		strings.HasSuffix(name, "_frame") ||
		slices.Contains([]string{"id", "first", "last", "start", "until", "interface", "captured_bytes"}, name)
}

// Connections of real clients, and those that come to nothing, have the right names, and
// the same numbers as in tcpdump's capture of the same moment.
func TestRealClients(t *testing.T) {
	needs(t, "curl", "dig", "iperf3", "ip", "nft", "nsenter", "tcpdump")
	if !inNamespace(t) {
		return
	}
	h := newTwoHosts(t)
	serve(t, h)
	// Without what the hosts say to find each other, which a capture that listens first has more of.
	const filter = "tcp or udp or icmp or icmp6[0] = 1"
	words := func(s string) []string { return append(strings.Fields(s), filter) }
	name := filepath.Join(t.TempDir(), "tcpdump.pcap")
	tcpdump := words("tcpdump -i near -B 65536 -Z root --time-stamp-precision=nano -w " + name)
	end := startRated(t, exec.Command(tcpdump[0], tcpdump[1:]...))
	time.Sleep(100 * time.Millisecond)
	var live, all, report, said string
	_, live, said = capturing(t, "connections -i near --format ndjson "+filter, func() {
		_, all, _ = capturing(t, "connections -i any --format ndjson "+filter, func() {
			_, report, _ = capturing(t, "report -i near --format json "+filter, func() {
				ask(t, "10.9.0.2")
				ask(t, "fd09::2")
			})
		})
	})
	time.Sleep(1200 * time.Millisecond) // tcpdump loses what its last second brings
	theirs := end(os.Interrupt)
	for _, text := range []string{said, theirs} {
		if n := counted(t, text, "dropped by kernel"); n > 0 {
			t.Fatalf("%d frames dropped", n)
		}
	}
	if ours, theirs := counted(t, said, "captured"), counted(t, theirs, "captured"); ours != theirs {
		t.Errorf("%d frames, tcpdump has %d", ours, theirs)
	}
	for _, address := range []string{"10.9.0.2", "fd09::2"} {
		var got []string
		for _, c := range connectionsOf(t, live) {
			if c.Server_ip == address && c.Server_port != 0 {
				got = append(got, c.String())
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, clients) {
			t.Errorf("%s:\n%s\nwant\n%s", address, strings.Join(got, "\n"), strings.Join(clients, "\n"))
		}
	}
	var list, summary bytes.Buffer
	run(context.Background(), []string{"connections", "-r", name, "--format", "ndjson"}, nil, &list, io.Discard)
	run(context.Background(), []string{"report", "-r", name, "--format", "json"}, nil, &summary, io.Discard)
	file := connectionsOf(t, list.String())
	for what, ndjson := range map[string]string{"near": live, "any": all} {
		if diff := cmp.Diff(file, connectionsOf(t, ndjson)); diff != "" {
			t.Errorf("-i %s is not as tcpdump has it (-tcpdump, +ours):\n%s", what, diff)
		}
	}
	if diff := cmp.Diff(saidBy(t, summary.String()), saidBy(t, report)); diff != "" {
		t.Errorf("the report is not that of tcpdump's file (-tcpdump, +ours):\n%s", diff)
	}
}
