package privilege

import (
	"errors"
	"os"

	"sockscope/capture"
)

// helperName is the helper's name in lists of processes, and how it knows what it is.
const helperName = "sockscope-links"

// IsHelper reports whether this process was started to be the helper. Then ServeLinks
// is all that it does.
func IsHelper() bool { return len(os.Args) > 0 && os.Args[0] == helperName }

// ServeLinks is the helper's life: it gives up all but the two capabilities that show
// the open files of all processes, and answers with what read finds about a process, or
// about all with PID 0, until the program that started it ends. An error of read is
// told beside the links.
//
// read may open directories with O_DIRECTORY and read links, and nothing else.
func ServeLinks(read func(pid int) ([]capture.Link, error)) error { return serve(read) }

// StartHelper starts this program once more as the helper. The caller closes it.
func StartHelper() (*Helper, error) { return startHelper() }

var (
	errNoHelper = errors.New("no helper was started") // a nil Helper's
	errSilent   = errors.New("the helper does not answer")
	errEnded    = errors.New("the helper has ended")
)
