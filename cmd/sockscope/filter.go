package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"

	"sockscope/capture"
	"sockscope/capture/filter"
	"sockscope/report/service"
)

// A frameFilter is a capture filter for frames of any link type: it is compiled for
// each when the first frame comes.
type frameFilter struct {
	text   string
	parsed *filter.Filter

	programs sync.Map // by capture.LinkType: *filter.Program, nil when it has no program for it
	mu       sync.Mutex
	unfit    []string // what is wrong with the filter for some link types
}

// newFrameFilter parses the words of the command line, or the text of a file when that
// is named. It gives nil when there is no filter.
func (p *program) newFrameFilter(words []string, file string) (*frameFilter, error) {
	text := strings.Join(words, " ")
	if file != "" {
		if text != "" {
			return nil, usage("-F and a filter in words contradict each other")
		}
		var err error
		if text, err = readFilter(file); err != nil {
			return nil, &failure{exitNotStarted, fmt.Errorf("-F %s: %s", p.escape(file), p.escape(err.Error()))}
		}
	}
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	parsed, err := filter.Parse(text)
	if err != nil {
		return nil, p.badFilter(words, err)
	}
	f := &frameFilter{text: text, parsed: parsed}
	if err := f.fitsAny(); err != nil {
		return nil, p.badFilter(nil, err)
	}
	return f, nil
}

// fitsAny is the error of a filter that fits no link type, such as a service that nobody
// knows: that is wrong usage, before anything is opened.
func (f *frameFilter) fitsAny() error {
	_, err := f.compile(capture.LinkEthernet, false)
	for _, link := range []capture.LinkType{capture.LinkRaw, capture.LinkSLL2, capture.LinkRadiotap, capture.LinkPFLog, capture.LinkPPP} {
		if err == nil {
			break
		}
		if _, other := f.compile(link, false); other == nil {
			return nil
		}
	}
	return err
}

// readFilter reads a filter's file, at most what a filter may be long.
func readFilter(name string) (string, error) {
	const most = 1 << 20
	f, err := os.Open(name)
	if err != nil {
		return "", systemError(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return "", systemError(err)
	}
	return string(text), nil
}

// systemError is err as the operating system's words, without what was being done.
func systemError(err error) error {
	var path *os.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

// badFilter is the message for a filter that cannot be used: with carets under the place,
// unless the word was meant as a file.
func (p *program) badFilter(words []string, err error) error {
	if len(words) > 0 && isFile(words[0]) {
		return p.forgotR(words[0])
	}
	var e *filter.Error
	if !errors.As(err, &e) {
		return usage("filter: %s", p.escape(err.Error()))
	}
	text := "filter: " + p.escape(e.Error())
	if caret := e.Caret(); caret != "" {
		for _, line := range strings.Split(caret, "\n") {
			text += "\n  " + line
		}
	}
	return usage("%s", text)
}

// isFile reports whether name is a file's, not a folder's.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.IsDir()
}

// forgotR is the message for a file in the place of a filter.
func (p *program) forgotR(name string) error {
	return usage("%s: files are given with -r, as in: -r %[1]s", p.escape(name))
}

// compile is the filter for a link type.
func (f *frameFilter) compile(link capture.LinkType, live bool) (*filter.Program, error) {
	return f.parsed.Compile(filter.Config{Link: link, Live: live, Service: portOf})
}

// match reports whether the filter lets frame pass. Any goroutine may ask.
func (f *frameFilter) match(frame *capture.Frame) bool {
	known, ok := f.programs.Load(frame.Link)
	if !ok {
		known = f.prepare(frame.Link)
	}
	program := known.(*filter.Program)
	return program != nil && program.Match(frame.Data, frame.Length)
}

// prepare compiles the filter for a link type. When that cannot be done no frame of it
// passes, and verdict tells why.
func (f *frameFilter) prepare(link capture.LinkType) any {
	f.mu.Lock()
	defer f.mu.Unlock()
	if known, ok := f.programs.Load(link); ok {
		return known
	}
	program, err := f.compile(link, false)
	if err != nil {
		program = nil
		f.unfit = append(f.unfit, fmt.Sprintf("filter: no frame of link type %v passes: %v", link, err))
	}
	f.programs.Store(link, program)
	return program
}

// remarks are what is wrong with the filter for some link types, in a fixed order.
func (f *frameFilter) remarks() []string {
	slices.Sort(f.unfit)
	return f.unfit
}

// portOf finds the port of a service by IANA's name or one of its aliases.
func portOf(name, transport string) (port uint16, ok bool) {
	for _, e := range service.ByName(name) {
		if e.Transport == transport || e.Transport == "" {
			return e.Low, true
		}
	}
	return 0, false
}
