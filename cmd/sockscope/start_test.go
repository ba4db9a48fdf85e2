package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Before main begins, all packages are initialized, for the quickest of all views, too. Ours
// build a few small tables then, and none does more: what takes time waits until it is asked
// for.
func TestStartDoesLittle(t *testing.T) {
	const most = 1000 // allocations
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ours := 0
	for line := range strings.Lines(string(out)) {
		var name, at, took string
		var bytes, allocations int
		if n, _ := fmt.Sscanf(line, "init %s @%s ms, %s ms clock, %d bytes, %d allocs", &name, &at, &took, &bytes, &allocations); n != 5 {
			continue
		}
		switch {
		case name == "github.com/cilium/ebpf/rlimit":
			t.Errorf("%s makes an eBPF map whenever the program starts", name)
		case !strings.HasPrefix(name, "sockscope/"):
			continue
		case allocations > most:
			t.Errorf("the initialization of %s allocates %d times, want at most %d", name, allocations, most)
		}
		ours++
	}
	if ours == 0 {
		t.Errorf("none of our packages in\n%s", out)
	}
}
