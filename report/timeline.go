package report

import (
	"math"
	"time"

	"sockscope/capture"
)

// maxBuckets is the number of intervals that a Timeline has at most.
const maxBuckets = 240

// timelineSteps are the intervals a Timeline may have. Each divides the next one,
// so that buckets can be merged as the capture grows longer.
var timelineSteps = [...]time.Duration{
	time.Microsecond, 2 * time.Microsecond, 10 * time.Microsecond, 20 * time.Microsecond,
	100 * time.Microsecond, 200 * time.Microsecond, time.Millisecond, 2 * time.Millisecond,
	10 * time.Millisecond, 20 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	time.Second, 2 * time.Second, 10 * time.Second, 20 * time.Second,
	time.Minute, 2 * time.Minute, 10 * time.Minute, 20 * time.Minute,
	time.Hour, 2 * time.Hour, 12 * time.Hour, 24 * time.Hour,
	10 * 24 * time.Hour, 100 * 24 * time.Hour, 1000 * 24 * time.Hour,
}

// intervals counts connections by time. They start at multiples of the step
// since 1970, so the result does not depend on which connection came first.
type intervals struct {
	step    int   // index into timelineSteps
	first   int64 // number of buckets[0]'s interval
	buckets []Bucket

	latest       *Bucket           // the one that was counted in last, mostly the next one too
	since, until capture.Timestamp // its interval: from since, before until
}

// add counts a connection that began at t; an unknown time is left out.
func (k *intervals) add(t capture.Timestamp, failed bool) {
	if !t.Known() {
		return
	}
	if t < k.since || t >= k.until {
		k.turnTo(t)
	}
	b := k.latest
	b.Connections++
	if failed {
		b.Failed++
	}
}

// merge adds another one's connections.
func (k *intervals) merge(o *intervals) {
	for k.step < o.step {
		k.coarsen()
	}
	for i, b := range o.buckets {
		if b.Connections == 0 {
			continue // it is there for those around it
		}
		to := &k.buckets[k.include(o.start(int64(i)))]
		to.Connections += b.Connections
		to.Failed += b.Failed
	}
	k.latest, k.since, k.until = nil, 0, 0 // to be looked for anew
}

// turnTo makes t's bucket the latest one.
func (k *intervals) turnTo(t capture.Timestamp) {
	i := k.include(t)
	k.latest = &k.buckets[i]
	step := int64(timelineSteps[k.step])
	k.since = capture.Timestamp((k.first + i) * step)
	k.until = k.since + capture.Timestamp(step)
}

// include makes the buckets reach t, with a coarser step if need be, and gives t's.
func (k *intervals) include(t capture.Timestamp) (bucket int64) {
	if k.buckets == nil {
		k.buckets = make([]Bucket, 1, maxBuckets)
		k.first = interval(t, k.step)
		return 0
	}
	for {
		i := interval(t, k.step)
		low, high := min(i, k.first), max(i, k.first+int64(len(k.buckets))-1)
		if high-low < maxBuckets {
			k.grow(low, high)
			return i - k.first
		}
		k.coarsen()
	}
}

// grow adds empty buckets on both sides.
func (k *intervals) grow(low, high int64) {
	if low < k.first {
		n := len(k.buckets)
		k.buckets = k.buckets[:n+int(k.first-low)]
		copy(k.buckets[k.first-low:], k.buckets[:n])
		clear(k.buckets[:k.first-low])
		k.first = low
	}
	for int64(len(k.buckets)) <= high-low {
		k.buckets = append(k.buckets, Bucket{})
	}
}

// coarsen goes to the next step.
func (k *intervals) coarsen() {
	ratio := int64(timelineSteps[k.step+1] / timelineSteps[k.step])
	first := floorDiv(k.first, ratio)
	var merged [maxBuckets]Bucket
	n := 0
	for i, b := range k.buckets {
		at := int(floorDiv(k.first+int64(i), ratio) - first)
		merged[at].Connections += b.Connections
		merged[at].Failed += b.Failed
		n = at + 1
	}
	k.step++
	k.first = first
	k.buckets = append(k.buckets[:0], merged[:n]...)
}

// timeline covers first to last, or what was added where these are unknown.
func (k *intervals) timeline(first, last capture.Timestamp) Timeline {
	covered := intervals{step: k.step, first: k.first}
	if k.buckets != nil {
		covered.buckets = append(make([]Bucket, 0, maxBuckets), k.buckets...)
	}
	for _, t := range [...]capture.Timestamp{first, last} {
		if t.Known() {
			covered.include(t)
		}
	}
	if covered.buckets == nil {
		return Timeline{Start: capture.Unknown}
	}
	return Timeline{Start: covered.start(0), Step: timelineSteps[covered.step], Buckets: covered.buckets}
}

// start is where the ith bucket begins; where that is before all time, the first time.
func (k *intervals) start(i int64) capture.Timestamp {
	step := int64(timelineSteps[k.step])
	if k.first+i < math.MinInt64/step {
		return capture.Unknown + 1
	}
	return capture.Timestamp((k.first + i) * step)
}

// interval is the number of the interval that t lies in.
func interval(t capture.Timestamp, step int) int64 {
	return floorDiv(int64(t), int64(timelineSteps[step]))
}

// floorDiv rounds towards minus infinity: times before 1970 have intervals too.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
