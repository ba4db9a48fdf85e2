package process

import "strings"

// cgroupNames reads what /proc/PID/cgroup says, or one path of it: the unit of systemd
// and the container that a process belongs to, "" when it does not.
func cgroupNames(content string) (unit, container string) {
	for line := range strings.Lines(content) {
		path := strings.TrimSuffix(line, "\n")
		if parts := strings.SplitN(path, ":", 3); len(parts) == 3 {
			// Of the first version's hierarchies only systemd's own has its units.
			if parts[0] != "0" && parts[1] != "name=systemd" {
				if id := containerOf(parts[2]); id != "" {
					container = id
				}
				continue
			}
			path = parts[2]
		}
		if u := unitOf(path); u != "" {
			unit = u
		}
		if id := containerOf(path); id != "" {
			container = id
		}
	}
	return unit, container
}

// unitOf is the innermost service of a path, or else its innermost scope that is no
// container's: "/user.slice/user-0.slice/session-1.scope".
func unitOf(path string) string {
	scope := ""
	for path != "" {
		i := strings.LastIndexByte(path, '/')
		name := path[i+1:]
		switch {
		case strings.HasSuffix(name, ".service"):
			return name
		case strings.HasSuffix(name, ".scope") && scope == "" && hexadecimal(name) == "":
			scope = name
		}
		path = path[:max(i, 0)]
	}
	return scope
}

// containerOf is the id of the innermost container of a path. The runtimes write it as
// /docker/ID, docker-ID.scope, cri-containerd-ID.scope, crio-ID.scope, libpod-ID.scope,
// /kubepods/…/podUID/ID, or SLICE:cri-containerd:ID.
func containerOf(path string) string {
	for path != "" {
		i := strings.LastIndexByte(path, '/')
		if id := hexadecimal(path[i+1:]); id != "" {
			return id
		}
		path = path[:max(i, 0)]
	}
	return ""
}

// hexadecimal is the id at the end of a component of a path; "" for that of the program
// that minds a container from outside (conmon).
func hexadecimal(name string) string {
	const length = 64
	name = strings.TrimSuffix(name, ".scope")
	if len(name) < length || strings.Contains(name, "conmon") {
		return ""
	}
	prefix, id := name[:len(name)-length], name[len(name)-length:]
	if prefix != "" && !strings.HasSuffix(prefix, "-") && !strings.HasSuffix(prefix, ":") {
		return ""
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return ""
		}
	}
	return id
}
