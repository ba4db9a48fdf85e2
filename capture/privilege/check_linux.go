package privilege

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// An expectation is what each thread of a process must be now.
type expectation struct {
	kept    capabilities
	bounded bool // no program that it starts can have more
	who     identity
	seccomp bool
}

// check reads what the kernel says of each thread in dir, a /proc/PID/task.
func check(dir string, want expectation) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("check it: %w", err)
	}
	threads := 0
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name(), "status"))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return fmt.Errorf("check it: %w", err)
		}
		if err := want.check(string(b)); err != nil {
			return fmt.Errorf("thread %s: %w", e.Name(), err)
		}
		threads++
	}
	if threads == 0 {
		return fmt.Errorf("check it: %s lists no thread", dir)
	}
	return nil
}

// check compares a thread's status (proc_pid_status(5)).
func (want expectation) check(status string) error {
	has := make(map[string]string)
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(line, ":")
		has[name] = strings.Join(strings.Fields(value), " ")
	}
	kept := fmt.Sprintf("%016x", uint64(want.kept))
	none := fmt.Sprintf("%016x", 0)
	type field struct{ name, value string }
	must := []field{
		{"CapInh", none}, {"CapAmb", none}, {"CapPrm", kept}, {"CapEff", kept},
		{"NoNewPrivs", "1"},
	}
	if want.bounded {
		must = append(must, field{"CapBnd", kept})
	}
	if want.who.change {
		must = append(must, field{"Uid", four(want.who.uid)}, field{"Gid", four(want.who.gid)}, field{"Groups", ""})
	}
	if want.seccomp {
		must = append(must, field{"Seccomp", "2"})
	}
	for _, m := range must {
		if value, ok := has[m.name]; !ok || value != m.value {
			return fmt.Errorf("%s is %q instead of %q", m.name, value, m.value)
		}
	}
	return nil
}

// four is a user or group as the status has it: real, effective, saved, of files.
func four(id int) string {
	return strings.TrimSuffix(strings.Repeat(strconv.Itoa(id)+" ", 4), " ")
}
