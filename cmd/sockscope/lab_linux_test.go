package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture/lab"
)

// readings are what each lab's name promises, as this program reads its frames and as
// tshark does.
var readings = map[string]struct {
	connections string   // outcome, close, by whom; of several one after the other
	errors      string   // of the calls that failed
	tshark      []string // what is counted in its reading, and how often that is there
}{
	"handshake":         {"complete open", "", []string{"completeness 7: 1", "SYN: 2", "streams: 1"}},
	"refused":           {"refused never server", "ECONNREFUSED", []string{"completeness 37: 1", "RST: 1"}},
	"no-reply":          {"unanswered never", "ETIMEDOUT", []string{"completeness 1: 1", "SYN: 3", "retransmission: 2"}},
	"half-open":         {"half-open never", "", []string{"completeness 3: 1", "SYN: 3", "retransmission: 1"}},
	"simultaneous-open": {"complete open", "", []string{"SYN: 4", "RST: 0", "streams: 1"}},
	"close":             {"complete fin client", "", []string{"completeness 23: 1", "FIN: 2"}},
	"half-close":        {"complete fin client", "", []string{"completeness 31: 1", "FIN: 2", "data: 1", "data behind a FIN: 1"}},
	"time-wait":         {"complete fin server", "EADDRINUSE", []string{"completeness 23: 1", "FIN: 2"}},
	"reset":             {"complete reset client", "ECONNRESET", []string{"completeness 39: 1", "RST: 1"}},
	"port-reuse": {"complete fin server, complete fin server", "", []string{"streams: 2", "reused: 1", "FIN: 4",
		"completeness 23: 2"}},
	"retransmission": {"complete open", "", []string{"retransmission: 2", "data: 3", "completeness 15: 1"}},
	"zero-window":    {"complete open", "", []string{"zero window: 2", "keep-alive: 1", "window update: 2", "data: 3"}},
	"udp":            {"answered", "", []string{"UDP: 2"}},
	"udp-refused":    {"unreachable", "ECONNREFUSED", []string{"UDP: 1", "ICMP 3/3: 1"}},
	"raw":            {"answered", "", []string{"ICMP 8/0: 1", "ICMP 0/0: 1"}},
	"one-port-many-sockets": {"complete open, complete open, complete open", "",
		[]string{"streams: 3", "completeness 7: 3"}},
	"stream-vs-datagram-vs-raw": {"complete open, unanswered, unanswered", "",
		[]string{"data: 2", "UDP: 2", "IP 253: 1"}},
	"ports-and-ranges": {"complete open, complete open", "EACCES EADDRINUSE", []string{"streams: 2", "completeness 7: 2"}},
}

// Each lab comes out as its name promises, run or made, for this program and for tshark.
func TestLabsComeOutAsPromised(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	if _, err := exec.LookPath("tshark"); err != nil {
		t.Skip(err)
	}
	for _, name := range lab.Names() {
		for _, made := range []bool{false, true} {
			if made && testing.Short() {
				continue
			}
			t.Run(fmt.Sprintf("%s, made %v", name, made), func(t *testing.T) {
				// On a busy machine a timer may come before a thread: then it is tried again.
				const attempts = 3
				var wrong []string
				for range attempts {
					if wrong = broken(t, name, made); len(wrong) == 0 {
						return
					}
				}
				t.Error(strings.Join(wrong, "\n"))
			})
		}
	}
}

