package report

import (
	"time"

	"sockscope/capture"
)

// A clock writes times, remembering the second that it wrote last: records come
// nearly in the order of time, and the calendar is the dear part. The zero value
// is ready. It is not safe for concurrent use.
type clock struct {
	second int64
	text   [len("2006-01-02T15:04:05")]byte // of second, when valid
	valid  bool
}

// append appends t, which must be known, as RFC 3339 in UTC with that many digits
// of the second's fraction. A Timestamp's years have four digits.
func (c *clock) append(b []byte, t capture.Timestamp, digits int) []byte {
	second, nano := int64(t)/1e9, int64(t)%1e9
	if nano < 0 {
		second, nano = second-1, nano+1e9
	}
	if !c.valid || second != c.second {
		time.Unix(second, 0).UTC().AppendFormat(c.text[:0], "2006-01-02T15:04:05")
		c.second, c.valid = second, true
	}
	b = append(b, c.text[:]...)
	if digits > 0 {
		b = append(b, '.')
		unit := int64(1e8)
		for range digits {
			b = append(b, byte('0'+nano/unit%10))
			unit /= 10
		}
	}
	return append(b, 'Z')
}

// digitsOf is how many digits of the second's fraction a time of the given
// resolution has. Where the resolution is not known, or is a binary fraction, or t
// is finer than it (captures merged into one), all that t has are shown.
func digitsOf(t capture.Timestamp, resolution time.Duration) int {
	unit := time.Duration(1e9)
	for digits := range 10 {
		if resolution == unit && t%capture.Timestamp(unit) == 0 {
			return digits
		}
		unit /= 10
	}
	if resolution <= 0 && t%1000 == 0 {
		return 6
	}
	return 9
}
