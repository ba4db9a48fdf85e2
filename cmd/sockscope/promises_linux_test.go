package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// scaled is small, or full when SOCKSCOPE_FULL is set: as large as what is promised.
func scaled(small, full int) int {
	if os.Getenv("SOCKSCOPE_FULL") != "" {
		return full
	}
	return small
}

// summarizing starts the report of the pair's interface in. The function it returns ends
// it, and tells what it wrote and said.
func summarizing(t *testing.T, flags ...string) (cmd *exec.Cmd, end func() (summary, string)) {
	t.Helper()
	var out bytes.Buffer
	cmd = exec.Command("sockscope", append([]string{"report", "-i", "in", "--format", "json"}, flags...)...)
	cmd.Stdout = &out
	interrupt := startRated(t, cmd)
	return cmd, func() (s summary, said string) {
		t.Helper()
		said = interrupt(os.Interrupt)
		if err := json.Unmarshal(out.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		return s, said
	}
}

type summary struct {
	Capture struct{ Frames, Drops uint64 }
	Total   struct{ Packets, Connections uint64 }
}

// What was received before Ctrl-C is reported, however short before.
func TestNothingIsLostAtTheEnd(t *testing.T) {
	newPairOfInterfaces(t)
	for _, name := range []string{"in", "out"} { // long frames fill several blocks of the ring
		command(t, "ip link set "+name+" mtu 9000")
	}
	runs := scaled(10, 200)
	var longest time.Duration
	for run := range runs {
		_, end := summarizing(t)
		frames := 1 + rand.IntN(500)
		if _, err := newTalk(60+rand.IntN(8900), 1, 0).send("out", frames, 0); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		s, said := end()
		longest = max(longest, time.Since(begin))
		if want := uint64(frames); s.Total.Packets != want || s.Capture.Frames != want || counted(t, said, "captured") != want {
			t.Fatalf("run %d: %+v of %d frames\n%s", run, s, frames, said)
		}
	}
	t.Logf("%d runs, the longest end took %v", runs, longest)
	if longest > time.Duration(scaled(10, 1))*time.Second { // small runs share the machine with other tests
		t.Errorf("an end took %v", longest)
	}
}

// received is how many frames an interface has received.
func received(t *testing.T, name string) uint64 {
	t.Helper()
	text := command(t, "ip -stats -json link show dev "+name)
	var links []struct {
		Stats64 struct{ Rx struct{ Packets uint64 } }
	}
	if err := json.Unmarshal([]byte(text), &links); err != nil || len(links) != 1 {
		t.Fatal(err, text)
	}
	return links[0].Stats64.Rx.Packets
}

// A program that was stopped in the middle has analysed each frame or counts it as
// dropped.
func TestEveryFrameIsAnalysedOrCounted(t *testing.T) {
	newPairOfInterfaces(t)
	frames, pause := scaled(100_000, 1_000_000), time.Duration(scaled(200, 3000))*time.Millisecond
	for _, flags := range []string{"", "-B 2048", "--workers 2"} {
		for range scaled(1, 5) {
			before := received(t, "in")
			cmd, end := summarizing(t, strings.Fields(flags)...)
			blast := exec.Command("blast", "out", strconv.Itoa(frames), "0", "700", "1000", "20")
			if err := blast.Start(); err != nil {
				t.Fatal(err)
			}
			for received(t, "in")-before < uint64(frames/4) {
				time.Sleep(time.Millisecond)
			}
			cmd.Process.Signal(syscall.SIGSTOP)
			time.Sleep(pause)
			cmd.Process.Signal(syscall.SIGCONT)
			if err := blast.Wait(); err != nil {
				t.Fatal("blast: ", err)
			}
			s, said := end()
			sent, dropped := received(t, "in")-before, counted(t, said, "dropped by kernel")
			line := fmt.Sprintf("report %s: sent %d, received %d = analysed %d + dropped %d", flags, frames, sent, s.Total.Packets, dropped)
			t.Log(line)
			if s.Total.Packets+dropped != sent || s.Capture.Drops != dropped || s.Capture.Frames != s.Total.Packets || counted(t, said, "received by filter") != sent {
				t.Errorf("%s\n%+v\n%s", line, s, said)
			}
		}
	}
}
