package report

import (
	"bufio"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTableFits(t *testing.T) {
	tests := []struct {
		name  string
		width int
		want  string
	}{
		{"all there is room for", 40, `
service       conns  bytes  p95
postgresql       12  10 MB  1 s
한국어서비스  1,200    9 B
`},
		{"a name is shortened as far as its column allows", 30, `
service      conns  bytes  p95
postgresql      12  10 MB  1 s
한국어서비…  1,200    9 B
`},
		{"then what is least needed goes", 27, `
service       conns  bytes
postgresql       12  10 MB
한국어서비스  1,200    9 B
`},
		{"names give way before columns that are needed more", 24, `
service     conns  bytes
postgresql     12  10 MB
한국어서…   1,200    9 B
`},
		{"numbers are left out as a whole", 16, `
service    conns
postgres…     12
한국어서…  1,200
`},
		{"never wider than it may be", 11, `
ser…  conns
pos…     12
한…   1,200
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := &table{columns: []tableColumn{
				{title: "service", narrowest: 10},
				{title: "conns", right: true},
				{title: "bytes", right: true, rank: 1},
				{title: "p95", right: true, rank: 2},
			}}
			table.add(cell{text: "postgresql"}, cell{text: "12"}, cell{text: "10 MB"}, cell{text: "1 s"})
			table.add(cell{text: "한국어서비스"}, cell{text: "1,200"}, cell{text: "9 B"}, cell{})
			var b strings.Builder
			p := &printer{w: bufio.NewWriter(&b), width: tt.width, mark: "…"}
			p.table(table, 0)
			p.w.Flush()
			if diff := cmp.Diff(strings.TrimPrefix(tt.want, "\n"), b.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestShortenedEndpointKeepsItsPort(t *testing.T) {
	table := &table{columns: []tableColumn{{title: "client", narrowest: 12}}}
	table.add(endpointCell("", netip.MustParseAddrPort("[2001:db8::abcd]:51234"), true))
	var b strings.Builder
	p := &printer{w: bufio.NewWriter(&b), width: 16, mark: "…"}
	p.table(table, 0)
	p.w.Flush()
	if want := "client\n[2001:db…]:51234\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
}
