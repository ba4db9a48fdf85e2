package process

import (
	"strings"
	"testing"
)

func TestCgroupNames(t *testing.T) {
	id := strings.Repeat("0123456789abcdef", 4)
	tests := []struct{ name, content, unit, container string }{
		{"a service", "0::/system.slice/nginx.service\n", "nginx.service", ""},
		{"the first version", "12:pids:/system.slice\n1:name=systemd:/system.slice/nginx.service\n", "nginx.service", ""},
		{"both versions", "1:name=systemd:/\n0::/system.slice/a.service\n", "a.service", ""},
		{"a login", "0::/user.slice/user-0.slice/session-1.scope\n", "session-1.scope", ""},
		{"a user's service", "0::/user.slice/user-1.slice/user@1.service/app.slice/app-x.service\n", "app-x.service", ""},
		{"below a service", "0::/system.slice/a.service/worker\n", "a.service", ""},
		{"docker with cgroupfs", "0::/docker/" + id + "\n", "", id},
		{"docker, the first version", "4:memory:/docker/" + id + "\n1:name=systemd:/docker/" + id + "\n", "", id},
		{"docker with systemd", "0::/system.slice/docker-" + id + ".scope\n", "", id},
		{"containerd", "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-" + id + ".scope\n", "", id},
		{"containerd with both drivers", "0::/kubepods-pod1.slice:cri-containerd:" + id + "\n", "", id},
		{"cri-o", "0::/kubepods.slice/crio-" + id + ".scope/container\n", "", id},
		{"cri-o's monitor is outside", "0::/kubepods.slice/crio-conmon-" + id + ".scope\n", "crio-conmon-" + id + ".scope", ""},
		{"podman", "0::/machine.slice/libpod-" + id + ".scope\n", "", id},
		{"podman below a service", "0::/system.slice/a.service/libpod-" + id + "\n", "a.service", id},
		{"kubernetes with cgroupfs", "0::/kubepods/besteffort/pod1/" + id + "\n", "", id},
		{"too long for an id", "0::/docker/a" + id + "\n", "", ""},
		{"not hexadecimal", "0::/docker/g" + id[1:] + "\n", "", ""},
		{"the root", "0::/\n", "", ""},
		{"nothing", "", "", ""},
		{"a path alone", "/system.slice/a.service", "a.service", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			unit, container := cgroupNames(tt.content)
			if unit != tt.unit || container != tt.container {
				t.Errorf("got %q, %q", unit, container)
			}
		})
	}
}
