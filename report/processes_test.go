package report

import (
	"testing"

	"sockscope/capture"
)

func TestProcesses(t *testing.T) {
	worker := func(pid int) capture.Owner { return exactly(&capture.Process{PID: pid, Name: "worker"}) }
	for _, tt := range []struct {
		name         string
		add          []capture.Owner
		bound        int
		words, names string
	}{
		{"none", nil, 8, "", ""},
		{"one", []capture.Owner{exactly(curl), exactly(curl)}, 8, "curl[4711]", "curl[4711]"},
		{"the same process told twice", []capture.Owner{worker(7), worker(7)}, 8, "worker[7]", "worker[7]"},
		{"a number in another network namespace", []capture.Owner{worker(7), exactly(&capture.Process{PID: 7, Name: "worker", Netns: 2})}, 8,
			"worker[7], worker[7]", "worker ×2"},
		{"most connections first", []capture.Owner{worker(1), worker(2), worker(2), exactly(curl)}, 8,
			"worker[2], curl[4711] +1", "worker ×2 +1"},
		{"the name with most connections, not most processes", []capture.Owner{worker(1), worker(2), exactly(curl), exactly(curl), exactly(curl)}, 8,
			"curl[4711], worker[1] +1", "curl +1"},
		{"more than are kept apart", []capture.Owner{worker(1), worker(2), worker(3), worker(4)}, 3,
			"worker[1], worker[2] +1 …", "worker ×3 …"},
		{"one of more than are kept apart", []capture.Owner{worker(1), worker(2)}, 1, "worker[1] …", "worker[1] …"},
		{"what serves is no longer a guess", []capture.Owner{listening(nginx), exactly(nginx)}, 8, "nginx[80]", "nginx[80]"},
		{"control groups are told apart", []capture.Owner{exactly(pod), exactly(&capture.Process{Unit: "cron.service"})}, 8,
			"container 4f2e1c0d9b8a, cron.service", "container 4f2e1c0d9b8a +1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var p, merged processes
			for _, o := range tt.add {
				p.add(o, 1, tt.bound)
			}
			merged.merge(&p, tt.bound)
			for _, p := range []*processes{&p, &merged} {
				sorted := p.sorted()
				if got := sorted.words(); got != tt.words {
					t.Errorf("words %q, want %q", got, tt.words)
				}
				if got := sorted.names(); got != tt.names {
					t.Errorf("names %q, want %q", got, tt.names)
				}
				n := sorted.Others
				for _, u := range sorted.List {
					n += u.Connections
				}
				if n != uint64(len(tt.add)) {
					t.Errorf("%d connections of %d", n, len(tt.add))
				}
			}
		})
	}
}

// A capture can name as many processes as it likes.
func TestProcessesAreBounded(t *testing.T) {
	var p processes
	for i := range 1_000_000 {
		p.add(exactly(&capture.Process{PID: i + 1, Name: "p"}), 1, maxProcesses)
	}
	if len(p.list) != maxProcesses || p.others != 1_000_000-maxProcesses {
		t.Errorf("%d kept, %d others", len(p.list), p.others)
	}
}
