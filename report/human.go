package report

import (
	"strconv"
	"strings"
	"time"
)

// humanCount is n with a comma between thousands.
func humanCount(n uint64) string {
	digits := strconv.FormatUint(n, 10)
	if len(digits) <= 3 {
		return digits
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// humanBytes is a number of bytes in decimal units: "999 B", "1.6 MB".
func humanBytes(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10) + " B"
	}
	v := float64(n)
	for _, unit := range [...]string{"kB", "MB", "GB", "TB", "PB"} {
		v /= 1000
		if v < 999.5 {
			return threeDigits(v) + " " + unit
		}
	}
	return threeDigits(v/1000) + " EB"
}

// threeDigits is v, from 0 to 1000, with three significant digits at most.
func threeDigits(v float64) string {
	switch {
	case v < 9.995:
		return strconv.FormatFloat(v, 'f', 2, 64)
	case v < 99.95:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}

// humanDuration is d in three digits or so: "870 ns", "1.24 ms", "12.3 s", "2h 05m".
// A negative duration is unknown: "".
func humanDuration(d time.Duration) string { return string(appendDuration(nil, d)) }

// wait is a duration between two SYNs: "1 s", "2.04 s", without needless zeros.
func wait(d time.Duration) string {
	value, unit, _ := strings.Cut(humanDuration(d), " ")
	if strings.Contains(value, ".") {
		value = strings.TrimRight(strings.TrimRight(value, "0"), ".")
	}
	return value + " " + unit
}

// humanShare is a part of 1 in percent: "12.3 %", "<0.1 %".
func humanShare(v float64) string {
	switch {
	case v > 0 && v < 0.0005:
		return "<0.1 %"
	case v > 0.9995 && v < 1:
		return ">99.9 %"
	}
	return strconv.FormatFloat(100*v, 'f', 1, 64) + " %"
}

// plural is "1 frame", "2,000 frames".
func plural(n uint64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	if strings.HasSuffix(one, "s") {
		return humanCount(n) + " " + one + "es"
	}
	return humanCount(n) + " " + one + "s"
}
