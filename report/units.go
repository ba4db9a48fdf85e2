package report

import (
	"strconv"
	"time"

	"sockscope/decode/flow"
)

// appendScaled appends a number in at most six cells: exact below a million, then
// with three digits and k, M, G … for powers of a thousand.
func appendScaled(b []byte, n uint64) []byte {
	if n < 1e6 {
		return strconv.AppendUint(b, n, 10)
	}
	i := 0
	unit := uint64(1000)
	for ; n/unit >= 1000; i++ {
		unit *= 1000
	}
	b = strconv.AppendUint(b, n/unit, 10)
	b = append(b, '.', byte('0'+n%unit/(unit/10)))
	return append(b, "kMGTPE"[i])
}

// appendSpan appends a duration with about three digits: "231µs", "1.23ms",
// "12.3s", "5m04s", "3h12m", "4d07h"; nothing when it is not known.
func appendSpan(b []byte, d time.Duration, ascii bool) []byte {
	if d == flow.NoDuration {
		return b
	}
	if d < 0 {
		b, d = append(b, '-'), -d
	}
	switch {
	case d == 0:
		return append(b, "0s"...)
	case d < time.Microsecond:
		return append(strconv.AppendInt(b, int64(d), 10), "ns"...)
	case d < time.Millisecond:
		unit := "µs"
		if ascii {
			unit = "us"
		}
		return append(appendThree(b, d, time.Microsecond), unit...)
	case d < time.Second:
		return append(appendThree(b, d, time.Millisecond), "ms"...)
	case d < time.Minute:
		return append(appendThree(b, d, time.Second), 's')
	case d < time.Hour:
		return appendTwoUnits(b, d, time.Minute, 'm', time.Second, 's')
	case d < 24*time.Hour:
		return appendTwoUnits(b, d, time.Hour, 'h', time.Minute, 'm')
	}
	return appendTwoUnits(b, d, 24*time.Hour, 'd', time.Hour, 'h')
}

// appendThree appends d in units, which it holds 1 to 999 times, with three digits, cut off.
func appendThree(b []byte, d, unit time.Duration) []byte {
	whole, fraction := d/unit, d%unit
	b = strconv.AppendInt(b, int64(whole), 10)
	switch {
	case whole < 10:
		fraction = fraction / (unit / 100)
		return append(b, '.', byte('0'+fraction/10), byte('0'+fraction%10))
	case whole < 100:
		return append(b, '.', byte('0'+fraction/(unit/10)))
	}
	return b
}

// appendTwoUnits appends d as a number of large units and two digits of small ones.
func appendTwoUnits(b []byte, d, large time.Duration, l byte, small time.Duration, s byte) []byte {
	b = append(strconv.AppendInt(b, int64(d/large), 10), l)
	rest := d % large / small
	return append(b, byte('0'+rest/10), byte('0'+rest%10), s)
}
