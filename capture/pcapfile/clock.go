package pcapfile

import (
	"fmt"
	"math"
	"math/bits"
	"time"

	"sockscope/capture"
)

// A clock turns a pcapng interface's time units into nanoseconds (if_tsresol and
// if_tsoffset, draft-ietf-opsawg-pcapng §4.2).
type clock struct {
	scale  uint64 // nanoseconds in a unit when fast
	limit  uint64 // the last unit count that fits when fast
	offset int64  // if_tsoffset, seconds to add
	resol  uint8  // if_tsresol: the unit is 10^-resol seconds, or 2^-(resol-128)
	fast   bool   // a decimal unit of a nanosecond or more, no offset
}

// The finest units whose seconds can be told from 64 bits. Beyond, all times are
// below a few seconds, which no capture means.
const (
	finestDecimal = 19
	finestBinary  = 63
)

const (
	nano            = uint64(time.Second)
	lastSecond      = math.MaxInt64/1_000_000_000 - 1 // before or after 1970
	defaultTSResol  = 6                               // microseconds
	binaryResolFlag = 0x80
)

// newClock is the clock of an interface with the given if_tsresol and
// if_tsoffset.
func newClock(resol uint8, offset int64) clock {
	c := clock{resol: resol, offset: offset}
	if resol <= 9 && offset == 0 {
		c.fast = true
		c.scale = pow10(9 - resol)
		c.limit = math.MaxInt64 / c.scale
	}
	return c
}

// time is the capture time of units, or Unknown when nanoseconds since 1970
// cannot express it.
func (c *clock) time(units uint64) capture.Timestamp {
	if c.fast && units <= c.limit {
		return capture.Timestamp(units * c.scale)
	}
	return c.exactTime(units)
}

func (c *clock) exactTime(units uint64) capture.Timestamp {
	var sec, ns uint64
	exp, binary := c.unit()
	switch {
	case binary && exp <= finestBinary:
		sec = units >> exp
		hi, lo := bits.Mul64(units&(1<<exp-1), nano)
		ns = hi<<(64-exp) | lo>>exp
	case binary:
		return capture.Unknown
	case exp <= 9:
		unit := pow10(exp)
		sec, ns = units/unit, units%unit*pow10(9-exp)
	case exp <= finestDecimal:
		unit := pow10(exp)
		sec, ns = units/unit, units%unit/pow10(exp-9)
	default:
		return capture.Unknown
	}
	total := int64(sec + uint64(c.offset)) // modulo 2^64, right where the checks let it pass
	switch before := -uint64(c.offset); {
	case c.offset >= 0 && (sec > lastSecond || c.offset > lastSecond || total > lastSecond),
		c.offset < 0 && sec >= before && sec-before > lastSecond,
		c.offset < 0 && sec < before && before-sec > lastSecond:
		return capture.Unknown
	}
	return capture.Timestamp(total*int64(nano) + int64(ns))
}

// unit is the negative exponent of the unit, of 2 or of 10.
func (c *clock) unit() (exp uint8, binary bool) {
	return c.resol &^ binaryResolFlag, c.resol&binaryResolFlag != 0
}

// String tells the unit and the offset: "10^-6 s".
func (c *clock) String() string {
	exp, binary := c.unit()
	base := 10
	if binary {
		base = 2
	}
	if c.offset == 0 {
		return fmt.Sprintf("%d^-%d s", base, exp)
	}
	return fmt.Sprintf("%d^-%d s and offset %d s", base, exp, c.offset)
}

// resolution is the length of a unit, 1 ns when it is shorter.
func (c *clock) resolution() time.Duration {
	exp, binary := c.unit()
	switch {
	case binary && exp < 30:
		return time.Duration(nano >> exp)
	case !binary && exp <= 9:
		return time.Duration(pow10(9 - exp))
	}
	return 1
}

// pow10 is 10^n for n up to 19.
func pow10(n uint8) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}
