// Command gen writes large, realistic, deterministic captures for
// benchmarks: the same flags always give the same bytes.
//
//	go run ./testdata/bench/gen -o mix.pcap -mix mix -packets 10000000 -flows 500000 -snaplen 128
//
// Packets come out in time order: every flow is a small state machine and a
// heap picks the flow whose next packet is due.
package main

import (
	"container/heap"
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"time"
)

func main() {
	log.SetFlags(0)
	var (
		out     = flag.String("o", "", "output `file`")
		mix     = flag.String("mix", "mix", "mix, synflood or elephants")
		seed    = flag.Uint64("seed", 1, "seed")
		packets = flag.Int("packets", 1_000_000, "packets (nearly, unless synflood)")
		flows   = flag.Int("flows", 50_000, "bidirectional flows (ignored by synflood)")
		snaplen = flag.Int("snaplen", 262144, "bytes kept of each packet")
		nano    = flag.Bool("ns", false, "nanosecond timestamps (default microsecond)")
		ng      = flag.Bool("pcapng", false, "write pcapng (default pcap)")
		pps     = flag.Float64("pps", 200_000, "average packets per second of capture time")
		v6      = flag.Float64("v6", 0.20, "share of IPv6 flows")
		vlan    = flag.Float64("vlan", 0.10, "share of 802.1Q-tagged flows")
	)
	flag.Parse()
	if *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	f, err := os.Create(*out)
	if err != nil {
		log.Fatal(err)
	}
	w := newWriter(f, *snaplen, *nano, *ng)
	t0 := time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC).UnixNano()
	g := &gen{w: w, seed: *seed, t0: t0, v6: *v6, vlan: *vlan}
	g.initPayload()
	switch *mix {
	case "synflood":
		g.synflood(*packets, *pps)
	case "mix", "elephants":
		g.run(*packets, *flows, *pps, *mix == "elephants")
	default:
		log.Fatalf("unknown mix %q", *mix)
	}
	if err := w.close(); err != nil {
		log.Fatal(err)
	}
	fmt.Fprintf(os.Stderr, "%s: packets=%d flows=%d bytes=%d span=%.1fs peak_active=%d kinds=%v\n",
		*out, w.packets, g.started, w.bytes, float64(g.now-t0)/1e9, g.peak, g.kinds)
}

// gen holds the whole simulation.
type gen struct {
	w         *writer
	seed      uint64
	t0, now   int64
	v6, vlan  float64
	active    flowHeap
	peak      int
	started   int
	kinds     map[string]int
	ports     [65536]uint16 // next ephemeral port of each client host
	payload   []byte
	buf       [2048]byte
	ipid      uint16
	elephants bool
	scale     float64
}

// run simulates n flows whose sizes are scaled so that they total packets.
func (g *gen) run(packets, n int, pps float64, elephants bool) {
	g.kinds = map[string]int{}
	g.elephants = elephants
	span := float64(packets) / pps * 1e9
	// Pass 1: arrival times and sizes, to find the scale that gives `packets`.
	arrive := make([]int64, n)
	var fixed, heavy float64
	for i := range arrive {
		r := newRNG(g.seed, uint64(i))
		arrive[i] = g.t0 + int64(r.float()*span)
		p := drawPlan(&r, elephants)
		fixed += p.fixed
		heavy += p.heavy
	}
	g.scale = (float64(packets) - fixed) / max(heavy, 1)
	if g.scale <= 0 {
		log.Fatalf("%d packets are too few for %d flows", packets, n)
	}
	order := make([]int32, n)
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		if d := arrive[a] - arrive[b]; d != 0 {
			return int(min(max(d, -1), 1))
		}
		return int(a - b)
	})
	// Pass 2: play.
	next := 0
	for next < n || len(g.active) > 0 {
		if next < n && (len(g.active) == 0 || arrive[order[next]] <= g.active[0].t) {
			i := order[next]
			next++
			g.started++
			heap.Push(&g.active, g.newFlow(uint64(i), arrive[i]))
			g.peak = max(g.peak, len(g.active))
			continue
		}
		fl := g.active[0]
		g.now = fl.t
		if g.step(fl) {
			heap.Fix(&g.active, 0)
		} else {
			heap.Pop(&g.active)
		}
	}
}

// synflood writes n 60-byte SYNs, each from its own source address and port.
func (g *gen) synflood(n int, pps float64) {
	g.kinds = map[string]int{"syn": n}
	g.started = n
	f := &flow{kind: kTCP, pad: true, sport: 443, dmac: 2, srv: addr4(198, 51, 100, 10)}
	r := newRNG(g.seed, 0)
	for i := range n {
		// A bijection of i, so that no two sources are equal.
		x := (uint64(i)*0x9E3779B97F4A7C15 + g.seed) & (1<<46 - 1)
		f.cport = uint16(1024 + x%64000)
		ip := uint32(x/64000) + 0x0B000000
		f.cli = addr4(byte(ip>>24), byte(ip>>16), byte(ip>>8), byte(ip))
		g.now = g.t0 + int64(float64(i)/pps*1e9)
		f.seq[0] = uint32(r.next())
		g.tcp(f, 0, flagSYN, 0, []byte{2, 4, 5, 0xb4}, 0)
	}
}

type flowHeap []*flow

func (h flowHeap) Len() int { return len(h) }
func (h flowHeap) Less(i, j int) bool {
	return h[i].t < h[j].t || h[i].t == h[j].t && h[i].id < h[j].id
}
func (h flowHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *flowHeap) Push(x any)   { *h = append(*h, x.(*flow)) }
func (h *flowHeap) Pop() any {
	old := *h
	f := old[len(old)-1]
	*h = old[:len(old)-1]
	return f
}
