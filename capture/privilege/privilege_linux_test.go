package privilege

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// again is set in the process that a test runs in once more, because it is to lose its
// privileges.
const again = "SOCKSCOPE_TEST_AGAIN"

// output is the variable that names a directory which is everybody's to write, for
// the process that again is set in.
const output = "SOCKSCOPE_TEST_OUTPUT"

func TestMain(m *testing.M) {
	if IsHelper() {
		helperMain()
	}
	os.Exit(m.Run())
}

// inChild runs the test once more in a process of its own, with the privileges that
// sys gives it, and reports whether this is that process.
func inChild(t *testing.T, sys *syscall.SysProcAttr) bool {
	t.Helper()
	if os.Getenv(again) == t.Name() {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to have privileges to lose")
	}
	sys.Pdeathsig = syscall.SIGKILL
	cmd := exec.Command("/proc/self/exe", "-test.run", "^"+strings.ReplaceAll(t.Name(), "/", "$/^")+"$", "-test.v", "-test.timeout", "60s")
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{filepath.Dir(dir): 0o755, dir: 0o777} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	cmd.Env = append(os.Environ(), again+"="+t.Name(), output+"="+dir, "GORACE=atexit_sleep_ms=0")
	cmd.SysProcAttr = sys
	out, err := cmd.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("--- PASS: "+t.Name())) {
		t.Fatalf("in the child: %v\n%s", err, out)
	}
	return false
}

// dropped drops the privileges of this process. Linked with C, which the race detector
// is, it shows that nothing is dropped then, and that this is an error.
func dropped(t *testing.T, cfg Config) (State, bool) {
	t.Helper()
	before, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	s, err := Drop(cfg)
	if !linkedWithC() {
		if err != nil {
			t.Fatal(err)
		}
		return s, true
	}
	after, readErr := os.ReadFile("/proc/self/status")
	if readErr != nil {
		t.Fatal(readErr)
	}
	if !errors.Is(err, errLinkedWithC) || privileges(before) != privileges(after) {
		t.Errorf("linked with C: %v\n%s\n%s", err, before, after)
	}
	return s, false
}

