package main

import (
	"fmt"
	"strings"
	"time"
)

// A naming gives the files of a capture their names, and says when the next one begins,
// as tcpdump does with -C, -G and -W.
type naming struct {
	template string
	size     int64         // -C: bytes that a file exceeds before the next begins; 0: none
	every    time.Duration // -G: 0: never
	count    int           // -W: with -C: files of the ring; with -G alone: files at all; 0: no limit

	number  int       // of the file: within its period with -G
	periods int       // that are over
	ended   bool      // the current one is
	began   time.Time // the current period
}

// check reports what is wrong with the template.
func (n *naming) check() error {
	name, err := n.name(time.Unix(0, 0))
	switch {
	case err != nil:
		return err
	case strings.Contains(name, "/"):
		return fmt.Errorf("a conversion whose text has a slash")
	case strings.ContainsFunc(name, func(r rune) bool { return r == 0 }):
		return fmt.Errorf("a name with a zero byte")
	}
	return nil
}

// start is the name of the first file, which begins at t.
func (n *naming) start(t time.Time) (string, error) {
	n.began = t
	return n.name(t)
}

// over reports whether the period is over at t: that is the end of the file.
func (n *naming) over(t time.Time) bool { return n.every > 0 && t.Sub(n.began) >= n.every }

// period is the name of the first file of the period that begins at t.
func (n *naming) period(t time.Time) (string, error) {
	n.began, n.number, n.ended = t, 0, false
	return n.name(t)
}

// end notes that the period is over.
func (n *naming) end() {
	n.periods++
	n.ended = true
}

// enough reports whether no more periods are wanted.
func (n *naming) enough() bool { return n.size == 0 && n.count > 0 && n.periods >= n.count }

// full reports whether a file of that many bytes is the last thing to be written to.
func (n *naming) full(bytes int64) bool { return n.size > 0 && bytes > n.size }

// next is the name of the file after a full one.
func (n *naming) next() (string, error) {
	if n.number++; n.count > 0 && n.number >= n.count {
		n.number = 0
	}
	return n.name(n.began)
}

// name is the name of the current file, in a period that began at t.
func (n *naming) name(t time.Time) (string, error) {
	name := n.template
	if n.every > 0 {
		var err error
		if name, err = strftime(name, t); err != nil {
			return "", err
		}
	}
	digits := 0
	if n.size > 0 {
		for i := n.count - 1; i > 0; i /= 10 {
			digits++
		}
	}
	if n.number == 0 && digits == 0 {
		return name, nil
	}
	return fmt.Sprintf("%s%0*d", name, digits, n.number), nil
}
