package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// crowd makes n connections to one port, both ends in this process, and gives the port.
func crowd(t *testing.T, n int) int {
	t.Helper()
	limit := unix.Rlimit{Cur: uint64(2*n + 200), Max: uint64(2*n + 200)}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	socket := func() int {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		return fd
	}
	l := socket()
	server := &unix.SockaddrInet4{Port: 443, Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.Bind(l, server); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(l, 16); err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := unix.Connect(socket(), server); err != nil {
			t.Fatal(err)
		}
		if _, _, err := unix.Accept4(l, unix.SOCK_CLOEXEC); err != nil {
			t.Fatal(err)
		}
	}
	return server.Port
}

// Ten thousand sockets are listed within a second, in each format, and none is left out.
func TestSocketsInACrowd(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	const n = 5000
	port := crowd(t, n)
	for _, test := range []struct {
		args  string
		count func(out string) int
	}{
		{"sockets --explain --lang en", func(out string) int { return strings.Count(out, "ESTABLISHED") }},
		{"sockets --format ndjson", func(out string) int { return strings.Count(out, `"state":"ESTABLISHED"`) }},
		{"sockets --format json", func(out string) int { return strings.Count(out, `"state": "ESTABLISHED"`) }},
		{fmt.Sprintf("sockets %d --lang ko", port), func(out string) int { return strings.Count(out, "ESTABLISHED") }},
		{fmt.Sprintf("port %d --format json", port), func(out string) int { return strings.Count(out, `"state": "ESTABLISHED"`) }},
	} {
		best, most := time.Hour, time.Second
		if linkedWithC() { // the race detector makes everything slow
			most *= 10
		}
		for range 3 { // others use this machine, too
			began := time.Now()
			status, out, errs := runProgram(t, strings.Fields(test.args)...)
			best = min(best, time.Since(began))
			if status != exitDone || errs != "" {
				t.Fatalf("%s: exit status %d: %s", test.args, status, errs)
			}
			if got := test.count(out); got != 2*n {
				t.Errorf("%s: %d connected sockets, want %d", test.args, got, 2*n)
			}
			if best < most {
				break
			}
		}
		t.Logf("%s: %v", test.args, best)
		if best > most {
			t.Errorf("%s took %v", test.args, best)
		}
	}
	_, out, _ := runProgram(t, "sockets", "--explain", "--lang", "en")
	text := strings.Join(strings.Fields(strings.NewReplacer("│", " ", "├─", " ", "└─", " ").Replace(out)), " ")
	if want := "holds 1 listening and 5,000 connected sockets."; !strings.Contains(text, want) {
		t.Errorf("%q is missing", want)
	}
}

// Both ends of a connection are told, each with its process, and the port by which they met.
func TestSocketsOfThisProcess(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	crowd(t, 1)
	status, out, errs := runProgram(t, "sockets", "https", "--format", "json")
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	var doc socketsDocument
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	if len(doc.Holders) != 1 || doc.Holders[0].Process == nil || doc.Holders[0].Process.PID != os.Getpid() {
		t.Fatalf("%s", out)
	}
	ports := doc.Holders[0].Ports
	if len(ports) != 2 || ports[0].Port != 443 || ports[0].Waiting != 1 || ports[0].Connected != 1 || ports[0].Service != "https" {
		t.Errorf("the server's port: %+v", ports)
	}
	if len(ports) == 2 && (!ports[1].Ephemeral || ports[1].Connected != 1 || ports[1].Sockets[0].RemotePort != 443) {
		t.Errorf("the client's port: %+v", ports[1])
	}
}

// Of an interface, who used the port is told when the capture ends, as of a file.
func TestPortOfAnInterface(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	status, out, errs := capturing(t, "port 8080 -i lo --lang en", traffic(t))
	if status != exitDone {
		t.Fatalf("exit status %d: %s", status, errs)
	}
	text := strings.Join(strings.Fields(out), " ")
	for _, want := range []string{"listens tcp 127.0.0.1 ", fmt.Sprintf("[%d]", os.Getpid()), "capture the server's port, 1 connection of tcp (1 complete)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
}
