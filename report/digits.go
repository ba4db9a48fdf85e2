package report

import (
	"encoding/binary"
	"math/bits"
)

// maxDigits is the room that an integer takes while it is written: three times eight
// digits. The longest have 20 characters.
const maxDigits = 24

// putUint writes n in base 10 at b[at:], where there must be room for maxDigits. It
// returns where n ends; the bytes behind that are void. Most figures of a record have
// one digit.
func putUint(b []byte, at int, n uint64) int {
	if n < 10 {
		b[at] = byte('0' + n)
		return at + 1
	}
	return putLong(b, at, n)
}

// putLong is putUint for numbers that may have more digits than one.
func putLong(b []byte, at int, n uint64) int {
	if n < 1e8 {
		digits := eightDigits(n)
		leading := uint(bits.TrailingZeros64(digits|1<<56)) & 56 // zeros before the number, in bits; its last digit stays
		binary.LittleEndian.PutUint64(b[at:], (digits|asciiZeros)>>leading)
		return at + 8 - int(leading/8)
	}
	at = putLong(b, at, n/1e8)
	binary.LittleEndian.PutUint64(b[at:], eightDigits(n%1e8)|asciiZeros)
	return at + 8
}

// asciiZeros makes eight digits text.
const asciiZeros = 0x3030303030303030

// eightDigits has the decimal digits of n, which is below 1e8, in its bytes, the first
// one lowest. All halves, then quarters, then digits are divided at once, by
// multiplying with the reciprocal.
func eightDigits(n uint64) uint64 {
	high := n / 10000
	n = high | (n-10000*high)<<32
	high = n * 10486 >> 20 & 0x0000007f_0000007f // of each half: divided by 100
	n = high | (n-100*high)<<16
	high = n * 103 >> 10 & 0x000f_000f_000f_000f // of each quarter: divided by 10
	return high | (n-10*high)<<8
}

// putInt is putUint for signed numbers.
func putInt(b []byte, at int, n int64) int {
	if n < 0 {
		b[at] = '-'
		return putLong(b, at+1, -uint64(n))
	}
	return putLong(b, at, uint64(n))
}

// putBool is putUint for booleans.
func putBool(b []byte, at int, v bool) int {
	if v {
		return at + copy(b[at:], "true")
	}
	return at + copy(b[at:], "false")
}

// appendUint is strconv.AppendUint in base 10.
func appendUint(b []byte, n uint64) []byte {
	if n < 10 {
		return append(b, byte('0'+n))
	}
	var digits [maxDigits]byte
	return append(b, digits[:putLong(digits[:], 0, n)]...)
}

// appendInt is strconv.AppendInt in base 10.
func appendInt(b []byte, n int64) []byte {
	var digits [1 + maxDigits]byte
	return append(b, digits[:putInt(digits[:], 0, n)]...)
}
