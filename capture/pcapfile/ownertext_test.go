package pcapfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sockscope/capture"
)

func TestOwnersOfPackets(t *testing.T) {
	// In the form of ptcpdump (its internal/writer/pcapng.go): one comment for each kind
	// of context, flags in every packet.
	const (
		process   = "PID: 7\nCmd: /usr/lib/systemd/systemd-resolved\nArgs: /usr/lib/systemd/systemd-resolved --x"
		thread    = "ThreadId: 8\nThreadName: sd-resolve"
		user      = "UserId: 101\nGroupId: 103"
		parent    = "ParentPID: 1\nParentCmd: /sbin/init\nParentArgs: init"
		container = "ContainerName: web\nContainerId: c0ffee\nContainerImage: nginx\nContainerLabels: {}"
		pod       = "PodName: p\nPodNamespace: n\nPodUID: u\nPodLabels: {}\nPodAnnotations: {}"
	)
	p := func(change func(*capture.Process)) *capture.Process {
		p := &capture.Process{PID: 7, Name: "systemd-resolve", Command: "/usr/lib/systemd/systemd-resolved --x"}
		if change != nil {
			change(p)
		}
		return p
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		s := ngSpec{order}
		comment := func(texts ...string) (options []byte) {
			for _, text := range texts {
				options = append(options, s.option(1, []byte(text))...)
			}
			return append(options, s.option(0, nil)...)
		}
		for _, test := range []struct {
			name    string
			options []byte
			want    *capture.Process // nil: no owner
			basis   capture.Basis
		}{
			{"ptcpdump's process", comment(process), p(nil), capture.BasisExact},
			{"all that ptcpdump says", comment(process, thread, user, parent, container, pod),
				p(func(p *capture.Process) { p.HasUID, p.UID, p.Container = true, 101, "c0ffee" }), capture.BasisExact},
			{"an early version's process", comment(strings.Replace(process, "Cmd", "Command", 1)), p(nil), capture.BasisExact},
			{"the process number alone", join(s.option(8, s.words(9, 10)), s.option(0, nil)), &capture.Process{PID: 9}, capture.BasisExact},
			{"ptcpdump without a process", comment(container), nil, 0},
			{"a number 0", comment("PID: 0\nCmd: a\nArgs: b"), nil, 0},
			{"a number that is none", comment("PID: 7x\nCmd: a\nArgs: b"), nil, 0},
			{"a number too large", comment("PID: 4294967296\nCmd: a\nArgs: b"), nil, 0},
			{"a comment cut short", comment("PID: 7\nCmd: a"), nil, 0},
			{"another order", comment("PID: 7\nArgs: b\nCmd: a"), nil, 0},
			{"a person's words", comment("see PID: 7"), nil, 0},
			{"a parent is no owner", comment(parent), nil, 0},
			{"empty", comment(""), nil, 0},
			{"a name with a path of ours stays", comment("PID: 7\nCmd: a/b\nArgs: ", "Basis: listener"), &capture.Process{PID: 7, Name: "a/b"}, capture.BasisListener},
			{"arguments over several lines", comment("PID: 7\nCmd: sh\nArgs: sh -c a\nUserId: 5"),
				&capture.Process{PID: 7, Name: "sh", Command: "sh -c a\nUserId: 5"}, capture.BasisExact},
			{"only a control group", comment("Unit: a.service\nBasis: cgroup"), &capture.Process{Unit: "a.service"}, capture.BasisCgroup},
			{"a unit without a basis", comment("Unit: a.service"), nil, 0},
			{"an unknown basis", comment("Unit: a.service\nBasis: guess"), nil, 0},
		} {
			t.Run(fmt.Sprint(order, " ", test.name), func(t *testing.T) {
				content := join(s.section(), s.iface(1, 0), s.packet(0, 1, 3, []byte("abc"), test.options), s.packet(0, 1, 3, []byte("abc"), test.options))
				frames, stats := check(t, content)
				if test.want == nil {
					if len(frames) != 2 || frames[0].Owner != 0 || len(stats.Owners) != 0 {
						t.Errorf("%+v of %+v, want no owner", frames, stats.Owners)
					}
					return
				}
				want := []capture.Owner{{Process: test.want, Basis: test.basis}}
				if diff := cmp.Diff(want, stats.Owners); diff != "" || frames[0].Owner != 1 || frames[1].Owner != 1 {
					t.Errorf("frames %+v, owners (-want +got):\n%s", frames, diff)
				}
			})
		}
	}
}

