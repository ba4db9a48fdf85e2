package main

import (
	"context"
	"math"

	"github.com/spf13/pflag"
)

// A view is one way to look at a source, the first word of the command line.
type view struct {
	name     string
	synopsis string // what follows the name
	summary  string // one line
	examples []example
	extra    bool // a tool beside the views: listed after them
	maxArgs  int  // words besides flags, or anyWords

	// define adds the view's flags to fs and gives what runs once they are parsed.
	define func(fs *pflag.FlagSet) action
}

// anyWords is the maxArgs of views that take a capture filter.
const anyWords = math.MaxInt

// An example is a command and what it is good for.
type example struct{ command, purpose string }

// An action runs a view with the words that were no flags.
type action func(ctx context.Context, p *program, args []string) error

// views lists the views that work, in the order of the help.
func views() []*view {
	return []*view{
		reportView(), connectionsView(), explainView(), labView(), quizView(), captureView(), portView(), socketsView(), interfacesView(),
		completionView(), manView(), helpView(), versionView(),
	}
}

// findView gives the view of that name, or nil.
func findView(name string) *view {
	for _, v := range views() {
		if v.name == name {
			return v
		}
	}
	return nil
}

func viewNames() []string {
	var names []string
	for _, v := range views() {
		names = append(names, v.name)
	}
	return names
}

// flagsOf is the set of flags of v, for those who list them.
func flagsOf(v *view) *pflag.FlagSet {
	fs := newFlagSet(v.name)
	v.define(fs)
	return fs
}
