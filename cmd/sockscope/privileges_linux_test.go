package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// built is set to the program that buildProgram has built.
const built = "SOCKSCOPE_TEST_PROGRAM"

// buildProgram builds the program as it is meant to be, without C. Only that a system
// call which is not allowed kills it, so that none goes unnoticed.
func buildProgram(t *testing.T) {
	t.Helper()
	if os.Getenv(built) != "" { // by the process that this one is a child of
		return
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // other users run it, too
		t.Fatal(err)
	}
	program := filepath.Join(dir, "sockscope")
	cmd := exec.Command("go", "build", "-ldflags", "-X sockscope/capture/privilege.otherwise=kill", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Setenv(built, program)
}

// A started program runs in a process of its own.
type started struct {
	*exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer // until it has ended only its first lines
	rest   chan error
}

// startProgram runs the program until it listens or has ended, with what change makes
// of the command.
func startProgram(t *testing.T, args string, change func(*exec.Cmd)) *started {
	t.Helper()
	s := &started{Cmd: exec.Command(os.Getenv(built), strings.Fields(args)...), rest: make(chan error, 1)}
	s.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.Stdout = &s.stdout
	if change != nil {
		change(s.Cmd)
	}
	pipe, err := s.StderrPipe()
	if err == nil {
		err = s.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for !strings.Contains(s.stderr.String(), "listening on ") {
		n, err := pipe.Read(buf)
		s.stderr.Write(buf[:n])
		if err != nil {
			break
		}
	}
	go func() {
		_, err := io.Copy(&s.stderr, pipe)
		s.rest <- err
	}()
	return s
}

// end sends a signal, 0 for none, waits and gives the exit status.
func (s *started) end(t *testing.T, signal syscall.Signal) int {
	t.Helper()
	if err := s.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Error(err)
	}
	stop := time.AfterFunc(30*time.Second, func() { s.Process.Kill() })
	defer stop.Stop()
	if err := <-s.rest; err != nil {
		t.Error(err)
	}
	err := s.Wait()
	if failed := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &failed) || !failed.Exited()) {
		t.Errorf("%v: %v\n%s", s.Args[1:], err, &s.stderr)
	}
	return s.ProcessState.ExitCode()
}

// statusOf is what the kernel says of the privileges of a process: a line for each
// kind of thread.
func statusOf(t *testing.T, pid int) string {
	t.Helper()
	names, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
	if err != nil || len(names) == 0 {
		t.Fatalf("process %d: no threads: %v", pid, err)
	}
	var kinds []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // the thread has ended
		}
		var kind []string
		for _, line := range regexp.MustCompile(`(?m)^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):.*$`).FindAllString(string(b), -1) {
			kind = append(kind, strings.Join(strings.Fields(line), " "))
		}
		if k := strings.Join(kind, ", "); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return strings.Join(kinds, "\n")
}

// helperOf is the process that the program pid has started, 0 when there is none.
func helperOf(t *testing.T, pid int) int {
	t.Helper()
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		var child, parent int
		var state byte
		if i := bytes.LastIndexByte(b, ')'); err != nil || i < 0 {
			continue
		} else if _, err := fmt.Sscanf(string(b[i+1:]), " %c %d", &state, &parent); err != nil || parent != pid || state == 'Z' {
			continue
		}
		if _, err := fmt.Sscanf(filepath.Base(filepath.Dir(name)), "%d", &child); err == nil {
			return child
		}
	}
	return 0
}

// P13, from outside: no thread has any privilege when the first frame is read, and the
// program does all that it is for.
func TestPrivileges(t *testing.T) {
	buildProgram(t)
	t.Run("all-are-gone", testAllAreGone)
	t.Run("an-interface-vanishes", testInterfaceVanishes)
	t.Run("those-of-the-file", testThoseOfTheFile)
	t.Run("an-unknown-user", testUnknownUser)
}

