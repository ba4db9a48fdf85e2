// Command bench measures sockscope against other programs that read captures, end to
// end, and prints a table in Markdown: the one in the README.
//
//	go run ./testdata/bench /var/tmp/bench
//	go run ./testdata/bench -runs 3 -captures mix128,small -programs tcpdump,argus /var/tmp/bench
//
// It builds sockscope and the generator in the directory given, and makes the captures there
// that are missing: about 4 GB. What is not installed is said to be absent. Programs take
// turns, each capture is in the page cache before. The machine should have nothing else
// to do. Of Debian:
//
//	apt-get install tcpdump tshark wireshark-common tcptrace argus-server libndpi-bin nfdump softflowd
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Words are what chooses among things with names: all, when there are none.
type words []string

func (w *words) String() string     { return strings.Join(*w, ",") }
func (w *words) Set(s string) error { *w = strings.Split(s, ","); return nil }

func (w words) chooses(name string) bool {
	for _, word := range w {
		if strings.Contains(name, word) {
			return true
		}
	}
	return len(w) == 0
}

func main() {
	log.SetFlags(0)
	var captures, programs words
	flag.Var(&captures, "captures", "only these `names`, or parts of them, separated by commas")
	flag.Var(&programs, "programs", "besides sockscope only these `names`, likewise")
	runs := flag.Int("runs", 5, "`N` runs of each program, of which the table has the median")
	patience := flag.Duration("patience", 30*time.Second, "what takes longer runs only once")
	limit := flag.Duration("limit", 10*time.Minute, "what takes longer is ended")
	flag.Parse()
	if flag.NArg() != 1 || *runs < 1 {
		flag.Usage()
		os.Exit(2)
	}
	dir, err := filepath.Abs(flag.Arg(0))
	if err != nil {
		log.Fatal(err)
	}
	if err := prepare(dir); err != nil {
		log.Fatal(err)
	}
	b := &bench{dir: dir, runs: *runs, patience: *patience, limit: *limit}
	for _, p := range allPrograms(dir) {
		if strings.HasPrefix(p.name, ours) || programs.chooses(p.name) {
			b.programs = append(b.programs, p)
		}
	}
	for _, c := range allCaptures {
		if captures.chooses(c.name) {
			b.captures = append(b.captures, c)
		}
	}
	writeMachine(os.Stdout)
	writePrograms(os.Stdout, b.programs)
	if err := b.run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// prepare builds what is run.
func prepare(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, pkg := range map[string]string{"sockscope": "./cmd/sockscope", "gen": "./testdata/bench/gen"} {
		cmd := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, name), pkg)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// A bench is what is measured.
type bench struct {
	dir      string
	captures []capture
	programs []program
	runs     int
	patience time.Duration
	limit    time.Duration
}

// run measures all, and writes a row as soon as it is known.
func (b *bench) run(w io.Writer) error {
	fmt.Fprintf(w, "\n| capture | program | seconds | CPU | M packets/s | peak memory | × sockscope |\n|---|---|--:|--:|--:|--:|--:|\n")
	for _, c := range b.captures {
		file := filepath.Join(b.dir, c.name+".pcap")
		if err := c.make(b.dir, file); err != nil {
			return err
		}
		packets, err := count(file)
		if err != nil {
			return err
		}
		results := b.measure(file)
		if len(results[0].seconds) == 0 {
			return fmt.Errorf("%s: %s cannot be compared with: it %s", c.name, ours, results[0].absent)
		}
		what := fmt.Sprintf("%s: %s", c.name, c.what)
		for i, p := range b.programs {
			r := &results[i]
			if len(r.seconds) == 0 {
				fmt.Fprintf(w, "| %s | %s | %s | | | | |\n", what, p.name, r.absent)
			} else {
				s := median(r.seconds)
				ratio := s / median(results[0].seconds)
				fmt.Fprintf(w, "| %s | %s | %.2f%s | %.2f | %.2f | %d MB | %.*f |\n",
					what, p.name, s, r.once(), median(r.cpu), float64(packets)/s/1e6, r.peak>>20, digits(ratio), ratio)
			}
			what = ""
		}
	}
	return nil
}

// digits is how many of a ratio's decimals mean something.
func digits(ratio float64) int {
	switch {
	case ratio >= 20:
		return 0
	case ratio >= 5:
		return 1
	}
	return 2
}

// count counts the records of a pcap file, and has it in the page cache then.
func count(file string) (packets int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	if _, err := r.Discard(24); err != nil {
		return 0, err
	}
	for {
		var header [16]byte
		if _, err := io.ReadFull(r, header[:]); errors.Is(err, io.EOF) {
			return packets, nil
		} else if err != nil {
			return 0, err
		}
		if _, err := r.Discard(int(binary.LittleEndian.Uint32(header[8:]))); err != nil {
			return 0, err
		}
		packets++
	}
}
