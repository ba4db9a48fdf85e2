package capture

import "strconv"

// String is the damage in one line, without the input's name: "record 2, offset
// 102: data cut short (have 57 of 62 bytes); 1 record kept". Parts that do not apply
// are left out.
func (d Damage) String() string {
	b := make([]byte, 0, 96)
	if d.Unit != "" && d.Record != 0 {
		b = append(b, d.Unit...)
		b = append(b, ' ')
		b = strconv.AppendUint(b, d.Record, 10)
	}
	if d.Offset >= 0 {
		if len(b) > 0 {
			b = append(b, ", "...)
		}
		b = append(b, "offset "...)
		b = strconv.AppendInt(b, d.Offset, 10)
	}
	if len(b) > 0 {
		b = append(b, ": "...)
	}
	b = append(b, d.What...)
	if d.Unread {
		return string(b)
	}
	if d.Stopped {
		b = append(b, "; reading stopped, "...)
	} else {
		b = append(b, "; "...)
	}
	b = strconv.AppendUint(b, d.Kept, 10)
	if d.Kept == 1 {
		b = append(b, " record kept"...)
	} else {
		b = append(b, " records kept"...)
	}
	return string(b)
}