func testAllAreGone(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	nothing := func(uid, gid int, bounding string) string {
		const none = "0000000000000000"
		return fmt.Sprintf("Uid: %d %d %d %d, Gid: %d %d %d %d, Groups:, CapInh: "+none+", CapPrm: "+none+", CapEff: "+none+
			", CapBnd: %s, CapAmb: "+none+", NoNewPrivs: 1, Seccomp: 2", uid, uid, uid, uid, gid, gid, gid, gid, bounding)
	}
	const helper = "Uid: 65534 65534 65534 65534, Gid: 65534 65534 65534 65534, Groups:, CapInh: 0000000000000000, " +
		"CapPrm: 0000000000080004, CapEff: 0000000000080004, CapBnd: 0000000000080004, CapAmb: 0000000000000000, NoNewPrivs: 1, Seccomp: 2"
	const none = "0000000000000000"

	// A time zone with one kind of time, as tzfile(5) has it, where it cannot be read later.
	zone := filepath.Join(t.TempDir(), "zone")
	content := "TZif" + strings.Repeat("\x00", 16+3*4) + "\x00\x00\x00\x00" + "\x00\x00\x00\x01" + "\x00\x00\x00\x04" +
		"\x00\x00\x0e\x10\x00\x00" + "ZZZ\x00"
	if err := os.WriteFile(zone, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, tt := range []struct {
		args string
		uid  int
		gid  int
		says string // on standard output
	}{
		{"report -v -i lo --color always", 65534, 65534, " ZZZ "},
		{"report -v -i any -Z daemon --format json", 1, 1, `"refused":1`},
		{"report -v -i lo --relinquish-privileges 70001 --format html --workers 4", 70001, 70001, "</html>"},
		{"connections -v -i lo -Z root tcp", 0, 0, "refused"},
	} {
		happen := traffic(t)
		s := startProgram(t, tt.args, func(cmd *exec.Cmd) { cmd.Env = append(os.Environ(), "TZ="+zone) })
		if got, want := statusOf(t, s.Process.Pid), nothing(tt.uid, tt.gid, none); got != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.args, got, want)
		}
		child := helperOf(t, s.Process.Pid)
		if child == 0 {
			t.Errorf("%s: no helper", tt.args)
		} else if got := statusOf(t, child); got != helper {
			t.Errorf("%s: the helper:\n got %s\nwant %s", tt.args, got, helper)
		}
		happen()
		if status := s.end(t, syscall.SIGINT); status != exitDone || !strings.Contains(s.stdout.String(), tt.says) {
			t.Errorf("%s: status %d\n%s%s", tt.args, status, &s.stdout, &s.stderr)
		}
		if want := regexp.MustCompile(`(?m)^sockscope: privileges: none \(main\), ptrace\+dac_read \(helper\), landlock (abi \d+|off), seccomp on$`); !want.MatchString(s.stderr.String()) {
			t.Errorf("%s: %s", tt.args, &s.stderr)
		}
		// Its number may be another process's by now.
		if name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", child)); strings.HasPrefix(string(name), "sockscope-links") {
			t.Errorf("%s: the helper is still there", tt.args)
		}
	}
}

// What interfaces do is seen without privileges, too.
func testInterfaceVanishes(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	for _, args := range []string{"report -i here", "report -i here -i there"} {
		pair := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "here"}, PeerName: "there"}
		if err := netlink.LinkAdd(pair); err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(pair); err != nil {
			t.Fatal(err)
		}
		s := startProgram(t, args, nil)
		if err := netlink.LinkDel(pair); err != nil {
			t.Fatal(err)
		}
		if status := s.end(t, 0); status != exitEnded || !strings.Contains(s.stdout.String(), "here") ||
			!strings.Contains(s.stderr.String(), "here is gone: deleted or moved to another network namespace") {
			t.Errorf("%s: status %d\n%s%s", args, status, &s.stdout, &s.stderr)
		}
	}
}

