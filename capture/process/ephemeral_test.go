package process

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEphemeralRange(t *testing.T) {
	tests := []struct {
		name, content string
		low, high     uint16
		ok            bool
	}{
		{"as Linux writes it", "32768\t60999\n", 32768, 60999, true},
		{"one port", "1024 1024", 1024, 1024, true},
		{"upside down", "60999\t32768\n", 0, 0, false},
		{"too large", "32768\t65536\n", 0, 0, false},
		{"one number", "32768\n", 0, 0, false},
		{"empty", "", 0, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			proc := t.TempDir()
			dir := filepath.Join(proc, "sys/net/ipv4")
			if err := os.MkdirAll(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "ip_local_port_range"), []byte(tt.content), 0o600); err != nil {
				t.Fatal(err)
			}
			low, high, err := EphemeralRange(proc)
			if low != tt.low || high != tt.high || (err == nil) != tt.ok {
				t.Errorf("got %d, %d, %v", low, high, err)
			}
		})
	}
}

func TestEphemeralRangeWithoutProc(t *testing.T) {
	if _, _, err := EphemeralRange(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error")
	}
}
