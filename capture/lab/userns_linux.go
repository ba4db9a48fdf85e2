package lab

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// inside is set in the environment of a program that InUserNamespace has started.
const inside = "SOCKSCOPE_USER_NAMESPACE"

// InUserNamespace runs this program once more, with args, in a user namespace of its own,
// in which it may make network namespaces although the user is not root. It gives the exit
// status; an error says that the system does not allow it, or that this is such a program
// already.
func InUserNamespace(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) (status int, err error) {
	if os.Getenv(inside) != "" {
		return 0, os.ErrPermission
	}
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, stdout, stderr
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 5 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	runtime.LockOSThread() // Pdeathsig means the death of the thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	err = cmd.Wait()
	var failed *exec.ExitError
	if err == nil || errors.As(err, &failed) && failed.Exited() {
		return cmd.ProcessState.ExitCode(), nil
	}
	return 0, err
}

// OnlyUser reports whether there is no user but this one: the process is in a user
// namespace with one, and cannot become another.
func OnlyUser() bool {
	users, err := os.ReadFile("/proc/self/uid_map")
	f := strings.Fields(string(users))
	return err == nil && len(f) == 3 && f[2] == "1"
}
