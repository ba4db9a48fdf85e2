package report

import (
	"math"
	"net/netip"
	"testing"
)

// knock lets n clients, half of them with IPv6 addresses, each twice, through a door.
func knock(d *doors, server netip.Addr, n int) {
	group := new(serviceGroup)
	for i := range 2 * n {
		client := address(i % n)
		if i%n < n/2 {
			client = netip.AddrFrom16(client.As16())
		}
		v := visit{group: group, port: 443, protocol: protoTCP, facts: withPorts | worked}
		v.client, v.clientVersion = ipOf(client)
		v.server, v.serverVersion = ipOf(server)
		d.heavy.settle()
		hash := v.key().hash()
		d.add(&v, hash, d.heavy.guess(hash), nil)
	}
}

func TestDoorsCountTheBusiestDoorsClients(t *testing.T) {
	tests := []struct {
		name        string
		clients     int
		between     func(*doors) // what happens between the visits
		approximate bool
	}{
		{"as they were written", 100, func(*doors) {}, false},
		{"moved into sets in between", 100, (*doors).count, false},
		{"asked for in between", 100, func(d *doors) { d.summary() }, false},
		{"renumbered in between", 100, func(d *doors) { d.numbered = max(d.numbered, math.MaxUint32-2) }, false},
		{"too many for an exact count", 2 * exactOfOne, func(*doors) {}, true},
		{"forgotten doors before it", 100, func(d *doors) {
			for i := range maxHeavy {
				knock(d, address(1000+i), 1)
			}
		}, false},
	}
	for _, test := range tests {
		var d doors
		knock(&d, address(1), 2)
		knock(&d, address(2), 3)
		test.between(&d)
		knock(&d, address(3), test.clients) // the busiest one from here on
		test.between(&d)
		knock(&d, address(3), test.clients)
		knock(&d, address(4), 2)

		got := d.summary()
		if got.Busiest.Addr() != address(3) || got.ClientsApproximate != test.approximate {
			t.Errorf("%s: %+v", test.name, got)
		}
		if off := float64(got.Clients)/float64(test.clients) - 1; off != 0 && !test.approximate || off > 0.05 || off < -0.05 {
			t.Errorf("%s: %d clients, want %d", test.name, got.Clients, test.clients)
		}
	}
}

func TestDoorsBoundTheCallersThatWait(t *testing.T) {
	var d doors
	for i := range maxCallers/2000 + 1 {
		knock(&d, address(i), 1000)
	}
	if n := len(d.callers4) + len(d.callers6); n > maxCallers || n < 1000 {
		t.Errorf("%d callers wait", n)
	}
	for s := range d.heavy.all() {
		if n := d.clientsOf(s.value.number).count(); n != 1000 {
			t.Fatalf("%v has %d clients", s.key, n)
		}
	}
}

func TestDoorsForgetTheClientsOfForgottenDoors(t *testing.T) {
	var d doors
	for round := range 3 {
		for i := range maxHeavy {
			knock(&d, address(round*maxHeavy+i), 1)
		}
		d.count()
		if len(d.clients) > d.heavy.n {
			t.Fatalf("the clients of %d doors are kept, of %d", len(d.clients), d.heavy.n)
		}
	}
}
