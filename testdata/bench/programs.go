package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// ours is what the names of our own programs begin with.
const ours = "sockscope"

// A program is one that reads a capture. Of its arguments FILE is the capture, and DIR an
// empty directory.
type program struct {
	name    string
	args    []string
	version []string // arguments that have it print its version
}

// allPrograms are sockscope, with whose first line the others are compared, and its peers.
func allPrograms(dir string) []program {
	self := filepath.Join(dir, ours)
	return []program{
		{ours + " report", []string{self, "report", "-r", "FILE"}, nil},
		{ours + " report --workers 1", []string{self, "report", "--workers", "1", "-r", "FILE"}, nil},
		{"tcpdump, copying", []string{"tcpdump", "-r", "FILE", "-w", "/dev/null"}, []string{"--version"}},
		{"capinfos", []string{"capinfos", "-c", "-u", "-z", "FILE"}, []string{"--version"}},
		{"argus", []string{"argus", "-r", "FILE", "-w", "/dev/null"}, []string{"-V"}},
		{"tcptrace", []string{"tcptrace", "-n", "FILE"}, []string{"-v"}},
		{"nfpcapd", []string{"nfpcapd", "-r", "FILE", "-l", "DIR", "-t", "86400"}, []string{"-V"}},
		{"ndpiReader", []string{"ndpiReader", "-i", "FILE"}, []string{"-h"}},
		{"softflowd", []string{"softflowd", "-d", "-m", "10000000", "-r", "FILE"}, []string{"-h"}},
		{"tshark -z conv,tcp", []string{"tshark", "-n", "-q", "-z", "conv,tcp", "-r", "FILE"}, []string{"--version"}},
	}
}

// path is where the program is, "" when it is not installed.
func (p *program) path() string {
	path, err := exec.LookPath(p.args[0])
	if err != nil {
		return ""
	}
	return path
}

// command is how the program reads file. dir is an empty directory.
func (p *program) command(file, dir string) []string {
	args := make([]string, len(p.args))
	for i, a := range p.args {
		args[i] = strings.NewReplacer("FILE", file, "DIR", dir).Replace(a)
	}
	return args
}

// installed tells the version of the program, from what it prints.
func (p *program) installed() string {
	if p.path() == "" {
		return "absent"
	}
	out, _ := exec.Command(p.args[0], p.version...).CombinedOutput() // some fail, having printed it
	return versionIn(string(out))
}

var number = regexp.MustCompile(`\d+(\.\d+)+([-.+~]?\w+)*`)

// versionIn is the first number with a point in what a program printed.
func versionIn(s string) string {
	if v := number.FindString(s); v != "" {
		return v
	}
	return "version unknown"
}

// writePrograms writes how each program is called, and its version.
func writePrograms(w io.Writer, programs []program) {
	for _, p := range programs {
		line := append([]string{filepath.Base(p.args[0])}, p.args[1:]...)
		fmt.Fprintf(w, "- `%s`", strings.Join(line, " "))
		if p.version != nil {
			fmt.Fprintf(w, ": %s", p.installed())
		}
		fmt.Fprintln(w)
	}
}

// writeMachine writes when and where this is.
func writeMachine(w io.Writer) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	model := "processor unknown"
	info, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
			break
		}
	}
	fmt.Fprintf(w, "%s, %d cores (%s), Linux %s, %s\n\n", time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), model,
		strings.TrimSpace(string(kernel)), runtime.Version())
}
