package process

import (
	"os"
	"path/filepath"
	"testing"
)

// ruleIn makes a procfs with one setting of IPv4.
func ruleIn(t *testing.T, name, content string) string {
	t.Helper()
	proc := t.TempDir()
	dir := filepath.Join(proc, "sys/net/ipv4")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return proc
}

func TestUnprivilegedStart(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		want          uint16
		ok            bool
	}{
		{"as the kernel begins", "1024\n", 1024, true},
		{"all ports are for all", "0\n", 0, true},
		{"no number", "many\n", 0, false},
		{"too large", "65536\n", 0, false},
		{"empty", "", 0, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := UnprivilegedStart(ruleIn(t, "ip_unprivileged_port_start", tt.content))
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
	if _, err := UnprivilegedStart(t.TempDir()); err == nil {
		t.Error("no error without the file")
	}
}

func TestReserved(t *testing.T) {
	for _, tt := range []struct {
		name, content string
		want, ok      bool // of port 8080
	}{
		{"none", "\n", false, true},
		{"itself", "8080\n", true, true},
		{"others", "80,8079,8081-9000\n", false, true},
		{"in a range", "80,8000-9000\n", true, true},
		{"the first of a range", "8080-8081\n", true, true},
		{"the last of a range", "8079-8080\n", true, true},
		{"no number", "x\n", false, false},
		{"too large", "1-65536\n", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Reserved(ruleIn(t, "ip_local_reserved_ports", tt.content), 8080)
			if got != tt.want || (err == nil) != tt.ok {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}
