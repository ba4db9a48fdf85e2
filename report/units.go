package report

import (
	"strconv"
	"time"
)

// appendScaled appends a number in at most six cells: exact below a million, then
// rounded to one decimal, with M, G … for powers of a thousand.
func appendScaled(b []byte, n uint64) []byte {
	if n < 1e6 {
		return strconv.AppendUint(b, n, 10)
	}
	for unit, i := uint64(1e6), 0; ; unit, i = unit*1000, i+1 {
		whole, tenths := n/unit, (n%unit+unit/20)/(unit/10)
		if tenths == 10 {
			whole, tenths = whole+1, 0
		}
		if whole < 1000 {
			b = strconv.AppendUint(b, whole, 10)
			return append(b, '.', byte('0'+tenths), "MGTPE"[i])
		}
	}
}

// appendDuration appends d rounded to three digits or so: "870 ns", "1.24 ms",
// "12.3 s", "2h 05m". A negative duration is unknown: nothing.
func appendDuration(b []byte, d time.Duration) []byte {
	const minute, hour, day = time.Minute, time.Hour, 24 * time.Hour
	switch {
	case d < 0:
		return b
	case d == 0:
		return append(b, "0 s"...)
	case d < time.Microsecond:
		return append(strconv.AppendInt(b, int64(d), 10), " ns"...)
	case d < 999_500*time.Nanosecond:
		return append(appendThree(b, d, time.Microsecond), " µs"...)
	case d < 999_500*time.Microsecond:
		return append(appendThree(b, d, time.Millisecond), " ms"...)
	case d < 2*minute:
		return append(appendThree(b, d, time.Second), " s"...)
	case d.Round(time.Second) < 2*hour:
		return appendTwoUnits(b, d.Round(time.Second), minute, 'm', time.Second, 's')
	case d.Round(minute) < 2*day:
		return appendTwoUnits(b, d.Round(minute), hour, 'h', minute, 'm')
	}
	return appendTwoUnits(b, d.Round(hour), day, 'd', hour, 'h')
}

// appendSpan is appendDuration, also for terminals without UTF-8.
func appendSpan(b []byte, d time.Duration, ascii bool) []byte {
	start := len(b)
	b = appendDuration(b, d)
	if ascii {
		for i := start; i < len(b); i++ {
			if b[i] == "µ"[0] {
				b[i] = 'u'
				return append(b[:i+1], b[i+len("µ"):]...)
			}
		}
	}
	return b
}

// appendThree appends d, less than 1,000 units of it, in units, rounded to three digits.
func appendThree(b []byte, d, unit time.Duration) []byte {
	if n := (d*100 + unit/2) / unit; n < 1000 {
		return append(b, byte('0'+n/100), '.', byte('0'+n/10%10), byte('0'+n%10))
	}
	if n := (d*10 + unit/2) / unit; n < 1000 {
		return append(b, byte('0'+n/100), byte('0'+n/10%10), '.', byte('0'+n%10))
	}
	return strconv.AppendInt(b, int64((d+unit/2)/unit), 10)
}

// appendTwoUnits appends d as a number of large units and two digits of small ones.
func appendTwoUnits(b []byte, d, large time.Duration, l byte, small time.Duration, s byte) []byte {
	b = append(strconv.AppendInt(b, int64(d/large), 10), l, ' ')
	rest := d % large / small
	return append(b, byte('0'+rest/10), byte('0'+rest%10), s)
}
