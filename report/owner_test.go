package report

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
	"sockscope/decode/flow"
)

// Processes of the samples.
var (
	curl   = &capture.Process{PID: 4711, Name: "curl", Command: "curl -s http://localhost/", HasUID: true, UID: 1000, User: "mira", Netns: 4026531840}
	nginx  = &capture.Process{PID: 80, Name: "nginx", Command: "nginx: worker process", HasUID: true, User: "root", Unit: "nginx.service", Netns: 4026531840}
	crawl  = &capture.Process{PID: 4194304, Name: "크롤러데몬", Command: "/opt/크롤러 --깊이=3", HasUID: true, UID: 33}
	pod    = &capture.Process{Container: "4f2e1c0d9b8a77665544332211", Netns: 4026532301}
	hidden = &capture.Process{PID: 12}
)

func exactly(p *capture.Process) capture.Owner {
	return capture.Owner{Process: p, Basis: capture.BasisExact}
}

func listening(p *capture.Process) capture.Owner {
	return capture.Owner{Process: p, Basis: capture.BasisListener}
}

// processRows have a known process at the client, at both ends, at the server, and
// processes of which little is known.
func processRows() []Row {
	owners := [][2]capture.Owner{
		{exactly(curl), {}},
		{exactly(curl), listening(nginx)},
		{{}, listening(nginx)},
		{exactly(crawl), exactly(hidden)},
		{{Process: pod, Basis: capture.BasisCgroup}, {}},
		{},
	}
	var rows []Row
	for i, o := range owners {
		r := tcpRow(uint64(i+1), fmt.Sprintf("127.0.0.1:%d", 40000+i), "127.0.0.1:80")
		r.Outcome, r.Close, r.ClosedBy = flow.Complete, flow.Fin, flow.ClientSide
		r.Service, r.ServiceBasis, r.FirstFrame = "http", "payload", uint64(10*i+1)
		r.Owners = o
		rows = append(rows, r)
	}
	return rows
}

func TestColumnsTellOfTheClientElseOfTheServer(t *testing.T) {
	for i, want := range []string{
		"curl client exact  ",
		"curl client exact nginx listener",
		"nginx server listener  ",
		"크롤러데몬 client exact  exact",
		" client cgroup  ",
		"    ",
	} {
		r := processRows()[i]
		got := ""
		for j, name := range []string{"process", "process_side", "process_basis", "peer_process", "peer_process_basis"} {
			chosen, err := chooseColumns([]string{name})
			if err != nil {
				t.Fatal(err)
			}
			value, _ := chosen[0].append(nil, &r, &context{})
			if j > 0 {
				got += " "
			}
			got += string(value)
		}
		if got != want {
			t.Errorf("row %d: %q, want %q", i, got, want)
		}
	}
}

func TestProcessName(t *testing.T) {
	for _, tt := range []struct {
		name  string
		owner capture.Owner
		want  string
	}{
		{"nobody is known", capture.Owner{}, ""},
		{"name and number", exactly(curl), "curl[4711]"},
		{"a process that only listens", listening(nginx), "~nginx[80]"},
		{"the number alone", exactly(hidden), "pid 12"},
		{"the unit of a control group", capture.Owner{Process: &capture.Process{Unit: "cron.service", Container: "ab"}, Basis: capture.BasisCgroup}, "cron.service"},
		{"a container, shortened", capture.Owner{Process: pod, Basis: capture.BasisCgroup}, "container 4f2e1c0d9b8a"},
		{"a short container", exactly(&capture.Process{Container: "ab"}), "container ab"},
		{"a user's name", exactly(&capture.Process{HasUID: true, UID: 7, User: "lp"}), "user lp"},
		{"a user's number", exactly(&capture.Process{HasUID: true}), "uid 0"},
		{"nothing to name it by", exactly(&capture.Process{}), "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := processName(tt.owner); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestProcessesOfARow(t *testing.T) {
	want := []string{"curl[4711]", "curl[4711]→~nginx[80]", "→~nginx[80]", "크롤러데몬[4194304]→pid 12", "container 4f2e1c0d9b8a", ""}
	var got []string
	for _, r := range processRows() {
		got = append(got, r.Processes())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Once nobody knows the owners of what is to come, what comes has none: neither those of the
// connection before nor others.
func TestNobodyKnowsOwnersAnyMore(t *testing.T) {
	s := new(scene)
	for i := range 3 {
		s.tcp(fmt.Sprintf("10.0.0.%d:1000", i), "192.0.2.1:80", flow.Complete, 0)
	}
	b := NewBuilder(Config{Owners: func(*flow.Connection) [2]capture.Owner {
		return [2]capture.Owner{exactly(curl), listening(nginx)}
	}})
	for i, c := range s.connections {
		if i == 1 {
			b.AskForOwners(nil)
		}
		b.Add(c)
	}
	known := 0
	for _, row := range b.Summary(s.stats(), s.totals()).Connections {
		for _, o := range row.Owners {
			if o.Known() {
				known++
			}
		}
	}
	if known != 2 {
		t.Errorf("%d owners are known, want both of the first connection", known)
	}
}
