package poller

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPoller(t *testing.T) {
	w, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pair[0])
	defer unix.Close(pair[1])
	if err := w.Add(pair[0], unix.EPOLLIN); err != nil {
		t.Fatal(err)
	}
	wait := func(timeout time.Duration, want int) {
		t.Helper()
		begin := time.Now()
		events, err := w.Wait(timeout)
		if err != nil || len(events) != want || want > 0 && int(events[0].Fd) != pair[0] {
			t.Errorf("events %v, error %v; want %d", events, err, want)
		}
		if took := time.Since(begin); want == 0 && took < timeout {
			t.Errorf("waited for %v of %v", took, timeout)
		}
	}
	write := func() {
		if _, err := unix.Write(pair[1], []byte("x")); err != nil {
			t.Error(err)
		}
	}
	wait(0, 0)
	wait(20*time.Millisecond, 0)
	write()
	wait(0, 1) // although a deadline has passed
	wait(time.Minute, 1)
	unix.Read(pair[0], make([]byte, 1))
	wait(0, 0)
	time.AfterFunc(50*time.Millisecond, write)
	wait(time.Minute, 1)
	unix.Read(pair[0], make([]byte, 1))
	wait(time.Millisecond, 0)
	time.AfterFunc(50*time.Millisecond, write)
	wait(Forever, 1) // although a deadline has passed
	unix.Read(pair[0], make([]byte, 1))
	time.AfterFunc(50*time.Millisecond, w.Close)
	if events, err := w.Wait(Forever); err == nil {
		t.Errorf("events %v of a Poller that was closed", events)
	}
}
