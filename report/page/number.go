package page

import (
	"strconv"
	"time"
)

// A quantity is a number made short for reading, with the exact value beside it.
// Exact starts with the number in the column's one unit (bytes, seconds): the
// script sorts by it.
type quantity struct{ Text, Exact string }

// count is n with thousands separators.
func count(n uint64) string {
	s := strconv.FormatUint(n, 10)
	b := make([]byte, 0, len(s)+len(s)/3)
	for i := range len(s) {
		if i > 0 && (len(s)-i)%3 == 0 {
			b = append(b, ',')
		}
		b = append(b, s[i])
	}
	return string(b)
}

// counted is n and the noun, plural where it has to be.
func counted(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// byteSize is a number of bytes in decimal units: 1 kB is 1,000 bytes.
func byteSize(n uint64) quantity {
	q := quantity{Exact: counted(n, "byte")}
	if n < 1000 {
		q.Text = strconv.FormatUint(n, 10) + " B"
		return q
	}
	q.Text = scaled(float64(n)/1e3, []string{"kB", "MB", "GB", "TB", "PB", "EB"})
	return q
}

// duration is d with three significant digits; nothing when d is not known,
// which any negative duration says.
func duration(d time.Duration) quantity {
	if d < 0 {
		return quantity{}
	}
	q := quantity{Exact: seconds(d) + " s"}
	switch round := d.Round(time.Second); {
	case d == 0:
		q.Text = "0 s"
	case d < time.Microsecond:
		q.Text = strconv.FormatInt(int64(d), 10) + " ns"
	case round < time.Minute:
		q.Text = scaled(float64(d)/1e3, []string{"µs", "ms", "s"})
	case round < time.Hour:
		q.Text = pair(round, time.Minute, "min", time.Second, "s")
	case round < 24*time.Hour:
		q.Text = pair(round, time.Hour, "h", time.Minute, "min")
	default:
		q.Text = pair(round, 24*time.Hour, "d", time.Hour, "h")
	}
	return q
}

// seconds is d in seconds with every digit that is not a trailing zero.
func seconds(d time.Duration) string {
	const second = uint64(time.Second)
	n := uint64(d)
	s := strconv.FormatUint(n/second, 10)
	if n %= second; n == 0 {
		return s
	}
	digits := strconv.FormatUint(n+second, 10)[1:]
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	return s + "." + digits
}

// pair is d in two units that follow each other, the second cut, not rounded.
func pair(d, big time.Duration, bigUnit string, small time.Duration, smallUnit string) string {
	s := count(uint64(d/big)) + " " + bigUnit
	if rest := d % big / small; rest != 0 {
		s += " " + strconv.FormatInt(int64(rest), 10) + " " + smallUnit
	}
	return s
}

// scaled is v in the first of units, each a thousand of the one before, in which
// its three significant digits are below 1,000.
func scaled(v float64, units []string) string {
	i := 0
	for ; v >= 999.5 && i < len(units)-1; i++ {
		v /= 1000
	}
	digits := 0
	switch {
	case v < 9.995:
		digits = 2
	case v < 99.95:
		digits = 1
	}
	return strconv.FormatFloat(v, 'f', digits, 64) + " " + units[i]
}

// percent is a share with one digit; a share too small for that is not called 0.
func percent(part, whole uint64) string {
	if whole == 0 {
		return ""
	}
	return share(float64(part) / float64(whole))
}

// share is a fraction from 0 to 1 as a percentage.
func share(f float64) string {
	switch p := f * 100; {
	case p <= 0:
		return "0 %"
	case p < 0.05:
		return "< 0.1 %"
	case p > 99.95 && f < 1:
		return "> 99.9 %"
	default:
		return strconv.FormatFloat(p, 'f', 1, 64) + " %"
	}
}

// instant is a capture time in UTC, with as many digits in groups of three as it needs.
func instant(t time.Time) string {
	layout := "2006-01-02 15:04:05"
	switch ns := t.Nanosecond(); {
	case ns == 0:
	case ns%1e6 == 0:
		layout += ".000"
	case ns%1e3 == 0:
		layout += ".000000"
	default:
		layout += ".000000000"
	}
	return t.UTC().Format(layout)
}