// Without root the program needs one capability, which its file may give it; it keeps
// that no longer than others.
func testThoseOfTheFile(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	user := func(cmd *exec.Cmd) { cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 70002, Gid: 70003} }
	program := os.Getenv(built)

	s := startProgram(t, "report -v -i lo", user)
	want := "sockscope: cannot capture: need CAP_NET_RAW (run as root or: setcap cap_net_raw+ep " + program + ")\n"
	if status := s.end(t, 0); status != exitNotStarted || s.stderr.String() != want {
		t.Errorf("status %d\n got %swant %s", status, &s.stderr, want)
	}

	for _, tt := range []struct {
		name   string
		caps   uint32
		helper string
	}{
		{"cap_net_raw+ep", 1 << unix.CAP_NET_RAW, "no helper for other users' processes: need CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH " +
			"(run as root or: setcap cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep " + program + ")"},
		{"cap_net_raw,cap_sys_ptrace,cap_dac_read_search+ep", 1<<unix.CAP_NET_RAW | 1<<unix.CAP_SYS_PTRACE | 1<<unix.CAP_DAC_READ_SEARCH,
			"ptrace+dac_read (helper)"},
	} {
		// struct vfs_cap_data of linux/capability.h: revision 2, effective; permitted and
		// inheritable, low and high.
		data := binary.LittleEndian.AppendUint32(nil, 0x02000001)
		data = binary.LittleEndian.AppendUint32(data, tt.caps)
		data = append(data, make([]byte, 12)...)
		if err := unix.Setxattr(program, "security.capability", data, 0); err != nil {
			t.Fatalf("setcap %s: %v", tt.name, err)
		}
		happen := traffic(t)
		s := startProgram(t, "report -v -i lo", user)
		status := statusOf(t, s.Process.Pid)
		for _, want := range []string{"Uid: 70002 70002 70002 70002", "Gid: 70003 70003 70003 70003",
			"CapInh: 0000000000000000, CapPrm: 0000000000000000, CapEff: 0000000000000000", "CapAmb: 0000000000000000, NoNewPrivs: 1, Seccomp: 2"} {
			if !strings.Contains(status, want) || strings.Contains(status, "\n") {
				t.Errorf("%s: %s\nlacks %s", tt.name, status, want)
			}
		}
		happen()
		if status := s.end(t, syscall.SIGINT); status != exitDone || !strings.Contains(s.stdout.String(), "http") ||
			!strings.Contains(s.stderr.String(), "\nsockscope: privileges: none (main), "+tt.helper+", landlock ") {
			t.Errorf("%s: status %d\n%s%s", tt.name, status, &s.stdout, &s.stderr)
		}
	}
}

// A user who cannot be found is found out before anything is captured.
func testUnknownUser(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	s := startProgram(t, "report -i lo -Z no-such-user", nil)
	const want = "sockscope: cannot drop privileges: no user \"no-such-user\"\n"
	if status := s.end(t, 0); status != exitNotStarted || s.stderr.String() != want || s.stdout.Len() > 0 {
		t.Errorf("status %d\n got %swant %s", status, &s.stderr, want)
	}
}

// The test binary is the program, too; with the race detector it is linked with C, and
// then must refuse.
func TestPrivilegesLinkedWithC(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
	var out bytes.Buffer
	cmd := exec.Command("/proc/self/exe")
	cmd.Args = []string{"sockscope-main", "report", "-i", "lo", "-a", "duration:0.2"}
	cmd.Stderr = &out
	err := cmd.Run()
	const want = "sockscope: cannot drop privileges: this binary is linked with C code, build it with CGO_ENABLED=0\n"
	switch {
	case errno != unix.ENOTSUP && err != nil:
		t.Errorf("%v\n%s", err, &out)
	case errno == unix.ENOTSUP && (cmd.ProcessState.ExitCode() != exitNotStarted || out.String() != want):
		t.Errorf("%v\n got %s\nwant %s", err, &out, want)
	}
}
