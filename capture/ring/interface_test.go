package ring

import (
	"net"
	"net/netip"
	"runtime"
	"slices"
	"testing"
)

func TestInterfacesAgreeWithTheStandardLibrary(t *testing.T) {
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	devices, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range devices {
		n := slices.IndexFunc(list, func(i Interface) bool { return i.Name == d.Name })
		if n < 0 {
			t.Errorf("%q is missing", d.Name)
			continue
		}
		i := list[n]
		if i.Index != d.Index || i.MTU != d.MTU || i.Up != (d.Flags&net.FlagUp != 0) {
			t.Errorf("%q: have index %d, MTU %d, up %v; want %d, %d, %v",
				d.Name, i.Index, i.MTU, i.Up, d.Index, d.MTU, d.Flags&net.FlagUp != 0)
		}
	}
}

func TestLoopbackHasItsAddressAndNoHardwareAddress(t *testing.T) {
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(list, func(i Interface) bool { return i.Kind == "loopback" && i.Up })
	if n < 0 {
		t.Skip("no loopback interface is up")
	}
	if !slices.Contains(list[n].Addresses, netip.MustParsePrefix("127.0.0.1/8")) {
		t.Errorf("addresses %v lack 127.0.0.1/8", list[n].Addresses)
	}
	if len(list[n].HardwareAddr) != 0 {
		t.Errorf("hardware address %v", list[n].HardwareAddr)
	}
}

func TestAnyIsLastOnLinux(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("Linux only")
	}
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	if last := list[len(list)-1]; last.Name != "any" || last.Index != 0 {
		t.Errorf("last is %+v", last)
	}
}
