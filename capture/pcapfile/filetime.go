package pcapfile

import (
	"encoding/binary"
	"time"

	"sockscope/capture"
)

// Windows counts time in ticks of 100 ns, a FILETIME since 1601.
const (
	tick          = 100 * time.Nanosecond
	ticksPerSec   = int64(time.Second / tick)
	fileTimeEpoch = 11_644_473_600 * ticksPerSec // 1970 as a FILETIME
	lastTick      = lastSecond * ticksPerSec     // before or after 1970 that a Timestamp can tell
	noTick        = -1 << 63
)

// systemTime is the SYSTEMTIME at the start of b in ticks since 1970, or noTick. It
// has no time zone and is taken for UTC; what is beyond a month or a day is carried
// over.
func systemTime(b []byte) int64 {
	word := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	const year, month, day, hour, minute, second, milli = 0, 1, 3, 4, 5, 6, 7 // 2 is the day of the week
	t := time.Date(word(year), time.Month(word(month)), word(day), word(hour), word(minute), word(second), 0, time.UTC)
	if s := t.Unix(); -lastSecond < s && s < lastSecond {
		return s*ticksPerSec + int64(word(milli))*(ticksPerSec/1000)
	}
	return noTick
}

// tickTime is the time of delta ticks after begin, or Unknown when nanoseconds since
// 1970 cannot express it.
func tickTime(begin, delta int64) capture.Timestamp {
	if begin < -lastTick || begin > lastTick || delta < -lastTick || delta > lastTick {
		return capture.Unknown
	}
	t := begin + delta
	if t < -lastTick || t > lastTick {
		return capture.Unknown
	}
	return capture.Timestamp(t) * capture.Timestamp(tick)
}
