package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"sockscope/capture"
	"sockscope/decode"
	"sockscope/decode/flow"
)

// maxDamage is the number of damaged places that are told of one input.
const maxDamage = 20

// inputTrouble tells what is wrong with the capture itself: all else in the report
// is only as good as that.
func inputTrouble(stats *capture.Stats, t *flow.Totals, all *Tally, drops uint64) []Trouble {
	var lines []Trouble
	tell := func(k string, s Severity, subject, text string, n uint64) {
		lines = append(lines, Trouble{
			Kind: k, Severity: s, Subject: subject, Text: text, Count: n,
			Since: capture.Unknown, Until: capture.Unknown,
		})
	}
	for _, in := range stats.Inputs {
		for _, d := range in.Damage[:min(maxDamage, len(in.Damage))] {
			severity := Warning
			if d.Unread {
				severity = Problem
			}
			tell("damage", severity, in.Name, d.String(), 1)
		}
		if n := len(in.Damage) - maxDamage; n > 0 {
			tell("damage", Warning, in.Name, "is damaged in "+plural(uint64(n), "more place"), uint64(n))
		}
	}
	if drops > 0 {
		tell("drops", Warning, "capture", "the capturing side lost "+plural(drops, "frame")+" ("+
			humanShare(float64(drops)/(float64(drops)+float64(t.Frames)))+" of what passed): verdicts can be wrong", drops)
	}
	if n := t.Evicted; n > 0 {
		tell("evicted", Warning, "capture", "memory was short: "+plural(n, "connection")+
			" ended before the time and may go on in records of their own; sums are exact"+undecidedOnes(all), n)
		line := &lines[len(lines)-1]
		line.Since, line.Until = t.EvictedSince, t.EvictedUntil
	}
	if reasons, n := undecodable(t); n > 0 {
		severity := Note
		if n*100 > t.Frames {
			severity = Warning
		}
		tell("undecodable", severity, "capture", plural(n, "frame")+" could not be decoded ("+reasons+")", n)
	}
	return lines
}

// undecidedOnes tells of the attempts that were evicted too early to tell what became of
// them, "" when there are none. In a flood these are nearly all.
func undecidedOnes(t *Tally) string {
	var words []string
	if n := t.UndecidedUnanswered; n > 0 {
		words = append(words, humanCount(n)+" unanswered")
	}
	if n := t.UndecidedHalfOpen; n > 0 {
		words = append(words, humanCount(n)+" half-open")
	}
	if len(words) == 0 {
		return ""
	}
	return "; " + strings.Join(words, " and ") + " ones had waited less than " + wait(answerTime) + ": what became of these is not known"
}

// undecodable is the number of frames that were not decoded, and why not: the most
// frequent reason first.
func undecodable(t *flow.Totals) (reasons string, n uint64) {
	type reason struct {
		name   string
		frames uint64
	}
	var all []reason
	for i, v := range t.Undecoded {
		all = append(all, reason{decode.Error(i).String(), v.Frames})
	}
	for _, link := range slices.Sorted(maps.Keys(t.UnknownLink)) {
		all = append(all, reason{"link type " + link.String() + " has no decoder", t.UnknownLink[link].Frames})
	}
	slices.SortStableFunc(all, func(a, b reason) int { return cmp.Compare(b.frames, a.frames) })
	var words []string
	for _, r := range all {
		if r.frames > 0 {
			words = append(words, humanCount(r.frames)+" "+r.name)
			n += r.frames
		}
	}
	return strings.Join(words, ", "), n
}