// privileges are the lines of a status that tell of them.
func privileges(status []byte) string {
	var b strings.Builder
	for line := range strings.Lines(string(status)) {
		for _, name := range []string{"Cap", "Uid", "Gid", "Groups", "NoNewPrivs", "Seccomp:"} {
			if strings.HasPrefix(line, name) {
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

// errnoOf is what a system call gives, 0 when it works.
func errnoOf(trap uintptr, args ...uintptr) func() error {
	return func() error {
		var a [6]uintptr
		copy(a[:], args)
		_, _, errno := unix.Syscall6(trap, a[0], a[1], a[2], a[3], a[4], a[5])
		return errno
	}
}

// opening opens a file, and closes it again.
func opening(name string, flags int) func() error {
	return func() error {
		fd, err := unix.Open(name, flags, 0o600)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}
}

// An attempt is what a process tries, and how that ends.
type attempt struct {
	name string
	try  func() error
	want error
}

func try(t *testing.T, attempts []attempt) {
	t.Helper()
	for _, a := range attempts {
		err := a.try()
		if errno, ok := err.(unix.Errno); ok && errno == 0 {
			err = nil
		}
		if !errors.Is(err, a.want) || a.want == nil && err != nil {
			t.Errorf("%s: %v, want %v", a.name, err, a.want)
		}
	}
}

// writeFile does with a file what the writers of captures do.
func writeFile(root *os.Root) error {
	f, err := root.OpenFile("a.part", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString("a record, and half a rec")
	for _, step := range []func() error{
		func() error { return err },
		func() error { return f.Chmod(0o600) },
		func() error { return f.Truncate(int64(len("a record"))) },
		func() error { _, err := f.Seek(0, io.SeekEnd); return err },
		func() error { _, err := f.WriteAt([]byte("A"), 0); return err },
		f.Sync,
		func() error { return unix.Fdatasync(int(f.Fd())) },
		func() error { _, err := root.Lstat("a.part"); return err },
		func() error {
			d, err := root.Open(".")
			if err != nil {
				return err
			}
			defer d.Close()
			return unix.Renameat2(int(d.Fd()), "a.part", int(d.Fd()), "a", unix.RENAME_NOREPLACE)
		},
		func() error { return root.Link("a", "b") },
		func() error { return root.Rename("b", "a") },
		func() error { return root.Rename("a", "c") },
		func() error { return root.Remove("c") },
		func() error { return root.Remove("b") }, // the first Rename did nothing: both were one file
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// After Drop, what a capture needs works, and nothing else.
func TestDrop(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{}) {
		return
	}
	dir := os.Getenv(output)
	if err := os.WriteFile(dir+"/before", nil, 0o666); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	tcp, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	parent := uintptr(os.Getppid())
	s, ok := dropped(t, Config{User: "65534", Readable: []string{"/etc/passwd", "/no/such/file"}, Writable: []string{dir}})
	if !ok {
		return
	}
	if s.User != nobody || !s.Seccomp {
		t.Errorf("%+v", s)
	}
	const (
		refused   = unix.EPERM  // by seccomp
		forbidden = unix.EACCES // by Landlock
	)
	rd, wr := unix.O_RDONLY, unix.O_WRONLY
	try(t, []attempt{
		{"another program", errnoOf(unix.SYS_EXECVE), refused},
		{"another process", errnoOf(unix.SYS_CLONE, uintptr(unix.SIGCHLD)), refused},
		{"another process, by clone3", errnoOf(unix.SYS_CLONE3), refused},
		{"a process of os", func() error {
			_, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
			return err
		}, refused},
		{"a packet socket", errnoOf(unix.SYS_SOCKET, unix.AF_PACKET, unix.SOCK_RAW, 0), refused},
		{"an IPv4 socket", errnoOf(unix.SYS_SOCKET, unix.AF_INET, unix.SOCK_STREAM, 0), refused},
		{"a Unix socket", errnoOf(unix.SYS_SOCKET, unix.AF_UNIX, unix.SOCK_STREAM, 0), refused},
		{"netlink of audit", errnoOf(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_AUDIT), refused},
		{"looking into a process", errnoOf(unix.SYS_PTRACE, unix.PTRACE_ATTACH, parent), refused},
		{"another's memory", errnoOf(unix.SYS_PROCESS_VM_READV, parent), refused},
		{"signals to others", errnoOf(unix.SYS_KILL, parent, 0), refused},
		{"signals to others' threads", errnoOf(unix.SYS_TGKILL, parent, parent, 0), refused},
		{"eBPF", errnoOf(unix.SYS_BPF, unix.BPF_MAP_LOOKUP_ELEM), refused},
		{"io_uring", errnoOf(unix.SYS_IO_URING_SETUP, 1), refused},
		{"another namespace", errnoOf(unix.SYS_UNSHARE, unix.CLONE_NEWUSER), refused},
		{"mounting", errnoOf(unix.SYS_MOUNT), refused},
		{"another user", errnoOf(unix.SYS_SETRESUID, 0, 0, 0), refused},
		{"a file by its handle", errnoOf(unix.SYS_OPEN_BY_HANDLE_AT), refused},
		{"keys", errnoOf(unix.SYS_KEYCTL), refused},
		{"dumps of memory", errnoOf(unix.SYS_PRCTL, unix.PR_SET_DUMPABLE, 1), refused},
		{"code in memory", errnoOf(unix.SYS_MMAP, 0, 4096, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, ^uintptr(0)), refused},
		{"words put into a terminal", errnoOf(unix.SYS_IOCTL, 0, unix.TIOCSTI), refused},

		{"any other file", opening("/etc/group", rd), forbidden},
		{"any other directory", opening("/etc", rd|unix.O_DIRECTORY), forbidden},
		{"any other file, through /proc", opening(fmt.Sprintf("/proc/%d/task/%d/root/etc/group", os.Getpid(), os.Getpid()), rd), forbidden},
		{"writing in /proc", opening("/proc/self/comm", wr), forbidden},
		{"writing to a file that is readable", opening("/etc/passwd", wr), forbidden},
		{"a new file elsewhere", opening("/tmp/privilege-new", wr|unix.O_CREAT), forbidden},
		{"reading in the directory for output", opening(dir+"/before", rd), forbidden},
		{"a TCP port", func() error {
			return unix.Bind(tcp, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
		}, forbidden},
		{"connecting", errnoOf(unix.SYS_CONNECT, uintptr(tcp)), refused},
		{"a signal for others by a descriptor", errnoOf(unix.SYS_FCNTL, uintptr(tcp), unix.F_SETOWN, parent), refused},
		{"a new directory", errnoOf(unix.SYS_MKDIRAT), refused},

		{"/proc", opening("/proc/self/status", rd), nil},
		{"sockets in /proc", opening("/proc/net/tcp", rd), nil},
		{"settings in /proc", opening("/proc/sys/net/ipv4/ip_local_port_range", rd), nil},
		{"a file that is readable", opening("/etc/passwd", rd), nil},
		{"sockets by netlink", errnoOf(unix.SYS_SOCKET, unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_SOCK_DIAG), nil},
		{"a new file", opening(dir+"/new", wr|unix.O_CREAT|unix.O_EXCL), nil},
		{"renaming it", func() error { return os.Rename(dir+"/new", dir+"/newer") }, nil},
		{"emptying it", opening(dir+"/newer", wr|unix.O_TRUNC), nil},
		{"removing it", func() error { return os.Remove(dir + "/newer") }, nil},
		{"all that is done with a capture file", func() error { return writeFile(root) }, nil},
		{"removing what was there", func() error { return os.Remove(dir + "/before") }, nil},
	})
	if err := check("/proc/self/task", expectation{bounded: true, who: identity{nobody, nobody, true}, seccomp: true}); err != nil {
		t.Error(err)
	}
}

// Whom the program becomes.
func TestDropUser(t *testing.T) {
	tests := []struct {
		name     string
		user     string
		uid, gid int
		err      string
		sys      syscall.SysProcAttr
		output   func(dir string) error // what is done to the directory for output; nil: there is none
	}{
		{name: "root becomes nobody, and leaves all groups", uid: nobody, gid: nobody,
			sys: syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{4, 27}}}},
		{name: "a user by name, with the user's group", user: "daemon", uid: 1, gid: 1},
		{name: "a user by number, with the user's group", user: "1", uid: 1, gid: 1},
		{name: "a number without a name", user: "70001", uid: 70001, gid: 70001},
		{name: "root stays root", user: "root"},
		{name: "the owner of the directory for output", uid: 70004, gid: 70005, output: func(dir string) error { return os.Chown(dir, 70004, 70005) }},
		{name: "which may be root", output: func(dir string) error { return os.Chmod(dir, 0o700) }},
		{name: "unless another is named", user: "daemon", uid: 1, gid: 1, output: func(string) error { return nil }},
		{name: "no directory for output", output: os.Remove, err: "whose is "},
		{name: "an unknown user", user: "no\x1bbody", err: "no user \"no\x1bbody\""},
		{name: "a number that is none", user: "-1", err: `no user "-1"`},
		{name: "who is not root stays the same", uid: 70002, gid: 70003,
			sys: syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 70002, Gid: 70003}, AmbientCaps: []uintptr{unix.CAP_NET_RAW}}},
		{name: "who is not root may say so", user: "70002", uid: 70002, gid: 70003,
			sys: syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 70002, Gid: 70003}}},
		{name: "who is not root becomes nobody else", user: "daemon", err: "only root can become another user",
			sys: syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 70002, Gid: 70003}}},
		{name: "root in a user namespace of its own", err: "become user 65534: invalid argument (-Z root stays root, without capabilities)",
			sys: syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, GidMappingsEnableSetgroups: true,
				UidMappings: []syscall.SysProcIDMap{{Size: 1}}, GidMappings: []syscall.SysProcIDMap{{Size: 1}}}},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			if !inChild(t, &tt.sys) {
				return
			}
			cfg := Config{User: tt.user}
			if tt.output != nil {
				cfg.Writable = []string{os.Getenv(output)}
				if err := tt.output(cfg.Writable[0]); err != nil {
					t.Fatal(err)
				}
			}
			if tt.err != "" {
				if _, err := Drop(cfg); !linkedWithC() && (err == nil || !strings.Contains(err.Error(), tt.err)) {
					t.Errorf("%v, want %s", err, tt.err)
				}
				return
			}
			s, ok := dropped(t, cfg)
			if !ok {
				return
			}
			if s.User != tt.uid || os.Getuid() != tt.uid || os.Getgid() != tt.gid {
				t.Errorf("%+v, user %d, group %d", s, os.Getuid(), os.Getgid())
			}
			if status, err := os.ReadFile("/proc/self/status"); err != nil || !strings.Contains(string(status), "\nCapEff:\t0000000000000000\n") {
				t.Errorf("%v, %s", err, status)
			}
		})
	}
}

