package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"sockscope/capture/privilege"
)

// programs are what tests and scripts may run as processes of their own.
var programs = map[string]func(){"sockscope": commandMain, "sockscope-main": main}

func TestMain(m *testing.M) {
	if privilege.IsHelper() {
		main()
	}
	testscript.Main(m, programs)
}

// commandMain is main for the test binary that was started as the program. With the race
// detector it is linked with C, and cannot drop its privileges: TestPrivileges builds the real one.
func commandMain() {
	if !linkedWithC() {
		main()
	}
	os.Exit(start(func(*program) {}))
}

// linkedWithC reports whether this binary may be.
func linkedWithC() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "CGO_ENABLED", Value: "1"})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"LC_ALL": "C.UTF-8", "LC_CTYPE": "", "LANG": "", "TZ": "UTC", "COLUMNS": "", "NO_COLOR": "", "TERM": "xterm",
			} {
				env.Setenv(name, value)
			}
			return writeCaptures(env.WorkDir)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "fits": fits},
	})
}

// writeCaptures puts the captures that the scripts read into dir.
func writeCaptures(dir string) error {
	for name, content := range map[string][]byte{
		"good.pcap":  pcapFile(synFrame(), synFrame()),
		"cut.pcap":   pcapFile(synFrame(), synFrame())[:102+16+57],
		"odd.pcap":   patch(pcapFile(synFrame()), 16, 0), // a snap length of 0
		"empty.pcap": nil,
		"text.txt":   []byte("hello, world\n"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// status N COMMAND ARGS... runs a program and compares its exit status.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND [ARG...]")
	}
	got := "0"
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// fits COLUMNS LINES compares the size of the last command's output.
func fits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fits COLUMNS LINES")
	}
	if err := fitsScreen(ts.ReadFile("stdout"), args[0], args[1]); err != nil {
		ts.Fatalf("%v", err)
	}
}

// runProgram runs the program in this process with nothing on standard input.
func runProgram(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	t.Setenv("LC_ALL", "C.UTF-8")
	t.Setenv("COLUMNS", "")
	t.Setenv("TZ", "UTC")
	var out, errs bytes.Buffer
	status = run(context.Background(), args, strings.NewReader(""), &out, &errs)
	return status, out.String(), errs.String()
}
