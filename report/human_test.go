package report

import (
	"testing"
	"time"

	"sockscope/decode/flow"
)

func TestHumanNumbers(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"small counts", humanCount(999), "999"},
		{"thousands are set apart", humanCount(1234567), "1,234,567"},
		{"the largest count", humanCount(1<<64 - 1), "18,446,744,073,709,551,615"},
		{"bytes are exact below 1000", humanBytes(999), "999 B"},
		{"units are decimal", humanBytes(1_600_000), "1.60 MB"},
		{"rounding up reaches the next unit", humanBytes(999_999), "1.00 MB"},
		{"the most bytes", humanBytes(1<<64 - 1), "18.4 EB"},
		{"an unknown duration is nothing", humanDuration(flow.NoDuration), ""},
		{"no duration", humanDuration(0), "0 s"},
		{"nanoseconds", humanDuration(870), "870 ns"},
		{"microseconds", humanDuration(1240), "1.24 µs"},
		{"rounding up reaches milliseconds", humanDuration(999_999), "1.00 ms"},
		{"seconds", humanDuration(12_345 * time.Millisecond), "12.3 s"},
		{"seconds are rounded", humanDuration(6_079 * time.Millisecond), "6.08 s"},
		{"so are minutes", humanDuration(125_600 * time.Millisecond), "2m 06s"},
		{"and hours", humanDuration(2*time.Hour - time.Millisecond), "2h 00m"},
		{"and days", humanDuration(48*time.Hour - time.Millisecond), "2d 00h"},
		{"minutes", humanDuration(125 * time.Second), "2m 05s"},
		{"hours", humanDuration(125 * time.Minute), "2h 05m"},
		{"days", humanDuration(50 * time.Hour), "2d 02h"},
		{"a wait has no needless zeros", wait(2 * time.Second), "2 s"},
		{"nor does it lose others", wait(300 * time.Millisecond), "300 ms"},
		{"little is not nothing", humanShare(0.0001), "<0.1 %"},
		{"nearly all is not all", humanShare(0.9999), ">99.9 %"},
		{"all", humanShare(1), "100.0 %"},
		{"one", plural(1, "frame"), "1 frame"},
		{"many", plural(2000, "address"), "2,000 addresses"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}
