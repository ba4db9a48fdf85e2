package report

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"sockscope/capture"
)

func TestStartHasTheDigitsOfTheFile(t *testing.T) {
	for name, c := range map[string]struct {
		resolution time.Duration
		time       capture.Timestamp
		want       string
	}{
		"seconds":                        {time.Second, at(0), "2024-02-29T23:59:58Z"},
		"milliseconds":                   {time.Millisecond, at(7e6), "2024-02-29T23:59:58.007Z"},
		"microseconds":                   {time.Microsecond, at(7000), "2024-02-29T23:59:58.000007Z"},
		"nanoseconds":                    {1, at(7), "2024-02-29T23:59:58.000000007Z"},
		"ten nanoseconds":                {10, at(70), "2024-02-29T23:59:58.00000007Z"},
		"a binary fraction has all":      {976562, at(976562), "2024-02-29T23:59:58.000976562Z"},
		"unknown, microseconds suffice":  {0, at(7000), "2024-02-29T23:59:58.000007Z"},
		"unknown, nanoseconds are there": {0, at(7001), "2024-02-29T23:59:58.000007001Z"},
		"finer than its interface says":  {time.Millisecond, at(7001), "2024-02-29T23:59:58.000007001Z"},
		"the epoch":                      {time.Microsecond, 0, "1970-01-01T00:00:00.000000Z"},
		"before the epoch":               {1, -1, "1969-12-31T23:59:59.999999999Z"},
		"the end of 32-bit seconds":      {time.Second, (1<<32 - 1) * 1e9, "2106-02-07T06:28:15Z"},
		"the earliest":                   {1, math.MinInt64 + 1, "1677-09-21T00:12:43.145224193Z"},
		"the latest":                     {1, math.MaxInt64, "2262-04-11T23:47:16.854775807Z"},
	} {
		t.Run(name, func(t *testing.T) {
			dirty := clock{second: 5, valid: true}
			for range 2 {
				if got := string(dirty.append(nil, c.time, digitsOf(c.time, c.resolution))); got != c.want {
					t.Errorf("%s, want %s", got, c.want)
				}
			}
		})
	}
}

func TestClockAgreesWithTime(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var c clock
	for range 10000 {
		stamp := capture.Timestamp(random.Uint64())
		if random.IntN(2) == 0 {
			stamp = at(random.Int64N(3e9)) // the second's memory
		}
		if !stamp.Known() {
			continue
		}
		want := stamp.Time().Format("2006-01-02T15:04:05.000000000Z")
		if got := string(c.append(nil, stamp, 9)); got != want {
			t.Fatalf("%d: %s, want %s", stamp, got, want)
		}
	}
}
