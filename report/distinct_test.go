package report

import (
	"net/netip"
	"testing"
)

// address is the nth of many.
func address(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

func TestDistinct(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 8, 9, 1000, exactAddrs, exactAddrs + 1, 20_000, 1 << 20} {
		var d, even, odd distinct
		for i := range n {
			d.add(endOf(address(i)), exactAddrs)
			d.add(endOf(address(i/2)), exactAddrs) // again
			if i%2 == 0 {
				even.add(endOf(address(i)), exactAddrs)
			} else {
				odd.add(endOf(address(i)), exactAddrs)
			}
		}
		even.merge(&odd)
		for name, d := range map[string]*distinct{"added": &d, "merged": &even} {
			got := d.count()
			if d.exact() != (n <= exactAddrs) {
				t.Errorf("%s %d: exact = %v", name, n, d.exact())
			}
			if d.exact() && got != uint64(n) {
				t.Errorf("%s %d: counted %d", name, n, got)
			}
			if off := float64(got)/float64(n) - 1; n > 0 && (off > 0.05 || off < -0.05) {
				t.Errorf("%s %d: estimated %d, off by %.3f", name, n, got, off)
			}
		}
	}
}

func TestDistinctKeepsFamiliesApart(t *testing.T) {
	var d distinct
	d.add(endOf(netip.MustParseAddr("192.0.2.1")), exactAddrs)
	d.add(endOf(netip.MustParseAddr("::ffff:192.0.2.1")), exactAddrs)
	d.add(endOf(netip.Addr{}), exactAddrs)
	if d.count() != 2 {
		t.Errorf("counted %d addresses, want 2: the two differ on the wire", d.count())
	}
	v4, mapped := endOf(netip.MustParseAddr("192.0.2.1")), endOf(netip.MustParseAddr("::ffff:192.0.2.1"))
	if sketchHash(v4.ip, ip4) == sketchHash(mapped.ip, ip6) {
		t.Error("one hash for two addresses")
	}
}

func TestDistinctKeepsWhatLooksLikeNothing(t *testing.T) {
	var d distinct
	for range 2 {
		for _, a := range []string{"192.0.2.1", "0.0.0.0", "::", "2001:db8::1", "255.255.255.255"} {
			d.add(endOf(netip.MustParseAddr(a)), exactOfOne)
		}
	}
	seen := make(map[netip.Addr]int)
	for a := range d.all {
		seen[a]++
	}
	if d.count() != 5 || len(seen) != 5 || seen[netip.IPv4Unspecified()] != 1 || seen[netip.IPv6Unspecified()] != 1 {
		t.Errorf("counted %d: %v", d.count(), seen)
	}
}

func TestAddrSetHasWhatWasAdded(t *testing.T) {
	var s addrSet
	has := func(a string) bool { return s.has(endOf(netip.MustParseAddr(a))) }
	if has("0.0.0.0") || has("192.0.2.1") || has("::") || has("2001:db8::1") {
		t.Error("the empty set has something")
	}
	for i := range 1000 {
		s.add(endOf(address(2*i)), 1<<20)
		s.add(endOf(netip.AddrFrom16([16]byte{15: byte(i), 14: byte(i >> 8)})), 1<<20)
	}
	for i := range 2000 {
		if s.has(endOf(address(i))) != (i%2 == 0) {
			t.Fatalf("%v is in the set: %v", address(i), i%2 != 0)
		}
	}
	if !has("::") || !has("::7") || has("::8:0") || has("0.0.0.0") || s.has(end{}) {
		t.Error("the set has something else than was added")
	}
}
