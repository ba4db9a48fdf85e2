package quiz

import (
	"slices"
	"strconv"
	"strings"

	"sockscope/report/explain"
)

// A Topic is what a question is about.
type Topic uint8

const (
	Client     Topic = iota // who is the client
	Ack                     // what acknowledges a segment
	Handshake               // which segment completes it
	State                   // what state an end is in
	Failed                  // what it means that an attempt failed
	Socket                  // which socket gets the data
	Process                 // which process does
	Lent                    // which port nobody had to know
	Range                   // which range a port is in
	Count                   // how many sockets a port has
	Again                   // whether a segment was sent before
	ClosedBy                // who closed first
	Unreliable              // what a datagram socket gets to know
	numTopics
)

// String is the topic's name.
func (t Topic) String() string {
	return [...]string{"client", "ack", "handshake", "state", "failed", "socket", "process", "lent", "range", "count", "again",
		"closed-by", "unreliable"}[t]
}

// most is how many choices a question has.
const most = 4

// A Question is one with its answer. It is data and has no layout.
type Question struct {
	Topic        Topic
	Conversation *explain.Conversation // which it is about
	Shown        []Segment             // what the learner gets to see of it
	Given        []explain.Note        // and what is known besides
	Ask          explain.Note

	Choices []explain.Note // none where a number is asked for
	Right   int            // which of them is right
	Numbers []uint32       // the number, absolute and, where that is known, relative

	Why []explain.Note // how one can see that, in the capture
}

// A Result is what came of an answer.
type Result uint8

const (
	Unclear Result = iota // it is no answer to this question
	Skipped
	Right
	Wrong
)

// Check is what came of an answer: a letter or the number of a choice, or the number that was
// asked for.
func (q *Question) Check(answer string) Result {
	answer = strings.ToLower(strings.TrimRight(strings.TrimSpace(answer), ".):"))
	if answer == "" {
		return Skipped
	}
	if len(q.Choices) == 0 {
		n, err := strconv.ParseUint(strings.NewReplacer(",", "", " ", "").Replace(answer), 10, 32)
		switch {
		case err != nil:
			return Unclear
		case slices.Contains(q.Numbers, uint32(n)):
			return Right
		}
		return Wrong
	}
	n := -1
	if len(answer) == 1 {
		if c := answer[0]; '1' <= c && c <= '9' {
			n = int(c - '1')
		} else {
			n = int(c) - 'a'
		}
	}
	switch {
	case n < 0 || n >= len(q.Choices):
		return Unclear
	case n == q.Right:
		return Right
	}
	return Wrong
}

// letter names a choice.
func letter(i int) string { return string(rune('a' + i)) }
