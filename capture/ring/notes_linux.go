package ring

import (
	"fmt"
	"time"
)

// maxNotes are kept: interfaces that go up and down all day do not fill the memory.
const maxNotes = 64

// notes are what the user should know, each with its time when it happened later
// than the start.
type notes struct {
	first []string
	more  int
}

func (n *notes) add(format string, args ...any) {
	if len(n.first) == maxNotes {
		n.more++
		return
	}
	n.first = append(n.first, fmt.Sprintf(format, args...))
}

// at adds a note about something that happened just now.
func (n *notes) at(format string, args ...any) {
	n.add("%s: "+format, append([]any{time.Now().UTC().Format("2006-01-02T15:04:05.000Z")}, args...)...)
}

func (n *notes) list() []string {
	list := append([]string(nil), n.first...)
	if n.more > 0 {
		list = append(list, fmt.Sprintf("%d more changes of interfaces", n.more))
	}
	return list
}
