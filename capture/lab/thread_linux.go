package lab

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// A thread is one of the system's, on which functions are run one after the other. It may
// be changed in ways that no other goroutine must see (its network namespace, its
// capabilities), for it serves nobody else and ends with the last function.
type thread struct {
	jobs  chan func()
	ended chan struct{}
}

func newThread() *thread {
	t := &thread{make(chan func()), make(chan struct{})}
	go t.run(nil)
	return t
}

// run is the thread's goroutine; another waits for it when there is a channel.
func (t *thread) run(elsewhere chan struct{}) {
	runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
	if unix.Gettid() == unix.Getpid() {
		// The process's first thread cannot end before the process. While it is locked
		// here, another goroutine must be on another thread.
		other := make(chan struct{})
		go t.run(other)
		<-other
		runtime.UnlockOSThread() // nothing of it was changed
		return
	}
	if elsewhere != nil {
		close(elsewhere)
	}
	defer close(t.ended)
	for f := range t.jobs {
		f()
	}
}

// do runs f on the thread and waits for it.
func (t *thread) do(f func()) {
	done := make(chan struct{})
	t.jobs <- func() { defer close(done); f() }
	<-done
}

// end lets the thread end when it has done its work.
func (t *thread) end() {
	close(t.jobs)
	<-t.ended
}
