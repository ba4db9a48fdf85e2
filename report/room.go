package report

import "math/bits"

// How much a Builder keeps when Config.Memory does not say it, or says so much.
const (
	wholeRoom = 96 << 20 // bytes from which on the bounds are the widest
	roomOfKey = wholeRoom / maxHeavy
)

// bounds say how much of each kind a Builder keeps apart.
type bounds struct {
	heavy    int // keys of a heavy map
	callers  int // of doors that wait to be counted
	portless int // hosts that answered without ports

	services    int // that have sums of their own whoever asks for them
	ports       int // likewise without a service, and of one service
	questions   int
	visits      int // that a kernel remembers
	connections int // likewise
	owned       int // lines of trouble of which processes are known
}

// boundsOf are the bounds of a Builder whose tables may take so many bytes; 0: as many as
// they like.
func boundsOf(memory int64) bounds {
	all := bounds{
		heavy: maxHeavy, callers: maxCallers, portless: maxPortless,
		services: maxSums, ports: maxUnknownPorts, questions: maxServiceNames,
		visits: maxVisits, connections: maxRecent, owned: maxOwned,
	}
	if memory <= 0 || memory >= wholeRoom {
		return all
	}
	keys := max(slabSlots, 1<<(bits.Len64(uint64(memory/roomOfKey)|1)-1))
	part := maxHeavy / keys
	return bounds{
		heavy: keys, callers: 4 * keys, portless: max(64, maxPortless/part),
		services: max(256, 1<<14/part), ports: max(256, maxUnknownPorts/part), questions: max(256, maxServiceNames/part),
		visits: max(256, maxVisits/part), connections: max(256, maxRecent/part), owned: max(64, maxOwned/part),
	}
}

// The shares of Config.Memory, in sixteenths, that are for what grows with the input, each
// watched by itself: so what one does depends on what it was given and on nothing else.
const (
	groupShare   = 4
	pathShare    = 2
	sweepShare   = 3
	doorShare    = 3
	addressShare = 2
	sampleShare  = 2
)

// A watch tells when it is time to look how much a table takes. The zero value: never.
type watch struct {
	most int64 // bytes that the table may take
	left int   // steps until it is time
}

// costOfStep is what a step adds to a table at most, in bytes, taken over many.
const costOfStep = 512

func newWatch(memory, share int64) watch {
	w := watch{most: memory / 16 * share}
	w.looked(0)
	return w
}

// due counts steps, and reports whether to look.
func (w *watch) due(steps int) bool {
	w.left -= steps
	return w.left <= 0 && w.most > 0
}

// enough is what a table that takes too much is brought down to.
func (w *watch) enough() int64 { return w.most / 8 * 7 }

// looked notes what the table takes: there is no need to look again before so much more may
// have come that it is too much, or many steps were made.
func (w *watch) looked(used int64) { w.left = int(max(1<<10, (w.most-used)/costOfStep)) }

// keepWithin makes the tables of b, which are empty, keep within so many bytes; 0: as many
// as they need.
func (b *Builder) keepWithin(memory int64) {
	most, t := boundsOf(memory), b.tables
	t.doors.heavy.most, t.doors.most, t.doors.portless.most = most.heavy, most.callers, most.portless
	t.trouble.groups.most, t.trouble.scans.paths.most, t.trouble.scans.sweeps.most = most.heavy, most.heavy, most.heavy
	t.trouble.scans.loners.most = most.heavy
	t.doors.heavy.bare, t.trouble.scans.paths.bare, t.trouble.scans.sweeps.bare = true, true, true
	t.trouble.owners.most, t.trouble.scans.pathOwners.most, t.trouble.scans.sweepOwners.most = most.owned, most.owned, most.owned
	b.services.sums, b.services.ports, b.services.questions = most.services, most.ports, most.questions
	if b.kernel != nil {
		b.kernel.mostVisits, b.kernel.mostRecent = most.visits, most.connections
	}

	t.doors.watch = newWatch(memory, doorShare)
	t.trouble.watch = newWatch(memory, groupShare)
	t.trouble.scans.pathWatch, t.trouble.scans.sweepWatch = newWatch(memory, pathShare), newWatch(memory, sweepShare)
	t.watch = newWatch(memory, addressShare)
	b.services.watch = newWatch(memory, sampleShare)
}
