package report

import (
	"cmp"
	"slices"
	"strings"

	"sockscope/capture"
)

// Processes that are counted apart; connections of others are counted together.
const (
	maxProcesses     = 32 // of one side of a service
	maxTroubleOwners = 8  // of one line of trouble

	maxOwned = 1 << 14 // lines of trouble of which processes are known, unless memory is short
)

// Processes counts connections by process.
type Processes struct {
	List   []ProcessUse // most connections first
	Others uint64       // connections of processes that were too many to keep apart
}

// A ProcessUse counts the connections of one process.
type ProcessUse struct {
	capture.Owner
	Connections uint64
}

// processes counts connections by process, up to a bound. They are few as a rule, and
// those of one process share what is known of it, so a list is searched in no time.
type processes struct {
	list   []ProcessUse
	others uint64
}

// add counts n connections of o.
func (p *processes) add(o capture.Owner, n uint64, bound int) {
	for i := range p.list {
		if u := &p.list[i]; u.Process == o.Process || sameProcess(u.Process, o.Process) {
			u.Connections += n
			if u.Basis == capture.BasisListener {
				u.Basis = o.Basis // it serves, too
			}
			return
		}
	}
	if len(p.list) >= bound {
		p.others += n
		return
	}
	p.list = append(p.list, ProcessUse{o, n})
}

// sameProcess reports whether two are of one process, or of one control group where
// nothing else is known.
func sameProcess(a, b *capture.Process) bool {
	if a.PID != b.PID || a.Netns != b.Netns {
		return false
	}
	return a.PID > 0 || a.Unit == b.Unit && a.Container == b.Container && a.UID == b.UID
}

// merge adds another list's connections.
func (p *processes) merge(o *processes, bound int) {
	if o == nil {
		return
	}
	for _, u := range o.list {
		p.add(u.Owner, u.Connections, bound)
	}
	p.others += o.others
}

// An ownership has the processes of keys of a heavy map. It stands beside that, so that
// captures without processes pay nothing for it.
type ownership[K comparable] struct {
	of   map[K]*processes
	most int // 0 means maxOwned
}

// add counts a connection of o with k, unless that is one of too many.
func (m *ownership[K]) add(k K, o capture.Owner) {
	p := m.of[k]
	if p == nil {
		if len(m.of) >= cmp.Or(m.most, maxOwned) {
			return
		}
		if m.of == nil {
			m.of = make(map[K]*processes)
		}
		p = new(processes)
		m.of[k] = p
	}
	p.add(o, 1, maxTroubleOwners)
}

// sorted is what was counted.
func (p *processes) sorted() Processes {
	if p == nil {
		return Processes{}
	}
	list := slices.Clone(p.list)
	slices.SortFunc(list, func(a, b ProcessUse) int {
		return cmp.Or(
			cmp.Compare(b.Connections, a.Connections),
			strings.Compare(processWord(a.Owner), processWord(b.Owner)),
			cmp.Compare(a.PID, b.PID),
			cmp.Compare(a.Netns, b.Netns),
		)
	})
	return Processes{List: list, Others: p.others}
}

// known reports whether any process is known.
func (p *Processes) known() bool { return len(p.List) > 0 }

// guesses reports whether one of the processes is known only to listen.
func (p *Processes) guesses() bool {
	return slices.ContainsFunc(p.List, func(u ProcessUse) bool { return u.Basis == capture.BasisListener })
}

// guessesProcesses reports whether a service has such a process.
func (s *Summary) guessesProcesses() bool {
	return slices.ContainsFunc(s.Services, func(v Service) bool { return v.ServerProcesses.guesses() })
}

// namedInTrouble is how many processes a line of trouble names.
const namedInTrouble = 2

// words is "curl[123], worker[77] +3", unescaped: the processes with the most
// connections; "" when none is known.
func (p *Processes) words() string {
	var names []string
	for _, u := range p.List[:min(namedInTrouble, len(p.List))] {
		names = append(names, processName(u.Owner))
	}
	return strings.Join(names, ", ") + p.more(len(p.List)-len(names))
}

// names is "nginx ×4 +2", unescaped: the name with the most connections, of how many
// processes it is, and how many names there are beside it; "nginx[80]" of a single
// process. It is "" when none is known.
func (p *Processes) names() string {
	if len(p.List) == 1 {
		return processName(p.List[0].Owner) + p.more(0)
	}
	type use struct {
		name        string
		processes   uint64
		connections uint64
	}
	var names []use
	for _, u := range p.List {
		name := onlyListens(u.Owner) + processWord(u.Owner)
		i := slices.IndexFunc(names, func(n use) bool { return n.name == name })
		if i < 0 {
			i = len(names)
			names = append(names, use{name: name})
		}
		names[i].processes++
		names[i].connections += u.Connections
	}
	if len(names) == 0 {
		return ""
	}
	first := names[0]
	for _, n := range names[1:] {
		if n.connections > first.connections {
			first = n
		}
	}
	text := first.name
	if first.processes > 1 {
		text += " ×" + humanCount(first.processes)
	}
	return text + p.more(len(names)-1)
}

// more is " +3" for those that are not named, and " …" where there are some that nobody
// counted.
func (p *Processes) more(n int) string {
	text := ""
	if n > 0 {
		text = " +" + humanCount(uint64(n))
	}
	if p.Others > 0 {
		text += " …"
	}
	return text
}