// broken runs a lab and tells what is not as its name promises.
func broken(t *testing.T, name string, made bool) (wrong []string) {
	t.Helper()
	complain := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	file := filepath.Join(t.TempDir(), "lab.pcapng")
	args := []string{"lab", name, "--format", "json", "-w", file}
	if made {
		args = append(args, "--made")
	}
	status, stdout, stderr := runProgram(t, args...)
	if status != exitDone || stderr != "" {
		t.Fatalf("exit status %d: %s", status, stderr)
	}
	var j labJSON
	if err := json.Unmarshal([]byte(stdout), &j); err != nil {
		t.Fatal(err)
	}
	if j.Made != made {
		complain("made: %v", j.Made)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		complain("%v, %v", info, err)
	}
	want := readings[name]
	var connections, failed []string
	for _, c := range j.Connections {
		connections = append(connections, strings.TrimRight(c.Outcome+" "+c.Close+" "+c.ClosedBy, " "))
	}
	if got := strings.Join(connections, ", "); got != want.connections {
		complain("connections: %s, want %s", got, want.connections)
	}
	for _, c := range j.Calls {
		if reason, ok := strings.CutPrefix(c.Result, "-1 "); ok {
			reason, _, _ = strings.Cut(reason, " ")
			failed = append(failed, reason)
		}
	}
	if got := strings.Join(failed, " "); got != want.errors {
		complain("calls failed with %s, want %s", got, want.errors)
	}
	counts := tsharkCounts(t, file, len(j.Frames))
	for _, line := range want.tshark {
		what, number, _ := strings.Cut(line, ": ")
		if n, err := strconv.Atoi(number); err != nil || counts[what] != n {
			complain("tshark: %s: %d, want %s of %v", what, counts[what], number, counts)
		}
	}
	return wrong
}

