package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"testing"
	"unsafe"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// busy is everything that a Builder keeps in some way of its own: a busy site, floods,
// scans, both IP versions, tunnels, several SYNs.
func busy() []flow.Connection {
	all := varied(6000)
	r := rand.New(rand.NewPCG(3, 3))
	for i := range all {
		c := &all[i]
		switch i % 8 {
		case 0: // a flood from ever new addresses
			c.Outcome, c.SYNRTT, c.Setup = flow.HalfOpen, flow.NoDuration, flow.NoDuration
			c.Client = netip.AddrPortFrom(address(i*7919), uint16(i))
			c.Server = netip.AddrPortFrom(address(9), 80)
		case 1: // a scan of ports, and one of hosts
			c.Outcome, c.SYNRTT, c.Setup = []flow.Outcome{flow.Refused, flow.Unanswered, flow.Aborted}[i%3], flow.NoDuration, flow.NoDuration
			c.Client, c.Server = netip.AddrPortFrom(address(5), uint16(i)), netip.AddrPortFrom(address(3+i/8%2*i), uint16(i))
		case 2:
			c.Protocol, c.Outcome = protoUDP, flow.Answered
			c.Evidence.Service = []string{"domain", "ntp", "quic"}[i%3]
		case 3:
			var a [16]byte
			a[0], a[15], a[14] = 0x20, byte(i), byte(i>>8)
			c.Client = netip.AddrPortFrom(netip.AddrFrom16(a), uint16(i))
			a[1] = byte(r.IntN(3))
			c.Server = netip.AddrPortFrom(netip.AddrFrom16(a), 443)
			c.Tunnels = []decode.Tunnel{{ID: uint32(i)}}
		case 4:
			c.SYNCount, c.Flags = 3, flow.SYNRetransmitted|flow.ZeroWindow|flow.OneWay
			c.SYNWaits = append(c.SYNWaits, 1e9, 2e9)
			c.ToServer.Retransmissions, c.ToServer.ZeroWindows = 50, 2
		case 5:
			c.Protocol, c.HasPorts, c.Outcome, c.ToClient.Packets = protoICMP, false, flow.Answered, 1
			c.HasICMP, c.ICMPType, c.ICMPCode, c.ICMPFrom = true, 3, uint8(i%9), address(i)
		case 6:
			c.Server = netip.AddrPortFrom(c.Server.Addr(), uint16(i)) // ports without a service
			c.Close = flow.Reset
		case 7:
			c.Outcome, c.Server = flow.Unreachable, netip.AddrPortFrom(address(i), 80)
			c.HasICMP, c.ICMPType, c.ICMPCode, c.ICMPFrom = true, 3, 1, address(7)
		}
	}
	return all
}

func fed(b *Builder, all []flow.Connection) *Builder {
	for i := range all {
		b.Add(&all[i])
	}
	return b
}

func documentOf(t *testing.T, b *Builder) string {
	t.Helper()
	totals := flow.NewTotals()
	var out bytes.Buffer
	if b.kernel != nil {
		b = b.Clone() // which is asked, so that the other can go on
		b.Ask(onHost(busy()).Local)
	}
	if err := WriteJSON(&out, b.Summary(capture.Stats{}, &totals)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestCloneIsABuilderOfItsOwn(t *testing.T) {
	all := busy()
	live := onHost(all)
	servers, scanner := live.Owners, exactly(&capture.Process{PID: 4711, Name: "scan"})
	live.Owners = func(c *flow.Connection) [2]capture.Owner {
		owners := servers(c)
		owners[clientEnd] = scanner
		return owners
	}
	sizes := []int{63, len(all), 0, 3000}
	if testing.Short() {
		sizes = sizes[:2]
	}
	for _, cfg := range []Config{{}, {All: true}, {Sort: "start", Top: 100}, live} {
		for _, n := range sizes {
			b := fed(NewBuilder(cfg), all[:n])
			c := b.Clone()
			if n > 0 {
				shared := sharing{seen: map[unsafe.Pointer]string{}}
				shared.walk(reflect.ValueOf(b).Elem(), "Builder", true)
				shared.walk(reflect.ValueOf(c).Elem(), "Builder", false)
				for _, what := range shared.found {
					t.Errorf("%s: the clone shares %s", cfg.Sort, what)
				}
			}
			want := documentOf(t, fed(NewBuilder(cfg), all[:n]))
			wantAll := documentOf(t, fed(NewBuilder(cfg), all))
			fed(b, all[n:])
			if documentOf(t, c) != want {
				t.Fatalf("%s: the clone of the first %d changed with its original", cfg.Sort, n)
			}
			if documentOf(t, b) != wantAll {
				t.Fatalf("%s: the original of the first %d is disturbed", cfg.Sort, n)
			}
			if documentOf(t, fed(c, all[n:])) != wantAll || documentOf(t, b) != wantAll {
				t.Fatalf("%s: the clone of the first %d does not go on as its original does", cfg.Sort, n)
			}
		}
	}
}

// sharing finds memory that two values share. Functions and strings don't change.
type sharing struct {
	seen  map[unsafe.Pointer]string // of the first value
	found []string
	done  map[unsafe.Pointer]bool // of the second
}

// walk takes what v leads to.
func (s *sharing) walk(v reflect.Value, path string, first bool) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice:
		if v.IsNil() || v.Kind() == reflect.Slice && v.Cap() == 0 ||
			slices.Contains([]reflect.Type{reflect.TypeFor[*netip.Addr](), reflect.TypeFor[*capture.Process](), reflect.TypeFor[*capture.Host]()}, v.Type()) {
			return // nobody changes these
		}
		p := v.UnsafePointer()
		if first {
			if _, ok := s.seen[p]; ok {
				return
			}
			s.seen[p] = path
		} else {
			if _, ok := s.seen[p]; ok {
				s.found = append(s.found, path)
				return
			}
			if s.done == nil {
				s.done = map[unsafe.Pointer]bool{}
			}
			if s.done[p] {
				return
			}
			s.done[p] = true
		}
		switch v.Kind() {
		case reflect.Pointer:
			s.walk(v.Elem(), path, first)
		case reflect.Map:
			for it := v.MapRange(); it.Next(); {
				s.walk(it.Key(), path+"[key]", first)
				s.walk(it.Value(), path+"[]", first)
			}
		default:
			s.walkAll(v, path, first)
		}
	case reflect.Array:
		s.walkAll(v, path, first)
	case reflect.Struct:
		if v.Type().PkgPath() == "net/netip" { // interned, immutable
			return
		}
		for i := range v.NumField() {
			s.walk(v.Field(i), fmt.Sprintf("%s.%s", path, v.Type().Field(i).Name), first)
		}
	}
}

// walkAll takes the elements of an array or a slice, where they can lead anywhere.
func (s *sharing) walkAll(v reflect.Value, path string, first bool) {
	switch v.Type().Elem().Kind() {
	case reflect.Struct, reflect.Pointer, reflect.Map, reflect.Slice, reflect.Array:
		for i := range v.Len() {
			s.walk(v.Index(i), path+"[]", first)
		}
	}
}

func BenchmarkClone(b *testing.B) {
	builder := fed(NewBuilder(Config{}), varied(1<<16))
	b.ReportAllocs()
	for b.Loop() {
		builder.Clone()
	}
}