// What a process calls itself cannot make another comment of ours, nor act on a terminal.
func TestHostileNamesStayNames(t *testing.T) {
	hostile := capture.Owner{Basis: capture.BasisExact, Process: &capture.Process{PID: 5, Name: "a\nArgs: b", Command: "x\x1b[31m\xff\u202e\nUserId: 0", Unit: "u\nBasis: listener"}}
	content := encode(t, EncoderConfig{}, capture.Stats{Owners: []capture.Owner{hostile}, Interfaces: []capture.Interface{{Link: 1}}},
		[]capture.Frame{{Data: []byte("abc"), Length: 3, Link: 1, Owner: 1}})
	_, stats := readStream(t, strings.NewReader(string(content)))
	want := []capture.Owner{{Basis: capture.BasisExact, Process: &capture.Process{PID: 5, Name: `a\x0aArgs: b`,
		Command: `x\x1b[31m\xff\xe2\x80\xae\x0aUserId: 0`, Unit: `u\x0aBasis: listener`}}}
	if diff := cmp.Diff(want, stats.Owners); diff != "" {
		t.Error(diff)
	}
}

// A hostile file can name ever new owners, with long names.
func TestOwnersAreBounded(t *testing.T) {
	s := ngSpec{}
	content := join(s.section(), s.iface(1, 0))
	for i := range maxOwners + 10 {
		content = append(content, s.packet(0, 1, 0, nil, s.option(8, s.words(uint32(i+1), 0)))...)
	}
	frames, in, _ := read(t, content)
	if n := counts(in)["owner-limit"]; n != 10 || frames[maxOwners-1].Owner != maxOwners || frames[maxOwners].Owner != 0 {
		t.Errorf("%d over the limit", n)
	}
	content = content[:len(s.section())+len(s.iface(1, 0))]
	long := strings.Repeat("x", 3000)
	for i := range 10_000 {
		content = append(content, s.packet(0, 1, 0, nil, s.option(1, fmt.Appendf(nil, "PID: %d\nCmd: x\nArgs: %s", i+1, long)))...)
	}
	_, stats := readStream(t, strings.NewReader(string(content)))
	kept := 0
	for _, o := range stats.Owners {
		kept += len(o.Name) + len(o.Command)
	}
	if n := counts(stats.Inputs[0])["owner-limit"]; kept > maxOwnersText || n == 0 || len(stats.Owners) < 5000 {
		t.Errorf("%d bytes of %d owners are kept, %d are not", kept, len(stats.Owners), n)
	}
}

// A frame's direction and owner are not those of an earlier one in its place.
func TestMarksDoNotStay(t *testing.T) {
	s := ngSpec{}
	marked := s.packet(0, 1, 60, frame(0, 60), s.option(2, s.words(1<<9|1)), s.option(8, s.words(9, 0)), s.option(0, nil))
	const n = 20_000
	content := join(s.section(), s.iface(1, 0), bytes.Repeat(marked, n), bytes.Repeat(s.packet(0, 1, 60, frame(0, 60)), n))
	single := [][]byte{content}
	for _, inputs := range [][][]byte{single, {content, content}} {
		frames, _ := readFiles(t, Config{}, writeAll(t, inputs)...)
		have := 0
		for _, f := range frames {
			if f.Owner != 0 && f.Direction == capture.Inbound && f.Unsummed {
				have++
			} else if f.Owner != 0 || f.Direction != 0 || f.Unsummed {
				t.Fatalf("%+v", f)
			}
		}
		if want := n * len(inputs); have != want || len(frames) != 2*want {
			t.Errorf("%d of %d frames are marked, want %d", have, len(frames), want)
		}
	}
}
