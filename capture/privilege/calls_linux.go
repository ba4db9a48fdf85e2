//go:build amd64 || arm64

package privilege

import (
	"os"

	"golang.org/x/sys/unix"
)

// runtimeCalls is what Go's runtime and packages os and time need: memory that is not
// for code, threads but no processes, signals to its own threads only.
func runtimeCalls() []call {
	calls := list(
		// memory
		unix.SYS_MUNMAP, unix.SYS_MADVISE,
		// threads, and waiting for each other
		unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_NANOSLEEP,
		unix.SYS_EXIT, unix.SYS_EXIT_GROUP, unix.SYS_RESTART_SYSCALL,
		// who it is
		unix.SYS_GETPID, unix.SYS_GETPPID, unix.SYS_GETTID, unix.SYS_GETUID, unix.SYS_GETEUID, unix.SYS_GETGID, unix.SYS_GETEGID,
		// how many processors there are now: the runtime looks at the control group, too
		unix.SYS_SCHED_GETAFFINITY, unix.SYS_PREAD64,
		// signals
		unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK,
		// the clock where the vDSO has none, random numbers
		unix.SYS_CLOCK_GETTIME, unix.SYS_GETRANDOM,
		// open files
		unix.SYS_READ, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_LSEEK,
		unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2,
		unix.SYS_GETDENTS64, unix.SYS_READLINKAT,
	)
	calls = append(calls, runtimeCallsHere...)
	return append(calls,
		call{unix.SYS_FCNTL, []condition{{1, all, []uint32{
			unix.F_GETFL, unix.F_SETFL, unix.F_GETFD, unix.F_SETFD, unix.F_DUPFD_CLOEXEC}}}},
		call{unix.SYS_MMAP, []condition{{2, unix.PROT_EXEC, []uint32{0}}}},
		call{unix.SYS_MPROTECT, []condition{{2, unix.PROT_EXEC, []uint32{0}}}},
		call{unix.SYS_CLONE, []condition{{0, unix.CLONE_THREAD, []uint32{unix.CLONE_THREAD}}}},
		call{unix.SYS_TGKILL, []condition{{0, all, []uint32{uint32(os.Getpid())}}}},
		call{unix.SYS_PRCTL, []condition{{0, all, []uint32{unix.PR_SET_VMA}}}}, // the runtime names its memory
	)
}

// captureCalls is what a capture needs that has been opened.
func captureCalls(cfg Config) []call {
	calls := append(runtimeCalls(), list(
		// the ring's socket, which is bound anew when an interface is back, and netlink
		unix.SYS_BIND, unix.SYS_GETSOCKNAME, unix.SYS_GETSOCKOPT, unix.SYS_SETSOCKOPT,
		unix.SYS_SENDTO, unix.SYS_RECVFROM, unix.SYS_PPOLL,
		// files: those open for writing, and /proc, as far as Landlock allows it
		unix.SYS_OPENAT, unix.SYS_PWRITE64, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_FTRUNCATE, unix.SYS_FALLOCATE,
		// the end of the helper; the kernel's name, for the head of a file
		unix.SYS_WAIT4,
		// what it costs to look for processes
		unix.SYS_GETRUSAGE, unix.SYS_UNAME,
	)...)
	calls = append(calls,
		// the kernel's list of sockets, and of interfaces
		call{unix.SYS_SOCKET, []condition{
			{0, all, []uint32{unix.AF_NETLINK}},
			{2, all, []uint32{unix.NETLINK_ROUTE, unix.NETLINK_SOCK_DIAG}},
		}},
		// is it a terminal, and how wide?
		call{unix.SYS_IOCTL, []condition{{1, all, []uint32{unix.TCGETS, unix.TIOCGWINSZ}}}},
	)
	if len(cfg.Writable) > 0 {
		calls = append(calls, list(unix.SYS_FLOCK, unix.SYS_RENAMEAT, unix.SYS_RENAMEAT2, unix.SYS_UNLINKAT, unix.SYS_LINKAT, unix.SYS_FCHMOD)...)
	}
	if cfg.Maps {
		calls = append(calls, call{unix.SYS_BPF, []condition{{0, all, []uint32{
			unix.BPF_MAP_LOOKUP_ELEM, unix.BPF_MAP_DELETE_ELEM, unix.BPF_MAP_GET_NEXT_KEY, unix.BPF_MAP_LOOKUP_AND_DELETE_ELEM,
			unix.BPF_MAP_LOOKUP_BATCH, unix.BPF_MAP_LOOKUP_AND_DELETE_BATCH, unix.BPF_MAP_DELETE_BATCH,
		}}}})
	}
	return calls
}

// helperCalls is what the helper needs: it opens directories and reads links.
func helperCalls() []call {
	const how = unix.O_DIRECTORY | unix.O_TMPFILE | unix.O_ACCMODE | unix.O_CREAT | unix.O_TRUNC
	calls := append(runtimeCalls(), list(unix.SYS_SENDTO, unix.SYS_RECVFROM)...)
	return append(calls, call{unix.SYS_OPENAT, []condition{{2, how, []uint32{unix.O_DIRECTORY | unix.O_RDONLY}}}})
}

func list(numbers ...uintptr) []call {
	calls := make([]call, len(numbers))
	for i, n := range numbers {
		calls[i].number = n
	}
	return calls
}
