package quiz

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"

	"sockscope/capture"
	"sockscope/decode/flow"
	"sockscope/report/explain"
)

// Config says which questions are asked.
type Config struct {
	Questions int    // how many at most; 0: 10
	Seed      uint64 // chooses among those that there are

	// Owners are the processes of a connection's client and server; nil: none are known.
	Owners func(*flow.Connection) [2]capture.Owner
}

// A Quiz is a list of questions about one capture.
type Quiz struct {
	Questions []Question
	Seed      uint64
	Fewer     bool // than were asked for: the capture has no more
}

// New makes a quiz of conversations: those that pool chose, as they were followed. It fails
// only when ctx is done, with ctx's error.
func New(ctx context.Context, cfg Config, pool *Pool, conversations []explain.Conversation) (*Quiz, error) {
	if cfg.Questions == 0 {
		cfg.Questions = 10
	}
	e := &examiner{ctx: ctx, cfg: cfg, pool: pool, conversations: conversations}
	for i := range conversations {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e.about(&conversations[i])
	}
	q := &Quiz{Questions: e.choose(), Seed: cfg.Seed}
	if err := ctx.Err(); err != nil { // what was found until then is not all
		return nil, err
	}
	q.Fewer = len(q.Questions) < cfg.Questions
	return q, nil
}

// perTopic is how many questions of one topic are kept of a conversation.
const perTopic = 8

// An examiner finds the questions that can be asked.
type examiner struct {
	ctx           context.Context // ends the search
	cfg           Config
	pool          *Pool
	conversations []explain.Conversation

	found   [numTopics][]Question
	here    [numTopics]int          // of the conversation that it looks at
	counted map[netip.AddrPort]bool // servers

	looks int  // at steps and found questions
	ended bool // ctx is done
}

// pace is after how many looks the context is asked: a power of two, a millisecond's work at most.
const pace = 1 << 10

// look counts a look at something of which there may be many, and reports whether to go on.
func (e *examiner) look() bool {
	if e.looks%pace == 0 {
		e.ended = e.ctx.Err() != nil
	}
	e.looks++
	return !e.ended
}

// full reports whether a conversation is asked enough about a topic.
func (e *examiner) full(t Topic) bool { return e.here[t] == perTopic }

// about finds the questions about a conversation.
func (e *examiner) about(c *explain.Conversation) {
	e.here = [numTopics]int{}
	e.whoIsClient(c)
	e.whoCloses(c)
	e.ports(c)
	e.sockets(c)
	e.acknowledgments(c)
	e.handshake(c)
	e.states(c)
	e.failure(c)
	e.retransmissions(c)
	e.datagrams(c)
}

// add takes a question whose first choice is the right one. Choices that say the same are
// one; a question needs three.
func (e *examiner) add(q Question) {
	if e.full(q.Topic) {
		return
	}
	if q.Numbers == nil {
		if q.Choices = distinct(q.Choices); len(q.Choices) < 3 {
			return
		}
	}
	e.here[q.Topic]++
	e.found[q.Topic] = append(e.found[q.Topic], q)
}

// distinct is notes without those that say what an earlier one says.
func distinct(notes []explain.Note) []explain.Note {
	var kept []explain.Note
	for _, n := range notes {
		if !slices.ContainsFunc(kept, func(k explain.Note) bool { return k.Key == n.Key && slices.Equal(k.Args, n.Args) }) {
			kept = append(kept, n)
		}
	}
	return kept
}

// choose picks the questions: topic after topic, and of each one what has not been asked in
// the same way or about the same conversation.
func (e *examiner) choose() []Question {
	random := rand.New(rand.NewPCG(e.cfg.Seed, 0x736f636b73636f70))
	var topics []Topic
	for t := range numTopics {
		if len(e.found[t]) > 0 {
			topics = append(topics, t)
		}
	}
	random.Shuffle(len(topics), func(i, j int) { topics[i], topics[j] = topics[j], topics[i] })

	asked := map[uint64]int{} // by first frame of the conversation
	said := map[string]int{}  // by the right answer
	var chosen []Question
	for left := true; left; {
		left = false
		for _, t := range topics {
			if len(e.found[t]) == 0 || len(chosen) == e.cfg.Questions {
				continue
			}
			left = true
			var fresh []int
			best := 0
			for i := range e.found[t] {
				if !e.look() {
					return nil
				}
				q := &e.found[t][i]
				n := 4*said[q.variant()] + asked[q.Conversation.Connection.FirstFrame]
				if len(fresh) == 0 || n < best {
					fresh, best = fresh[:0], n
				}
				if n == best {
					fresh = append(fresh, i)
				}
			}
			i := fresh[random.IntN(len(fresh))]
			q := e.found[t][i]
			e.found[t] = slices.Delete(e.found[t], i, i+1)
			said[q.variant()]++
			asked[q.Conversation.Connection.FirstFrame]++
			q.mix(random)
			chosen = append(chosen, q)
		}
	}
	return chosen
}

// variant is what the question has in common with those that have the same sort of answer.
func (q *Question) variant() string {
	key := q.Topic.String() + " " + q.Ask.Key
	if len(q.Choices) > 0 {
		key += " " + q.Choices[0].Key
		if len(q.Choices[0].Args) > 0 {
			if s, ok := q.Choices[0].Args[0].(flow.State); ok {
				key += " " + s.String()
			}
		}
	}
	return key
}

// mix puts the choices, of which the first one is right, in an order that does not tell, and
// leaves out what is too many.
func (q *Question) mix(random *rand.Rand) {
	if len(q.Choices) == 0 {
		return
	}
	wrong := slices.Clone(q.Choices[1:])
	random.Shuffle(len(wrong), func(i, j int) { wrong[i], wrong[j] = wrong[j], wrong[i] })
	wrong = wrong[:min(len(wrong), most-1)]
	right := q.Choices[0]
	q.Right = random.IntN(len(wrong) + 1)
	q.Choices = slices.Insert(wrong, q.Right, right)
}