// A directory in which the user cannot make files is an error at once, not when the
// first file is full.
func TestDropDirectory(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{}) {
		return
	}
	const dir = "/etc"
	_, err := Drop(Config{User: "65534", Writable: []string{dir}})
	want := "user 65534 cannot make files in " + strconv.Quote(dir) + ": permission denied (-Z names another user)"
	if !linkedWithC() && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%v, want %s", err, want)
	}
}

// Maps of eBPF programs are read with a system call that may do nothing else then.
func TestDropMaps(t *testing.T) {
	if !inChild(t, &syscall.SysProcAttr{}) {
		return
	}
	bpf := func(command uintptr, attributes []byte) (int, error) {
		fd, _, errno := unix.Syscall(unix.SYS_BPF, command, uintptr(unsafe.Pointer(&attributes[0])), uintptr(len(attributes)))
		if errno != 0 {
			return -1, errno
		}
		return int(fd), nil
	}
	ne := binary.NativeEndian
	array := make([]byte, 16) // type, size of keys, of values, number of entries
	for i, n := range []uint32{unix.BPF_MAP_TYPE_ARRAY, 4, 8, 1} {
		ne.PutUint32(array[4*i:], n)
	}
	fd, err := bpf(unix.BPF_MAP_CREATE, array)
	if err != nil {
		t.Fatal(err)
	}
	var key [4]byte
	var value [8]byte
	lookup := make([]byte, 32) // the map, its key, where the value goes, flags
	ne.PutUint32(lookup, uint32(fd))
	ne.PutUint64(lookup[8:], uint64(uintptr(unsafe.Pointer(&key))))
	ne.PutUint64(lookup[16:], uint64(uintptr(unsafe.Pointer(&value))))
	if _, ok := dropped(t, Config{Maps: true}); !ok {
		return
	}
	try(t, []attempt{
		{"reading", func() error { _, err := bpf(unix.BPF_MAP_LOOKUP_ELEM, lookup); return err }, nil},
		{"writing", func() error { _, err := bpf(unix.BPF_MAP_UPDATE_ELEM, lookup); return err }, unix.EPERM},
		{"another map", func() error { _, err := bpf(unix.BPF_MAP_CREATE, array); return err }, unix.EPERM},
		{"a program", func() error { _, err := bpf(unix.BPF_PROG_LOAD, array); return err }, unix.EPERM},
	})
	runtime.KeepAlive(&key)
	runtime.KeepAlive(&value)
}

