package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"sockscope/capture/pcapfile"
	"sockscope/decode/engine"
	"sockscope/decode/flow"
	"sockscope/report"
)

// BenchmarkReport is the whole program, from a file to the text of the report, on
// 400,000 frames of 20,000 connections that overlap. SOCKSCOPE_BENCH names another
// capture to take instead.
func BenchmarkReport(b *testing.B) {
	name := benchCapture(b)
	for _, workers := range []string{"1", "2"} {
		b.Run("workers="+workers, func(b *testing.B) {
			benchRun(b, name, "report", "--workers", workers)
		})
	}
}

// BenchmarkConnections is the whole program as BenchmarkReport is, to a line for each
// connection.
func BenchmarkConnections(b *testing.B) {
	name := benchCapture(b)
	for _, format := range report.ConnectionFormats() {
		b.Run(format, func(b *testing.B) {
			benchRun(b, name, "connections", "--workers", "1", "--format", format)
		})
	}
}

// benchRun runs the program over a capture and drops its output.
func benchRun(b *testing.B, name string, args ...string) {
	b.ReportAllocs()
	for b.Loop() {
		var stderr bytes.Buffer
		if status := run(context.Background(), append(args, "-r", name), nil, io.Discard, &stderr); status != exitDone {
			b.Fatalf("exit status %d: %s", status, &stderr)
		}
	}
	frames, _ := read(b, name)
	b.ReportMetric(float64(frames)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
}

// BenchmarkRows is only the writing of the connections, when all is read. flow.Config's
// round trips are measured as they are for these formats.
func BenchmarkRows(b *testing.B) {
	r := &reading{result: benchRead(b, benchCapture(b), 1, flow.Config{Classify: classify, RoundTrips: true})}
	for _, format := range []string{"ndjson", "csv"} {
		b.Run(format, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, err := report.NewConnectionWriter(io.Discard, format, report.ConnectionOptions{})
				if err != nil {
					b.Fatal(err)
				}
				if err := errors.Join(writeInOrder(r, w.Write), w.Close()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(r.result.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

// BenchmarkAdd is only the adding of the connections to a report, when all is read.
func BenchmarkAdd(b *testing.B) {
	name := benchCapture(b)
	for _, workers := range []int{1, 2} {
		b.Run("workers="+strconv.Itoa(workers), func(b *testing.B) {
			r := &reading{result: benchRead(b, name, workers, flow.Config{Classify: classify})}
			b.ReportAllocs()
			for b.Loop() {
				r.add(r.builder(report.Config{}))
			}
			b.ReportMetric(float64(r.result.Len())*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mconnections/s")
		})
	}
}

// BenchmarkTable tells the memory that the connections of the same capture take,
// the heap in use after the run, without what it had before.
func BenchmarkTable(b *testing.B) {
	name := benchCapture(b)
	for b.Loop() {
		before := heap()
		_, result := read(b, name)
		b.ReportMetric(float64(heap()-before)/float64(result.Len()), "B/connection")
		runtime.KeepAlive(result)
	}
}

// heap is the heap in use, without garbage.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// read runs the engine over a capture on one worker.
func read(b *testing.B, name string) (frames uint64, result *engine.Result) {
	b.Helper()
	result = benchRead(b, name, 1, flow.Config{})
	return result.Totals.Frames, result
}

// benchRead is read with so many workers and the connection table's Config.
func benchRead(b *testing.B, name string, workers int, cfg flow.Config) *engine.Result {
	b.Helper()
	src, err := pcapfile.Open(context.Background(), []string{name}, pcapfile.Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	result, err := engine.Run(context.Background(), src, engine.Config{Workers: workers, Flow: cfg})
	if err != nil {
		b.Fatal(err)
	}
	return result
}

// benchCapture writes a capture like that of a busy office, the same each time: web
// connections of one request, DNS questions, some that are refused or not answered.
func benchCapture(b *testing.B) string {
	b.Helper()
	if name := os.Getenv("SOCKSCOPE_BENCH"); name != "" {
		return name
	}
	name := filepath.Join(b.TempDir(), "mix.pcap")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriter(f)
	w.Write([]byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00"))
	const frames, connections, open = 400_000, 20_000, 1000
	r := rand.New(rand.NewPCG(1, 2))
	live := make([]*benchConnection, 0, open)
	for i, started := 0, 0; i < frames; i++ {
		if len(live) < open && started < connections {
			live = append(live, &benchConnection{id: uint32(started), kind: r.IntN(20), seq: [2]uint32{r.Uint32(), r.Uint32()}})
			started++
		}
		if len(live) == 0 {
			break
		}
		n := r.IntN(len(live))
		frame := live[n].next()
		if live[n].done {
			live[n] = live[len(live)-1]
			live = live[:len(live)-1]
		}
		var header [16]byte
		binary.LittleEndian.PutUint32(header[0:], 1_768_467_600+uint32(i/5000))
		binary.LittleEndian.PutUint32(header[4:], uint32(i%5000)*200)
		binary.LittleEndian.PutUint32(header[8:], uint32(len(frame)))
		binary.LittleEndian.PutUint32(header[12:], uint32(len(frame)))
		w.Write(header[:])
		w.Write(frame)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return name
}

// A benchConnection writes its frames one after the other.
type benchConnection struct {
	id   uint32
	kind int // 0 not answered, 1 refused, 2–6 DNS, else web
	step int
	seq  [2]uint32
	done bool
}

const benchExchanges = 13 // data and its acknowledgment

func (c *benchConnection) next() []byte {
	step := c.step
	c.step++
	const syn, ack, rst, fin, psh = 2, 16, 4, 1, 8
	switch {
	case c.kind == 0:
		c.done = step == 2
		return c.tcp(0, syn, 0)
	case c.kind == 1 && step == 1:
		c.done = true
		return c.tcp(1, rst|ack, 0)
	case c.kind <= 6 && c.kind > 1:
		c.done = step == 1
		return c.frame(step%2, 17, 53, append([]byte{0, 0, 0, 40, 0, 0}, make([]byte, 34)...))
	}
	last := 3 + 2*benchExchanges
	switch {
	case step == 0:
		return c.tcp(0, syn, 0)
	case step == 1:
		return c.tcp(1, syn|ack, 0)
	case step == 2:
		return c.tcp(0, ack, 0)
	case step < last && step%2 == 1:
		return c.tcp(step/2%2, ack|psh, 60)
	case step < last:
		return c.tcp((step/2+1)%2, ack, 0)
	case step == last:
		return c.tcp(0, fin|ack, 0)
	case step == last+1:
		return c.tcp(1, fin|ack, 0)
	}
	c.done = true
	return c.tcp(0, ack, 0)
}

// tcp is a segment that side sends, and moves its sequence number.
func (c *benchConnection) tcp(side int, flags byte, payload int) []byte {
	b := make([]byte, 16+payload)
	binary.BigEndian.PutUint32(b[0:], c.seq[side])
	if flags&16 != 0 {
		binary.BigEndian.PutUint32(b[4:], c.seq[side^1])
	}
	b[8], b[9] = 5<<4, flags
	binary.BigEndian.PutUint16(b[10:], 500)
	c.seq[side] += uint32(payload)
	if flags&3 != 0 {
		c.seq[side]++
	}
	return c.frame(side, 6, 443, b)
}

// frame is an Ethernet frame with IPv4 and, before rest, the ports.
func (c *benchConnection) frame(side int, proto byte, port uint16, rest []byte) []byte {
	b := make([]byte, 14+20+4, 14+20+4+len(rest))
	b[12] = 8
	ip := b[14:]
	ip[0], ip[8], ip[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(ip[2:], uint16(24+len(rest)))
	client, server := []byte{10, byte(c.id >> 10), byte(c.id >> 2), 7}, []byte{192, 0, 2, byte(c.id % 50)}
	ports := []uint16{uint16(32768 + c.id%28000), port}
	if side == 1 {
		client, server = server, client
		ports[0], ports[1] = ports[1], ports[0]
	}
	copy(ip[12:], client)
	copy(ip[16:], server)
	binary.BigEndian.PutUint16(ip[20:], ports[0])
	binary.BigEndian.PutUint16(ip[22:], ports[1])
	return append(b, rest...)
}

// The benchmark's capture is what it says.
func TestBenchCapture(t *testing.T) {
	var c benchConnection
	c.kind = 10
	var steps string
	for !c.done {
		f := c.next()
		steps += fmt.Sprint(len(f)-54, " ")
	}
	if want := 3 + 2*benchExchanges + 3; c.step != want {
		t.Errorf("%d frames, want %d: %s", c.step, want, steps)
	}
}
