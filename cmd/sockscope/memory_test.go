package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeFlood writes a capture of n SYNs, each of its own tuple. In the middle one of so many of
// those before is answered.
func writeFlood(t *testing.T, n, answered int) string {
	t.Helper()
	var b bytes.Buffer
	b.Write([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0}) // raw IP
	frame := func(i, at int, answer bool) {
		var f [16 + 40]byte
		binary.LittleEndian.PutUint32(f[0:], uint32(1_700_000_000+at/1_000_000))
		binary.LittleEndian.PutUint32(f[4:], uint32(at%1_000_000))
		f[8], f[12] = 40, 40
		p := f[16:]
		p[0], p[3], p[8], p[9], p[32], p[33], p[34] = 0x45, 40, 64, 6, 5<<4, 2, 1
		src, dst, sport, dport := uint32(0x0b000000+i), uint32(0xc0000202), uint16(1024), uint16(80)
		if answer {
			src, dst, sport, dport, p[33], p[31] = dst, src, dport, sport, 0x12, 1
		}
		binary.BigEndian.PutUint32(p[12:], src)
		binary.BigEndian.PutUint32(p[16:], dst)
		binary.BigEndian.PutUint16(p[20:], sport)
		binary.BigEndian.PutUint16(p[22:], dport)
		b.Write(f[:])
	}
	for i := range n {
		frame(i, i*10, false)
		if i == n/2 { // memory was short before; of those that went the last are remembered
			for j := 0; j < n/2; j += answered {
				frame(j, i*10, true)
			}
		}
	}
	name := filepath.Join(t.TempDir(), "flood.pcap")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// With little memory every format tells what was evicted and what goes on from it, the same
// for any number of workers, and the report says how many there were.
func TestMemoryIsShort(t *testing.T) {
	name := writeFlood(t, 200_000, 16)
	give := func(args string) (out, said string) {
		var stdout, stderr bytes.Buffer
		if status := run(context.Background(), append(strings.Fields(args), "-r", name), strings.NewReader(""), &stdout, &stderr); status != exitDone {
			t.Fatalf("%s: status %d: %s", args, status, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	for _, tt := range []struct{ args, want string }{
		{"connections --format ndjson", `"part_of":`},
		{"connections --format ndjson", `"close":"evicted"`},
		{"connections --format csv --columns id,close,part_of", ",evicted,\n"},
		{"connections --format text --columns id,close,part_of", " evicted"},
		{"connections --format zeek", "\tS0\t"},
		{"connections --sort start --format ndjson --top 3", `"close":"evicted"`},
		{"report", "Memory was short "},
		{"report", "memory was short: "},
		{"report --format json", `"evicted_since":`},
		{"report --format json", `"distinct_tuples_estimate":`},
		{"port 80", "200,000"},
	} {
		var first string
		for _, workers := range []string{"1", "2", "5"} {
			if testing.Short() && workers != "1" {
				continue
			}
			out, said := give(tt.args + " --memory 16M --workers " + workers)
			if !strings.Contains(out, tt.want) && !strings.Contains(strings.ReplaceAll(out, ",", ""), strings.ReplaceAll(tt.want, ",", "")) {
				t.Errorf("%s: no %q in %.300s", tt.args, tt.want, out)
			}
			if !strings.Contains(said, "memory is short (--memory 16MiB)") || !strings.Contains(said, " distinct tuples (+- 0.8 %)\n") {
				t.Errorf("%s: said %q", tt.args, said)
			}
			if first == "" {
				first = out
			}
			if out != first {
				t.Errorf("%s: something else with %s workers", tt.args, workers)
			}
		}
	}
	out, _ := give("connections --format ndjson --memory 16M")
	ids := map[string]bool{}
	parts := 0
	for line := range strings.Lines(out) {
		id, _, _ := strings.Cut(strings.TrimPrefix(line, `{"id":`), ",")
		ids[id] = true
		if _, rest, ok := strings.Cut(line, `"part_of":`); ok {
			parts++
			of, _, _ := strings.Cut(rest, ",")
			if !ids[of] {
				t.Fatalf("part of %s, which was not told before: %s", of, line)
			}
		}
	}
	if parts == 0 {
		t.Error("nothing is part of anything")
	}
	if _, said := give("connections --format ndjson --memory 1G"); strings.Contains(said, "memory") {
		t.Errorf("with enough memory: %q", said)
	}
}

// What goes does not depend on how many workers there really are: with less memory than this
// there is one only.
func TestMemoryIsShortForAllWorkers(t *testing.T) {
	name := writeFlood(t, 500_000, 16)
	views := []string{"report --format json", "connections --format ndjson"}
	if testing.Short() {
		views = views[:1]
	}
	for _, args := range views {
		var first [sha256.Size]byte
		for _, workers := range []string{"1", "5"} {
			var stdout, stderr bytes.Buffer
			status := run(t.Context(), append(strings.Fields(args), "-r", name, "--memory", "80M", "--workers", workers), strings.NewReader(""), &stdout, &stderr)
			if status != exitDone || !strings.Contains(stderr.String(), "were evicted") {
				t.Fatalf("%s, %s workers: status %d: %s", args, workers, status, &stderr)
			}
			sum := sha256.Sum256(stdout.Bytes())
			if workers == "1" {
				first = sum
			}
			if sum != first {
				t.Errorf("%s: something else with %s workers", args, workers)
			}
		}
	}
}

// A report tells about how many tuples there were where there are more records than that, since
// connections go on after they were evicted: the same in any process, with any number of workers.
func TestMemoryIsShortForAllTuples(t *testing.T) {
	const tuples = 500_000
	name := writeFlood(t, tuples, 2)
	var first []byte
	for i, workers := range []string{"1", "2", "3", "3"} {
		out, err := exec.Command("sockscope", "report", "--format", "json", "-r", name, "--memory", "48M", "--workers", workers).Output()
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = out
		}
		if !bytes.Equal(out, first) {
			t.Errorf("something else with %s workers", workers)
		}
	}
	var d struct {
		Ledger struct {
			Frames, Connections, Evicted, Shortages uint64
			Balanced                                bool
			Since                                   time.Time `json:"evicted_since"`
			Until                                   time.Time `json:"evicted_until"`
			Tuples                                  uint64    `json:"distinct_tuples_estimate"`
		}
	}
	if err := json.Unmarshal(first, &d); err != nil {
		t.Fatal(err)
	}
	l := &d.Ledger
	if l.Frames != tuples+tuples/4 || l.Connections < tuples/100*105 || l.Evicted < tuples/2 || !l.Balanced {
		t.Errorf("%d frames, %d connections, %d of them evicted", l.Frames, l.Connections, l.Evicted)
	}
	if l.Tuples < tuples*98/100 || l.Tuples > tuples*102/100 {
		t.Errorf("about %d tuples, there are %d", l.Tuples, tuples)
	}
	if took := l.Until.Sub(l.Since); l.Shortages < 3 || took < time.Second || took > tuples*10*time.Microsecond {
		t.Errorf("memory was short %d times, from %v to %v", l.Shortages, l.Since, l.Until)
	}
}

// The flag takes sizes that make sense.
func TestMemoryFlag(t *testing.T) {
	for text, want := range map[string]int64{"512M": 512 << 20, "2G": 2 << 30, "16777216": 16 << 20, "15M": 0, "-1": 0, "much": 0} {
		var m memory
		if err := m.Set(text); (err == nil) != (want > 0) || err == nil && m.bytes() != want {
			t.Errorf("%s: %d, %v", text, m.value, err)
		}
	}
	for _, tt := range []struct {
		memory               int64
		workers, cores, want int
	}{{64 << 20, 0, 8, 4}, {64 << 20, 2, 8, 2}, {16 << 20, 4, 8, 1}, {1 << 30, 0, 8, 8}} {
		if got := workersWithin(tt.memory, tt.workers, tt.cores); got != tt.want {
			t.Errorf("%d workers on %d cores with %d: %d", tt.workers, tt.cores, tt.memory, got)
		}
	}
}

// A report has the widest bounds from 256M on, one that is repeated from 1536M on; and the
// tables of all never take more than is left beside the connections.
func TestReportMemory(t *testing.T) {
	for _, tt := range []struct{ memory, n, want int64 }{
		{0, 1, 0}, {16 << 20, 1, 6 << 20}, {256 << 20, 1, 96 << 20}, {1 << 30, 1, 96 << 20}, {16 << 30, 1, 1 << 30},
		{16 << 20, builders, 1 << 20}, {1536 << 20, builders, 96 << 20}, {1 << 60, 1, 1 << 56},
	} {
		got := reportMemory(tt.memory, tt.n)
		if got != tt.want || got*tt.n > tt.memory/8*3 {
			t.Errorf("%d reports with %d: %d each, want %d", tt.n, tt.memory, got, tt.want)
		}
	}
}
