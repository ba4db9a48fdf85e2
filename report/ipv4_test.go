package report

import (
	"net/netip"
	"testing"
)

func TestIPv4IsNetips(t *testing.T) {
	for i := range 256 {
		a := [4]byte{byte(i), byte(255 - i), byte(i * 7), byte(i * 13)}
		if got, want := string(appendIPv4([]byte("x"), a)), "x"+netip.AddrFrom4(a).String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
