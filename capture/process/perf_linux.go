package process

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringPages is the size of the ring of one CPU, a power of two. With 4-KiB pages it is
// what the kernel lets everybody have (perf_event_mlock_kb).
const ringPages = 128

// wakeBytes is how much must be in a ring before its reader is woken: to be woken for
// each record costs a connection more than all the rest.
const wakeBytes = 16 << 10

// A perfRing is the ring into which the kernel writes a tracepoint's records of one CPU.
type perfRing struct {
	file   int
	memory []byte
}

// openPerf opens the ring of a CPU, with the records of processes that begin, end, are
// named or change their namespaces.
func openPerf(tracepoint uint64, filter string, cpu int) (*perfRing, error) {
	attr := unix.PerfEventAttr{
		Type:        unix.PERF_TYPE_TRACEPOINT,
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config:      tracepoint,
		Sample:      1,
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_RAW,
		Bits: unix.PerfBitComm | unix.PerfBitTask | unix.PerfBitSampleIDAll | unix.PerfBitWatermark | unix.PerfBitUseClockID |
			unix.CBitFieldMaskBit28, // namespaces
		Wakeup:  wakeBytes,
		Clockid: unix.CLOCK_MONOTONIC, // that of boot is not allowed everywhere here
	}
	file, err := unix.PerfEventOpen(&attr, -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	r := &perfRing{file: file}
	if words, err := unix.BytePtrFromString(filter); err == nil {
		// Without the filter there is more to read, and the same to learn.
		_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(file), unix.PERF_EVENT_IOC_SET_FILTER, uintptr(unsafe.Pointer(words)))
	}
	r.memory, err = unix.Mmap(file, 0, (1+ringPages)*os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *perfRing) close() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
	}
	_ = unix.Close(r.file)
}

// Offsets in struct perf_event_mmap_page, the first page of the memory.
const (
	perfHead = 1024
	perfTail = 1032
)

const perfHeaderSize = 8

// read calls f for each record there is, without its header. The bytes are valid until f
// returns.
func (r *perfRing) read(f func(kind uint32, body []byte)) {
	head := (*uint64)(unsafe.Pointer(&r.memory[perfHead]))
	tail := (*uint64)(unsafe.Pointer(&r.memory[perfTail]))
	data := r.memory[os.Getpagesize():]
	var whole [1 << 12]byte
	end := atomic.LoadUint64(head)
	at := *tail
	for at < end {
		var header [perfHeaderSize]byte // records are multiples of 8 bytes: it is never split
		from := int(at % uint64(len(data)))
		copy(header[:], data[from:])
		size := int(binary.NativeEndian.Uint16(header[6:]))
		if size < perfHeaderSize {
			at = end
			break
		}
		record := data[from:min(from+size, len(data))]
		if len(record) < size && size <= len(whole) {
			n := copy(whole[:], record)
			copy(whole[n:size], data)
			record = whole[:size]
		}
		if len(record) == size {
			f(binary.NativeEndian.Uint32(header[:]), record[perfHeaderSize:])
		}
		at += uint64(size)
	}
	atomic.StoreUint64(tail, at)
	runtime.KeepAlive(r)
}

// onlineCPUs lists the CPUs that run.
func onlineCPUs() ([]int, error) {
	b, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil, err
	}
	var list []int
	for _, part := range strings.Split(strings.TrimSpace(string(b)), ",") {
		low, high, isRange := strings.Cut(part, "-")
		first, err := strconv.Atoi(low)
		last := first
		if err == nil && isRange {
			last, err = strconv.Atoi(high)
		}
		if err != nil {
			return nil, fmt.Errorf("CPUs %q: %w", part, err)
		}
		for ; first <= last; first++ {
			list = append(list, first)
		}
	}
	return list, nil
}

// tracepointFormat reads how the records of a tracepoint look. Where the files are not
// mounted, they are read from a mount that nobody else sees.
func tracepointFormat(name string) (string, error) {
	for _, dir := range []string{"/sys/kernel/tracing", "/sys/kernel/debug/tracing"} {
		if b, err := os.ReadFile(filepath.Join(dir, "events", name, "format")); err == nil {
			return string(b), nil
		}
	}
	context, err := unix.Fsopen("tracefs", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("tracefs: %w", err)
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return "", fmt.Errorf("tracefs: %w", err)
	}
	mount, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	if err != nil {
		return "", fmt.Errorf("tracefs: %w", err)
	}
	defer unix.Close(mount)
	fd, err := unix.Openat(mount, "events/"+name+"/format", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", fmt.Errorf("tracepoint %s: %w", name, err)
	}
	f := os.NewFile(uintptr(fd), "format")
	defer f.Close()
	var b [16 << 10]byte
	n, err := f.Read(b[:])
	return string(b[:n]), err
}

// A tracepoint is where the fields of its records are.
type tracepoint struct {
	id      uint64
	offsets map[string]int
}

var errFormat = errors.New("the tracepoint has an unknown format")

// parseTracepoint reads a format, and requires fields of certain sizes.
func parseTracepoint(format string, fields map[string]int) (t tracepoint, err error) {
	t.offsets = make(map[string]int)
	for line := range strings.Lines(format) {
		line = strings.TrimSpace(line)
		if id, ok := strings.CutPrefix(line, "ID: "); ok {
			if t.id, err = strconv.ParseUint(id, 10, 64); err != nil {
				return t, errFormat
			}
		}
		var offset, size int
		parts := strings.Split(line, ";")
		words := strings.Fields(parts[0])
		if len(parts) < 3 || len(words) == 0 || !strings.HasPrefix(parts[0], "field:") {
			continue
		}
		name, _, _ := strings.Cut(words[len(words)-1], "[")
		if _, err := fmt.Sscanf(strings.TrimSpace(parts[1])+" "+strings.TrimSpace(parts[2]), "offset:%d size:%d", &offset, &size); err != nil {
			return t, errFormat
		}
		if want, ok := fields[name]; ok && want == size {
			t.offsets[name] = offset
		}
	}
	if t.id == 0 || len(t.offsets) != len(fields) {
		return t, errFormat
	}
	return t, nil
}
