package report

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/clipperhouse/displaywidth"

	"sockscope/decode/flow"
)

// wideRows are sampleRows, the longest addresses there are, and long names.
func wideRows() []Row {
	longest := tcpRow(15, "[2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111]:65535", "[2001:db8:ffff:eeee:dddd:cccc:bbbb:2222]:65534")
	longest.Outcome, longest.Service, longest.ServiceBasis = flow.Unreachable, "netconf-beep", "port"
	longest.Flags = flow.ECN | flow.SYNRetransmitted | flow.OneWay
	longest.FirstFrame, longest.ToServer.Packets, longest.ToServer.Bytes = 1<<63, 1<<62, 1<<62

	long := tcpRow(16, "[2001:db8:10::10]:48010", "[2001:db8:80::80]:443")
	long.Outcome, long.Service, long.ServiceBasis = flow.Complete, "아주긴서비스이름-with-no-end-\x1b", "payload"
	long.Close, long.Last, long.FirstFrame = flow.ResetAfterFin, at(5e9), 1234

	bare := longest
	bare.ID, bare.Protocol, bare.HasPorts, bare.Outcome = 17, 132, false, flow.Unanswered
	return append(sampleRows(), longest, long, bare)
}

func TestConnectionsFitGolden(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200} {
		golden(t, fmt.Sprintf("connections-wide-%d.txt", width),
			writeRows(t, "text", ConnectionOptions{Location: time.UTC, Width: width}, wideRows()))
	}
}

func TestNoConnectionLineIsWiderThanAsked(t *testing.T) {
	rows := append(wideRows(), processRows()...)
	for width := narrowest; width <= 200; width++ {
		for _, o := range []ConnectionOptions{{}, {ASCII: true}, {NoHeader: true}, {Processes: true}, {ASCII: true, Processes: true}, {ASCII: true, NoHeader: true}} {
			o.Width, o.Location = width, time.UTC
			for line := range bytes.Lines(writeRows(t, "text", o, rows)) {
				if n := displaywidth.Bytes(bytes.TrimSuffix(line, []byte("\n"))); n > width {
					t.Errorf("%d cells of %d: %s", n, width, line)
				}
			}
		}
	}
}

func TestConnectionLinesKeepWhatTellsThemApart(t *testing.T) {
	for width := narrowest; width <= 200; width++ {
		for _, r := range wideRows() {
			line := string(writeRows(t, "text", ConnectionOptions{Location: time.UTC, Width: width, NoHeader: true}, []Row{r}))
			for _, end := range []netip.AddrPort{r.Client, r.Server} {
				want := string(appendEndpoint(nil, end, r.HasPorts))
				if width < wholeEndpoints {
					want = want[strings.LastIndexByte(want, ':')+1:] // the port at least
				}
				if r.HasPorts && !strings.Contains(line, want) || width >= wholeEndpoints && !strings.Contains(line, want) {
					t.Errorf("%d cells: %s is not in %s", width, want, line)
				}
			}
			if width < wholeEndpoints && !strings.Contains(line, r.Outcome.String()) {
				t.Errorf("%d cells: the outcome is cut in %s", width, line)
			}
		}
	}
}
