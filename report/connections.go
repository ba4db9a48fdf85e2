package report

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sockscope/capture"
)

// ConnectionOptions says how a ConnectionWriter writes; the zero value works.
type ConnectionOptions struct {
	Columns    []string            // names of the vocabulary or their aliases ("bytes" is both directions), in the order wanted; empty means all of them (text: those that fit the width). Not for zeek
	Interfaces []capture.Interface // Connection.Interface indexes them: names, and how many digits times have
	NoHeader   bool                // text, csv and zeek: rows only
	Events     bool                // rows have an event: the first column, in text behind the time. Not for zeek

	// For a capture that goes on: when it began, so that Flush writes the header before there
	// is a row (0: it waits for the first one), and how to learn of interfaces that came later.
	Began          capture.Timestamp
	MoreInterfaces func() []capture.Interface

	// Of the format text only.
	Processes bool           // the source knows processes: lines that are wide enough have a column for them
	Width     int            // of a line, in terminal cells; 0 means that every column fits
	Color     bool           // use the terminal's colours
	ASCII     bool           // the terminal cannot show UTF-8
	Location  *time.Location // of the times shown; nil means the local time zone
}

// A ConnectionWriter writes connection records, one for each line. It belongs to
// one goroutine and collects what it writes; after an error it writes no more.
type ConnectionWriter interface {
	// Write writes r, and keeps nothing of it.
	Write(r *Row) error

	// Flush hands on what was collected: a live view calls it when it has nothing more to write.
	Flush() error

	// Close writes what follows the last row, and flushes. It does not close the io.Writer.
	Close() error
}

// ConnectionFormats are the formats that NewConnectionWriter takes.
func ConnectionFormats() []string { return []string{"text", "ndjson", "csv", "zeek"} }

// NewConnectionWriter makes the writer of a format that writes to w.
func NewConnectionWriter(w io.Writer, format string, o ConnectionOptions) (ConnectionWriter, error) {
	chosen, err := chooseColumns(o.Columns)
	if err != nil {
		return nil, err
	}
	if o.Events {
		chosen = append([]recordColumn{eventColumn}, chosen...)
	}
	out, x := output{w: w}, context{interfaces: o.Interfaces, more: o.MoreInterfaces}
	switch format {
	case "text":
		if len(o.Columns) == 0 {
			return newLineWriter(out, o), nil
		}
		return newColumnWriter(out, x, chosen, o), nil
	case "ndjson":
		return newNDJSONWriter(out, x, chosen), nil
	case "csv":
		return newCSVWriter(out, x, chosen, o.NoHeader), nil
	case "zeek":
		if len(o.Columns) > 0 || o.Events {
			return nil, errors.New("the format zeek has columns of its own")
		}
		return newZeekWriter(out, o), nil
	}
	return nil, fmt.Errorf(`no format "%s" for connections (have: %s)`, EscapeText(format), strings.Join(ConnectionFormats(), ", "))
}

// CheckColumns tells what is wrong with names of columns, if anything is.
func CheckColumns(names []string) error {
	_, err := chooseColumns(names)
	return err
}

// chooseColumns finds columns by their names or aliases; no names means all.
func chooseColumns(names []string) ([]recordColumn, error) {
	if len(names) == 0 {
		return vocabulary, nil
	}
	chosen := make([]recordColumn, 0, len(names))
	for _, name := range unalias(names) {
		i := slices.IndexFunc(vocabulary, func(c recordColumn) bool { return c.name == name })
		if i < 0 {
			return nil, fmt.Errorf(`no column "%s"`, EscapeText(name))
		}
		if slices.ContainsFunc(chosen, func(c recordColumn) bool { return c.name == name }) {
			return nil, fmt.Errorf("column %q is given twice", name)
		}
		chosen = append(chosen, vocabulary[i])
	}
	return chosen, nil
}
