package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The least limit of a control group and those around it counts, of either version.
func TestGroupMemory(t *testing.T) {
	root := t.TempDir()
	for name, limit := range map[string]string{
		"a/memory.max": "1073741824\n", "a/b/memory.max": "max\n", "a/c/memory.max": "536870912\n",
		"memory/memory.limit_in_bytes": "9223372036854771712\n", "memory/d/memory.limit_in_bytes": "268435456\n",
		"memory/d/e/memory.limit_in_bytes": "9223372036854771712\n",
	} {
		name = filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(limit), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for groups, want := range map[string]int64{
		"0::/a/b\n":                     1 << 30,
		"12:memory:/x\n0::/a/c\n":       512 << 20,
		"12:memory:/d/e\n0::/a/c\n":     256 << 20,
		"4:cpuset,memory:/d\n":          256 << 20,
		"4:memory:/x\n":                 9223372036854771712, // of the machine there is less
		"4:name=memory:/d\n4:cpu:/d\n":  math.MaxInt64,
		"0::/\n":                        math.MaxInt64,
		"1:name=systemd:/a/c\n":         math.MaxInt64,
		"0::/a/c/gone/since\n":          512 << 20,
		"0::/../../../etc/../a/c/x/y\n": 512 << 20,
	} {
		if got := groupMemory(root, groups); got != want {
			t.Errorf("%q: %d, want %d", groups, got, want)
		}
	}
	if machineMemory() < 64<<20 {
		t.Errorf("this machine has %d bytes", machineMemory())
	}
}

// writeErrors writes a capture of n SYNs over IPv6, each between other hosts and with an ICMP
// error from yet another one: of all floods it makes the tables of a report the largest.
func writeErrors(t *testing.T, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "errors.pcap")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := bufio.NewWriter(f)
	w.Write([]byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 101, 0, 0, 0}) // raw IP
	frame := func(at int, packet []byte) {
		var head [16]byte
		binary.LittleEndian.PutUint32(head[0:], uint32(1_700_000_000+at/1_000_000))
		binary.LittleEndian.PutUint32(head[4:], uint32(at%1_000_000))
		head[8], head[12] = byte(len(packet)), byte(len(packet))
		w.Write(head[:])
		w.Write(packet)
	}
	ip6 := func(next byte, from, to uint32, payload []byte) []byte {
		p := make([]byte, 40, 40+len(payload))
		p[0], p[5], p[6], p[7] = 0x60, byte(len(payload)), next, 64
		for i, a := range []uint32{from, to} {
			p[8+16*i], p[9+16*i] = 0x20, 1
			binary.BigEndian.PutUint32(p[20+16*i:], a)
		}
		return append(p, payload...)
	}
	for i := range n {
		from, to := uint32(i), uint32(i)*2654435761|1<<31
		syn := make([]byte, 20)
		binary.BigEndian.PutUint16(syn[0:], uint16(i*7919))
		binary.BigEndian.PutUint16(syn[2:], uint16(i*104729))
		syn[12], syn[13] = 5<<4, 2
		sent := ip6(6, from, to, syn)
		frame(20*i, sent)
		frame(20*i+10, ip6(58, from*40503|1<<30, from, append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, sent...)))
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return name
}

// The whole process takes at most 32 MiB more than --memory says.
func TestMemoryOfTheProcess(t *testing.T) {
	program := filepath.Join(t.TempDir(), "sockscope") // the test's own binary is larger
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	name := writeErrors(t, 200_000)
	for _, args := range []string{"report --format json", "report --format html", "connections --top 5000 --format ndjson"} {
		for _, workers := range []string{"1", "2"} {
			if testing.Short() && (workers == "1" || args != "report --format html") {
				continue
			}
			const memory = 32 << 10 // KiB
			cmd := exec.Command(program, append(strings.Fields(args), "-q", "--memory", "32M", "--workers", workers, "-r", name)...)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			// The program waits for its reader, since its output is longer than a pipe takes.
			if _, err := io.ReadFull(out, make([]byte, 1)); err != nil {
				t.Errorf("%s: %v", args, err)
			}
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
			if err != nil {
				t.Error(err)
			}
			n, _ := io.Copy(io.Discard, out)
			if err := cmd.Wait(); err != nil || n < 64<<10 {
				t.Errorf("%s: %v, %d bytes of output", args, err, n)
			}
			var peak int
			for line := range strings.Lines(string(status)) {
				if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
					fmt.Sscan(rest, &peak)
				}
			}
			t.Logf("%s, %s workers: %d KiB", args, workers, peak)
			if peak == 0 || peak > memory+32<<10 {
				t.Errorf("%s, %s workers: %d KiB, want at most %d", args, workers, peak, memory+32<<10)
			}
		}
	}
}
