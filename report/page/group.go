package page

import (
	"strings"

	"sockscope/report"
)

// A group is a set of outcomes that mean the same to somebody who asks whether
// it worked. Charts have one colour for each: eleven would tell nothing.
type group uint8

const (
	worked     group = iota // complete, implied or answered
	other                   // neither worked nor failed as far as the capture tells
	rejected                // somebody said no
	unfinished              // the server answered, the client did not go on
	silent                  // nobody answered
	numGroups
)

// outcomeGroups has the group of every outcome's word that is not a success.
var outcomeGroups = map[string]group{
	"refused": rejected, "unreachable": rejected, "aborted": rejected, "mismatched": rejected,
	"half-open":  unfinished,
	"unanswered": silent,
	"reply-only": other, "midstream": other,
}

// Name is the word of the legend.
func (g group) Name() string {
	return [numGroups]string{"worked", "other", "rejected", "not finished", "no answer"}[g]
}

// Class is the group's class in the style sheet.
func (g group) Class() string {
	return [numGroups]string{"worked", "other", "rejected", "unfinished", "silent"}[g]
}

// Means lists the group's outcomes for the legend.
func (g group) Means() string {
	return [numGroups]string{
		"complete, answered, implied",
		"midstream, reply-only, requests that ask for no answer",
		"refused, unreachable, aborted, mismatched",
		"half-open",
		"unanswered",
	}[g]
}

// Failed reports whether the group's connections did not come about.
func (g group) Failed() bool { return g == rejected || g == unfinished || g == silent }

// An outcomeCount is one outcome's share of a Tally.
type outcomeCount struct {
	Name  string
	Group group
	N     uint64
}

// outcomeCounts lists all outcomes in their fixed order, those with no
// connections too.
func outcomeCounts(t *report.Tally) []outcomeCount {
	counts := make([]outcomeCount, 0, len(t.Outcomes))
	for o := (report.Row{}).Outcome; int(o) < len(t.Outcomes); o++ {
		counts = append(counts, outcomeCount{o.String(), outcomeGroups[o.String()], t.Outcomes[o]})
	}
	return counts
}

// splitOutcomes lists the outcomes that occur, with the unanswered and half-open ones
// that did not fail, because they asked for no answer or were evicted too early to tell
// (report.Row.Failed), on lines of their own.
func splitOutcomes(t *report.Tally) []outcomeCount {
	var list []outcomeCount
	var failed uint64
	for _, o := range outcomeCounts(t) {
		if o.N == 0 {
			continue
		}
		if o.Group.Failed() {
			failed += o.N
		}
		list = append(list, o)
	}
	excused := failed - min(failed, t.Failed)
	halfOpen := min(excused, t.UndecidedHalfOpen)
	return excuse(excuse(list, "half-open", halfOpen), "unanswered", excused-halfOpen)
}

// excuse moves up to n of the connections with an outcome, which have not failed, to a line
// of their own at the end of the list.
func excuse(list []outcomeCount, name string, n uint64) []outcomeCount {
	for i := range list {
		o := &list[i]
		if o.Name != name || n == 0 {
			continue
		}
		n = min(n, o.N)
		o.N -= n
		return append(list, outcomeCount{o.Name, other, n})
	}
	return list
}

// failures sums a group of connections' failures by what they came to, and words
// them: "2 refused, 1 unanswered".
func failures(t *report.Tally) (n uint64, words string) {
	var parts []string
	for _, o := range splitOutcomes(t) {
		if o.N > 0 && o.Group.Failed() {
			n += o.N
			parts = append(parts, o.Count()+" "+o.Name)
		}
	}
	return n, strings.Join(parts, ", ")
}

// groupCounts sums a Tally's outcomes by group.
func groupCounts(t *report.Tally) (n [numGroups]uint64) {
	for _, o := range splitOutcomes(t) {
		n[o.Group] += o.N
	}
	return n
}

// Count is o's number for the reader.
func (o outcomeCount) Count() string { return count(o.N) }
