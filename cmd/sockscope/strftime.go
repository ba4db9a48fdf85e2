package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// strftime is the time t in the form of a strftime(3) template, as in the locale C. An
// unknown conversion, or one whose text has a slash, which no file's name has, is an error.
func strftime(template string, t time.Time) (string, error) {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c != '%' {
			b.WriteByte(c)
			continue
		}
		if i++; i == len(template) {
			return "", fmt.Errorf("%% at the end: a percent sign is %%%%")
		}
		text, ok := conversion(template[i], t)
		if !ok {
			return "", fmt.Errorf("unknown conversion %%%s", template[i:i+1])
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// layouts are the conversions that package time has.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'h': "Jan", 'c': "Mon Jan _2 15:04:05 2006",
	'd': "02", 'D': "01/02/06", 'x': "01/02/06", 'e': "_2", 'F': "2006-01-02", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04",
	'p': "PM", 'P': "pm", 'r': "03:04:05 PM", 'R': "15:04", 'S': "05", 'T': "15:04:05", 'X': "15:04:05",
	'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST",
}

// conversion is the text for the letter c.
func conversion(c byte, t time.Time) (string, bool) {
	if layout, ok := layouts[c]; ok {
		return t.Format(layout), true
	}
	year, week := t.ISOWeek()
	day := int(t.Weekday())
	switch c {
	case '%':
		return "%", true
	case 'C':
		return fmt.Sprintf("%02d", t.Year()/100), true
	case 'g':
		return fmt.Sprintf("%02d", year%100), true
	case 'G':
		return strconv.Itoa(year), true
	case 'V':
		return fmt.Sprintf("%02d", week), true
	case 'k':
		return fmt.Sprintf("%2d", t.Hour()), true
	case 'l':
		return fmt.Sprintf("%2d", (t.Hour()+11)%12+1), true
	case 's':
		return strconv.FormatInt(t.Unix(), 10), true
	case 'u':
		return strconv.Itoa((day+6)%7 + 1), true
	case 'w':
		return strconv.Itoa(day), true
	case 'U': // weeks begin on Sunday
		return fmt.Sprintf("%02d", (t.YearDay()+6-day)/7), true
	case 'W': // weeks begin on Monday
		return fmt.Sprintf("%02d", (t.YearDay()+6-(day+6)%7)/7), true
	}
	return "", false
}