// without makes a system call fail on all threads, as a kernel does that lacks it, or
// whoever confines this process.
func without(t *testing.T, number uintptr, errno unix.Errno) {
	t.Helper()
	program := []unix.SockFilter{
		load(numberAt),
		jumpIf(uint32(number), 0, 1),
		ret(unix.SECCOMP_RET_ERRNO | uint32(errno)),
		ret(unix.SECCOMP_RET_ALLOW),
	}
	p := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	_, _, err := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&p)))
	if err != 0 {
		t.Fatal(err)
	}
}

// What is only a second fence may be missing. Without the first, Drop fails.
func TestDropFailsClosed(t *testing.T) {
	tests := []struct {
		name   string
		number uintptr
		errno  unix.Errno
		want   string // the state, or the error
	}{
		{"a kernel without Landlock", unix.SYS_LANDLOCK_CREATE_RULESET, unix.ENOSYS, "landlock off, seccomp on"},
		{"Landlock switched off", unix.SYS_LANDLOCK_CREATE_RULESET, unix.EOPNOTSUPP, "landlock off, seccomp on"},
		{"a kernel without seccomp", unix.SYS_SECCOMP, unix.ENOSYS, "landlock abi N, seccomp off"},
		{"no filter", unix.SYS_SECCOMP, unix.EPERM, "a seccomp filter: operation not permitted"},
		{"no domain", unix.SYS_LANDLOCK_RESTRICT_SELF, unix.E2BIG, "enter a landlock domain: argument list too long"},
		{"no rule", unix.SYS_LANDLOCK_ADD_RULE, unix.EBADF, `a landlock rule for "/proc": bad file descriptor`},
		{"the capabilities", unix.SYS_CAPSET, unix.EPERM, "give up the capabilities: operation not permitted"},
		{"the groups", unix.SYS_SETGROUPS, unix.EPERM, "become user 65534: operation not permitted (-Z root stays root, without capabilities)"},
		{"the group", unix.SYS_SETRESGID, unix.EPERM, "become user 65534: operation not permitted (-Z root stays root, without capabilities)"},
		{"the user", unix.SYS_SETRESUID, unix.EAGAIN, "become user 65534: resource temporarily unavailable (-Z root stays root, without capabilities)"},
		{"the limits", unix.SYS_PRLIMIT64, unix.EPERM, "no core files: operation not permitted"},
		{"all of prctl", unix.SYS_PRCTL, unix.EPERM, "not dumpable: operation not permitted"},
		{"what the kernel says", unix.SYS_GETDENTS64, unix.ENOENT, "check it: readdirent /proc/self/task"},
	}
	for _, tt := range tests {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			if !inChild(t, &syscall.SysProcAttr{}) || linkedWithC() {
				return
			}
			without(t, tt.number, tt.errno)
			s, err := Drop(Config{})
			got := strings.Replace(s.String(), fmt.Sprint("abi ", s.Landlock), "abi N", 1)
			if strings.HasPrefix(tt.want, "landlock off") {
				got = s.String()
			}
			if err != nil {
				got = err.Error()
			}
			if !strings.HasPrefix(strings.TrimPrefix(got, "cannot drop privileges: "), tt.want) || (err == nil) != strings.HasPrefix(tt.want, "landlock ") {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// What must be so of each thread.
func TestExpectation(t *testing.T) {
	const good = "Name:\tx\nUid:\t7\t7\t7\t7\nGid:\t8\t8\t8\t8\nGroups:\t \n" +
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000080004\nCapEff:\t0000000000080004\n" +
		"CapBnd:\t0000000000080004\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n"
	want := expectation{kept: linkCapabilities, bounded: true, who: identity{7, 8, true}, seccomp: true}
	tests := []struct{ name, old, new, err string }{
		{"as it must be", "", "", ""},
		{"one user of four", "7\t7\n", "7\t0\n", `Uid is "7 7 7 0" instead of "7 7 7 7"`},
		{"the group", "8\t8\t8\t8", "8\t0\t8\t8", `Gid is "8 0 8 8" instead of "8 8 8 8"`},
		{"a group left", "Groups:\t ", "Groups:\t0 ", `Groups is "0" instead of ""`},
		{"one capability", "CapPrm:\t0000000000080004", "CapPrm:\t0000000000082004", `CapPrm is "0000000000082004" instead of "0000000000080004"`},
		{"ambient", "CapAmb:\t0000000000000000", "CapAmb:\t0000000000000004", `CapAmb is "0000000000000004" instead of "0000000000000000"`},
		{"new privileges", "NoNewPrivs:\t1", "NoNewPrivs:\t0", `NoNewPrivs is "0" instead of "1"`},
		{"no filter", "Seccomp:\t2", "Seccomp:\t0", `Seccomp is "0" instead of "2"`},
		{"a kernel that does not say", "CapBnd:\t0000000000080004\n", "", `CapBnd is "" instead of "0000000000080004"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if err := want.check(strings.Replace(good, tt.old, tt.new, 1)); err != nil {
				got = err.Error()
			}
			if got != tt.err {
				t.Errorf("%s, want %s", got, tt.err)
			}
		})
	}
	if err := check(t.TempDir(), want); err == nil || !strings.Contains(err.Error(), "lists no thread") {
		t.Errorf("no threads: %v", err)
	}
}

func TestStateString(t *testing.T) {
	for want, s := range map[string]State{
		"landlock abi 7, seccomp on": {Landlock: 7, Seccomp: true},
		"landlock off, seccomp off":  {},
	} {
		if got := s.String(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