// tsharkCounts counts what tshark finds in a file, in which all checksums must be right.
func tsharkCounts(t *testing.T, file string, frames int) map[string]int {
	t.Helper()
	fields := []string{"ip.proto", "tcp.stream", "tcp.completeness", "tcp.flags", "tcp.len", "tcp.analysis.retransmission",
		"tcp.analysis.zero_window", "tcp.analysis.window_update", "tcp.analysis.keep_alive", "tcp.analysis.reused_ports",
		"icmp.type", "icmp.code", "ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "icmp.checksum.status", "_ws.malformed"}
	args := []string{"-2", "-n", "-r", file, "-T", "fields", "-E", "occurrence=f"}
	for _, protocol := range []string{"ip", "tcp", "udp"} {
		args = append(args, "-o", protocol+".check_checksum:TRUE")
	}
	for _, f := range fields {
		args = append(args, "-e", f)
	}
	out, err := exec.Command("tshark", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != frames {
		t.Errorf("tshark finds %d frames, want %d", len(lines), frames)
	}
	counts := map[string]int{}
	completeness := map[string]string{} // the last of each stream
	finished := false
	for _, line := range lines {
		value := map[string]string{}
		for i, v := range strings.Split(line, "\t") {
			value[fields[i]] = v
		}
		count := func(what string, is bool) {
			if is {
				counts[what]++
			}
		}
		for _, f := range []string{"ip", "tcp", "udp", "icmp"} {
			if status := value[f+".checksum.status"]; status != "" && status != "1" {
				t.Errorf("tshark: checksum of %s: %s in %s", f, status, line)
			}
		}
		if value["_ws.malformed"] != "" {
			t.Errorf("tshark: malformed: %s", line)
		}
		flags, _ := strconv.ParseUint(value["tcp.flags"], 0, 16)
		data := value["tcp.len"] != "" && value["tcp.len"] != "0"
		count("FIN", flags&1 != 0)
		count("SYN", flags&2 != 0)
		count("RST", flags&4 != 0)
		count("data", data)
		count("data behind a FIN", data && finished)
		finished = finished || flags&1 != 0
		count("UDP", value["ip.proto"] == "17")
		count("IP 253", value["ip.proto"] == "253")
		count("ICMP "+value["icmp.type"]+"/"+value["icmp.code"], value["icmp.type"] != "")
		for _, f := range []string{"retransmission", "zero_window", "window_update", "keep_alive", "reused_ports"} {
			name := map[string]string{"zero_window": "zero window", "window_update": "window update", "keep_alive": "keep-alive", "reused_ports": "reused"}[f]
			if name == "" {
				name = f
			}
			count(name, value["tcp.analysis."+f] != "")
		}
		if value["tcp.stream"] != "" {
			completeness[value["tcp.stream"]] = value["tcp.completeness"]
		}
	}
	counts["streams"] = len(completeness)
	for _, c := range completeness {
		counts["completeness "+c]++
	}
	return counts
}

// The ports that the kernel hands out are from its range.
func TestLabPortsAreFromTheRange(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	status, stdout, stderr := runProgram(t, "lab", "ports-and-ranges", "--format", "json")
	var j labJSON
	if err := json.Unmarshal([]byte(stdout), &j); status != exitDone || err != nil {
		t.Fatalf("exit status %d, %v: %s", status, err, stderr)
	}
	var low, high, seen int
	for _, c := range j.Calls {
		if strings.HasSuffix(c.Call, "ip_local_port_range") {
			if _, err := fmt.Sscan(c.Result, &low, &high); err != nil {
				t.Fatal(err)
			}
		}
		if _, port, ok := strings.Cut(c.Call, ":"); ok && c.Name == "getsockname" {
			n, err := strconv.Atoi(strings.TrimSuffix(port, ")"))
			if seen++; err != nil || n < low || n > high {
				t.Errorf("%s: not from %d to %d", c.Call, low, high)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d ports", seen)
	}
}

// Who is not root runs labs, too: in a user namespace where the system allows it, else
// they are made, and the program says so.
func TestLabWithoutRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to become nobody")
	}
	buildProgram(t)
	dir := t.TempDir()
	for d := dir; d != "/" && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	nobody := func(env string, args ...string) (status int, stdout, stderr string) {
		t.Helper()
		cmd := exec.Command(os.Getenv(built), args...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}, Pdeathsig: syscall.SIGKILL}
		cmd.Dir = dir
		cmd.Env = append(slices.Clone(os.Environ()), env)
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode(), out.String(), errs.String()
	}
	allowed := exec.Command("unshare", "--user", "--map-root-user", "--net", "true")
	allowed.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	mayMake := allowed.Run() == nil

	status, stdout, stderr := nobody("", "lab", "udp", "--format", "json", "-w", "udp.pcapng")
	var j labJSON
	if err := json.Unmarshal([]byte(stdout), &j); status != exitDone || err != nil {
		t.Fatalf("exit status %d, %v: %s", status, err, stderr)
	}
	if j.Made == mayMake || mayMake && stderr != "" {
		t.Errorf("made: %v, though user namespaces are allowed: %v; %s", j.Made, mayMake, stderr)
	}
	if info, err := os.Stat(filepath.Join(dir, "udp.pcapng")); err != nil || info.Mode() != 0o600 || info.Sys().(*syscall.Stat_t).Uid != 65534 {
		t.Errorf("%v, %v", info, err)
	}

	// A process that was started for that tries it no second time.
	status, stdout, stderr = nobody("SOCKSCOPE_USER_NAMESPACE=1", "lab", "udp", "--format", "json")
	if err := json.Unmarshal([]byte(stdout), &j); status != exitDone || err != nil || !j.Made {
		t.Errorf("exit status %d, %v, made: %v", status, err, j.Made)
	}
	const want = "sockscope: lab: a network namespace: operation not permitted: the packets are made instead (real ones need root, or user namespaces)\n"
	if diff := cmp.Diff(want, stderr); diff != "" {
		t.Error(diff)
	}
}

// No thread has a privilege left when a lab's frames are looked at.
func TestLabDropsPrivileges(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make network namespaces")
	}
	buildProgram(t)
	cmd := exec.Command(os.Getenv(built), "lab", "handshake", "-v", "-w", filepath.Join(t.TempDir(), "x.pcapng"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "sockscope: privileges: none (main), ") {
		t.Errorf("%v\n%s", err, out)
	}
}
