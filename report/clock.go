package report

import (
	"encoding/binary"
	"time"

	"sockscope/capture"
)

// A clock writes times, remembering the second that it wrote last: records come
// nearly in the order of time, and the calendar is the dear part. The zero value
// is ready. It is not safe for concurrent use.
type clock struct {
	second int64
	text   [len("2006-01-02T15:04:05.123456789")]byte // of second, when valid; the fraction is of any time
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
		time.Unix(second, 0).UTC().AppendFormat(c.text[:0], "2006-01-02T15:04:05.")
		c.second, c.valid = second, true
	}
	const point = len("2006-01-02T15:04:05")
	end := point
	if digits > 0 {
		end = point + 1 + digits
		c.text[point+1] = byte('0' + nano/1e8)
		binary.LittleEndian.PutUint64(c.text[point+2:], eightDigits(uint64(nano%1e8))|asciiZeros)
	}
	return append(append(b, c.text[:end]...), 'Z')
}

// digitsOf is how many digits of the second's fraction a time of the given
// resolution has. Where the resolution is not known, or is a binary fraction, or t
// is finer than it (captures merged into one), all that t has are shown.
func digitsOf(t capture.Timestamp, resolution time.Duration) int {
	for digits, unit := range decimalUnits {
		if resolution == unit {
			if t%capture.Timestamp(unit) == 0 {
				return digits
			}
			break
		}
	}
	if resolution <= 0 && t%1000 == 0 {
		return 6
	}
	return 9
}

// decimalUnits are what the last of so many digits of a second's fraction counts.
var decimalUnits = [...]time.Duration{1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1}
