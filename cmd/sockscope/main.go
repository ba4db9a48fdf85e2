// Sockscope reads packet captures or captures from interfaces, and tells what happened on each port and
// socket: which connections came to be, which were refused or never answered, and
// which services were spoken.
package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sockscope/capture/lab"
	"sockscope/capture/privilege"
	"sockscope/capture/process"
)

// errInterrupted is why the context is done after Ctrl-C, SIGTERM, SIGQUIT or SIGHUP.
var errInterrupted = errors.New("interrupted")

// sameSignal is within what time a second signal is the first one again: timeout(1) sends
// its signal to the process and then to the whole group.
const sameSignal = 300 * time.Millisecond

func main() {
	if privilege.IsHelper() {
		os.Exit(serveLinks(os.Stderr))
	}
	os.Exit(start(func(p *program) {
		p.watch, p.startHelper, p.drop = process.Open, privilege.StartHelper, privilege.Drop
		p.limitMemory, p.interruptAgain = limitRuntime, interruptAgain
		p.again = func(ctx context.Context) (int, error) {
			return lab.InUserNamespace(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
		}
	}))
}

// start is the program as a process of its own, which prepare gives what only such a one
// may do, and gives the exit status.
func start(prepare func(*program)) int {
	// Without this a write to a closed pipe kills the process: `| head` is a
	// normal end, and other outputs are to be finished first. Likewise the signal for a
	// file that exceeds the limit of file sizes: the write's error says the same.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ)

	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	// To SIGQUIT Go's own answer is a trace of all goroutines.
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGQUIT)
	if !signal.Ignored(syscall.SIGHUP) { // by nohup
		signal.Notify(signals, syscall.SIGHUP)
	}
	go func() { // lives as long as the process
		<-signals
		cancel(errInterrupted)
		for first := time.Now(); time.Since(first) < sameSignal; {
			<-signals
		}
		os.Exit(exitInterrupted)
	}()

	var stdout io.Writer = os.Stdout
	if isClosed(os.Stdout) {
		stdout = closedWriter{}
	}
	p := newProgram(os.Stdin, stdout, os.Stderr)
	prepare(p)
	return p.finish(p.dispatch(ctx, os.Args[1:]))
}

// interruptAgain is done at the next Ctrl-C, which ends the process no more.
func interruptAgain() <-chan struct{} {
	signal.Reset(os.Interrupt)
	signals, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt)
	go func() { // lives as long as the process
		<-signals
		close(done)
	}()
	return done
}

// run is the program in this process, which goes on afterwards and so keeps its
// privileges: it does what args say and gives the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	p := newProgram(stdin, stdout, stderr)
	return p.finish(p.dispatch(ctx, args))
}
