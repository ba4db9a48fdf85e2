package report

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// plainNDJSON is a row as ndjsonWriter writes it, put together from strings.
func plainNDJSON(chosen []recordColumn, r *Row, x *context) string {
	quote := func(s string) string { return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"` }
	var members []string
	for i := range chosen {
		c := &chosen[i]
		value, ok := c.append(nil, r, x)
		if !ok {
			continue
		}
		s := string(value)
		switch c.kind {
		case kindWord:
			s = quote(s)
		case kindText:
			s = quote(EscapeText(s))
		case kindWords:
			s = `["` + strings.ReplaceAll(s, ";", `","`) + `"]`
		case kindNumbers:
			s = `[` + strings.ReplaceAll(s, ";", ",") + `]`
		}
		members = append(members, quote(c.name)+":"+s)
	}
	return "{" + strings.Join(members, ",") + "}\n"
}

// plainCSV is a row as csvWriter writes it, put together from strings.
func plainCSV(chosen []recordColumn, r *Row, x *context) string {
	var cells []string
	for i := range chosen {
		c := &chosen[i]
		value, ok := c.append(nil, r, x)
		s := string(value)
		if ok && c.kind == kindText {
			s = escapeCell(s)
			if strings.ContainsAny(s, `", `) {
				s = `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
			}
		}
		cells = append(cells, s)
	}
	return strings.Join(cells, ",") + "\n"
}

// randomRow sets every field of a row, also those that are new: to nothing, to little,
// to a power of ten or near it, to the most, to anything.
func randomRow(random *rand.Rand) (r Row) {
	randomize(random, reflect.ValueOf(&r).Elem())
	return r
}

func randomize(random *rand.Rand, v reflect.Value) {
	switch v.Interface().(type) {
	case netip.AddrPort:
		v.Set(reflect.ValueOf(netip.AddrPortFrom(randomAddr(random), uint16(random.Uint32()))))
		return
	case netip.Addr:
		v.Set(reflect.ValueOf(randomAddr(random)))
		return
	case flow.RoleBasis:
		v.SetUint(random.Uint64N(uint64(flow.NumRoleBases)))
		return
	case flow.Outcome:
		v.SetUint(random.Uint64N(uint64(flow.NumOutcomes)))
		return
	case flow.Close:
		v.SetUint(random.Uint64N(uint64(flow.NumCloses)))
		return
	case flow.Side, flow.Event:
		v.SetUint(random.Uint64N(3))
		return
	case capture.Owner: // known or not
		if random.IntN(2) == 0 {
			var p capture.Process
			randomize(random, reflect.ValueOf(&p).Elem())
			v.Set(reflect.ValueOf(capture.Owner{Process: &p, Basis: capture.Basis(1 + random.IntN(3))}))
		}
		return
	case flow.State:
		v.SetUint(random.Uint64N(uint64(flow.NumStates)))
		return
	case time.Duration:
		v.SetInt([]int64{int64(flow.NoDuration), 0, 7, -8, int64(randomNumber(random)), -int64(randomNumber(random))}[random.IntN(6)])
		return
	case capture.Timestamp:
		v.SetInt([]int64{int64(capture.Unknown), 0, -1, int64(at(123456000)), int64(random.Int32N(1e9)), int64(random.Uint64() >> 2)}[random.IntN(6)])
		return
	case decode.TunnelKind:
		v.SetUint(uint64(decode.GRE) + random.Uint64N(3))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(random.IntN(2) == 0)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(randomNumber(random) & (1<<v.Type().Bits() - 1))
	case reflect.String:
		v.SetString([]string{"", "https", "SF", "x.example"}[random.IntN(4)])
		if random.IntN(3) == 0 {
			v.SetString(hostileTexts[random.IntN(len(hostileTexts))])
		}
	case reflect.Int:
		v.SetInt(int64(randomNumber(random) >> 1))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), random.IntN(3), 3))
		for i := range v.Len() {
			randomize(random, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			randomize(random, v.Field(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			randomize(random, v.Index(i))
		}
	default:
		panic(fmt.Sprint("no random ", v.Type()))
	}
}

func randomNumber(random *rand.Rand) uint64 {
	switch random.IntN(8) {
	case 0, 1:
		return 0
	case 2:
		return random.Uint64N(10)
	case 3:
		return random.Uint64N(1000)
	case 4:
		return uint64(math.Pow10(random.IntN(20))) - random.Uint64N(2)
	case 5:
		return math.MaxUint64 - random.Uint64N(2)
	}
	return random.Uint64() >> random.IntN(64)
}

func randomAddr(random *rand.Rand) netip.Addr {
	var a [16]byte
	for i := range a {
		a[i] = byte(randomNumber(random))
	}
	switch random.IntN(5) {
	case 0:
		return netip.Addr{}
	case 1:
		return netip.AddrFrom16(a).WithZone("eth0")
	case 2:
		return netip.AddrFrom16(netip.AddrFrom4([4]byte(a[:4])).As16()) // mapped
	}
	return netip.AddrFrom4([4]byte(a[:4]))
}

// Writers that print rows fast print what the plain way prints: whatever of a row is
// known, whichever columns are chosen in whichever order, also after other rows.
func FuzzWritersAgainstPlain(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		o := ConnectionOptions{Interfaces: sampleInterfaces, NoHeader: true}
		if seed%2 == 1 {
			for _, i := range random.Perm(len(vocabulary))[:1+random.IntN(len(vocabulary))] {
				o.Columns = append(o.Columns, vocabulary[i].name)
			}
		}
		rows := sampleRows()
		for range 20 {
			r := randomRow(random)
			if random.IntN(2) == 0 {
				r.Protocol = protoTCP
			}
			if random.IntN(2) == 0 {
				r.Interface = uint32(random.IntN(4))
			}
			rows = append(rows, r)
		}
		chosen, err := chooseColumns(o.Columns)
		if err != nil {
			t.Fatal(err)
		}
		for format, plain := range map[string]func([]recordColumn, *Row, *context) string{"ndjson": plainNDJSON, "csv": plainCSV} {
			lines := strings.SplitAfter(string(writeRows(t, format, o, rows)), "\n")
			if len(lines) != len(rows)+1 {
				t.Fatalf("%s: %d lines for %d rows", format, len(lines)-1, len(rows))
			}
			for i := range rows {
				if want := plain(chosen, &rows[i], &context{interfaces: o.Interfaces}); lines[i] != want {
					t.Fatalf("%s, row %d:\n%s, want\n%s", format, i, lines[i], want)
				}
			}
		}
	})
}

// Every column's key is copied as a whole.
func TestKeysFit(t *testing.T) {
	for i := range vocabulary {
		if n := len(`,"":["`) + len(vocabulary[i].name); n > keySize {
			t.Errorf("%s: the key has %d bytes, and there is room for %d", vocabulary[i].name, n, keySize)
		}
	}
}

// A row is whole wherever the buffer that it goes into ends: nothing is written beyond
// the room that was made.
func TestRowsFitIntoAnyBuffer(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	most := sampleRows()[0] // every figure known, with all digits it can have
	for _, d := range []*flow.Direction{&most.ToServer, &most.ToClient} {
		*d = flow.Direction{Packets: math.MaxUint64, Bytes: math.MaxUint64, IPBytes: math.MaxUint64, Payload: math.MaxUint64,
			RoundTrips: flow.RoundTrips{Samples: math.MaxUint64, Min: -1 << 62, P50: -1 << 62, P95: -1 << 62, Max: -1 << 62}}
	}
	x := context{interfaces: []capture.Interface{{Name: strings.Repeat(" ", 5000)}}}
	most.Interface, most.Evidence.ServerName = 0, strings.Repeat(`"`, 2000)
	find := func(name string) recordColumn {
		return vocabulary[slices.IndexFunc(vocabulary, func(c recordColumn) bool { return c.name == name })]
	}
	counts := slices.DeleteFunc(slices.Clone(vocabulary), func(c recordColumn) bool { return c.count == nil })
	for _, chosen := range [][]recordColumn{
		vocabulary,
		counts,
		append([]recordColumn{find("interface")}, counts...),
		append([]recordColumn{find("server_name")}, counts...),
		append(slices.Clone(counts), find("server_name"), find("interface")),
		vocabulary[:1],
	} {
		for _, r := range []Row{most, randomRow(random), randomRow(random), hostileRow(strings.Repeat("x", 2000)), hostileRow(strings.Repeat(`"`, 2000))} {
			encoder := newObjectEncoder(x, chosen)
			var out bytes.Buffer
			csv := newCSVWriter(output{w: &out}, x, chosen, true)
			object, line := plainNDJSON(chosen, &r, &x), plainCSV(chosen, &r, &x)
			for size := 0; size < len(object)+2*roomFor(len(chosen)); size += 1 + random.IntN(100) {
				if got := string(encoder.append(make([]byte, 0, size), &r)) + "\n"; got != object {
					t.Fatalf("%d bytes: %s, want\n%s", size, got, object)
				}
				out.Reset()
				csv.buf = make([]byte, 0, size)
				if err := errors.Join(csv.Write(&r), csv.Flush()); err != nil || out.String() != line {
					t.Fatalf("%d bytes: %s, want\n%s", size, out.String(), line)
				}
			}
		}
	}
}
