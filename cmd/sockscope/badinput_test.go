package main

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A byteOrder writes numbers as the capture formats need them.
type byteOrder interface {
	binary.ByteOrder
	binary.AppendByteOrder
}

var littleEndian, bigEndian byteOrder = binary.LittleEndian, binary.BigEndian

// synFrame is an Ethernet frame of 62 bytes: a TCP SYN with MSS, NOP, NOP and
// SACK-permitted, from 192.0.2.1 to 198.51.100.2 port 443.
func synFrame() []byte {
	return []byte{
		0x00, 0x00, 0x5e, 0x00, 0x53, 0x01, 0x00, 0x00, 0x5e, 0x00, 0x53, 0x0a, 0x08, 0x00,
		0x45, 0x00, 0x00, 0x30, 0x00, 0x01, 0x40, 0x00, 0x40, 0x06, 0x00, 0x00, 192, 0, 2, 1, 198, 51, 100, 2,
		0xc3, 0x50, 0x01, 0xbb, 0x00, 0x00, 0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x70, 0x02, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
		0x02, 0x04, 0x05, 0xb4, 0x01, 0x01, 0x04, 0x02,
	}
}

// pcapHeader is the header of a pcap file: 24 bytes.
func pcapHeader(order byteOrder, magic uint32, major, minor uint16, snapLength, link uint32) []byte {
	b := order.AppendUint32(nil, magic)
	b = order.AppendUint16(b, major)
	b = order.AppendUint16(b, minor)
	b = order.AppendUint64(b, 0)
	b = order.AppendUint32(b, snapLength)
	return order.AppendUint32(b, link)
}

// pcapRecord is a record of a pcap file with whatever its header says.
func pcapRecord(order byteOrder, seconds, fraction, captured, length uint32, data []byte) []byte {
	var b []byte
	for _, v := range []uint32{seconds, fraction, captured, length} {
		b = order.AppendUint32(b, v)
	}
	return append(b, data...)
}

const microseconds, nanoseconds, modified = 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34

// pcapFile is a sound little-endian file of frames a second apart.
func pcapFile(frames ...[]byte) []byte {
	b := pcapHeader(littleEndian, microseconds, 2, 4, 262144, 1)
	for i, f := range frames {
		b = append(b, pcapRecord(littleEndian, 1_700_000_000+uint32(i), 0, uint32(len(f)), uint32(len(f)), f)...)
	}
	return b
}

// block is a pcapng block whose lengths are right.
func block(kind uint32, body []byte) []byte {
	length := uint32(12 + len(body))
	b := littleEndian.AppendUint32(littleEndian.AppendUint32(nil, kind), length)
	return littleEndian.AppendUint32(append(b, body...), length)
}

// section is a Section Header Block: 28 bytes.
func section() []byte {
	b := littleEndian.AppendUint32(nil, 0x1a2b3c4d)
	b = littleEndian.AppendUint16(littleEndian.AppendUint16(b, 1), 0)
	return block(0x0a0d0d0a, littleEndian.AppendUint64(b, 1<<64-1))
}

// description is an Interface Description Block for Ethernet: 20 bytes and its options.
func description(options ...byte) []byte {
	return block(1, append([]byte{1, 0, 0, 0, 0, 0, 0, 0}, options...))
}

// enhanced is an Enhanced Packet Block with whatever captured length and time.
func enhanced(iface uint32, time uint64, captured uint32, data []byte, options ...byte) []byte {
	var b []byte
	for _, v := range []uint32{iface, uint32(time >> 32), uint32(time), captured, uint32(len(data))} {
		b = littleEndian.AppendUint32(b, v)
	}
	b = append(b, data...)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	return block(6, append(b, options...))
}

// now is a time of the microsecond resolution that pcapng has without if_tsresol.
const now = 1_700_000_000_000_000

func concat(parts ...[]byte) []byte {
	var b []byte
	for _, p := range parts {
		b = append(b, p...)
	}
	return b
}

// patch is b with v written at off.
func patch(b []byte, off int, v uint32) []byte {
	b = append([]byte(nil), b...)
	littleEndian.PutUint32(b[off:], v)
	return b
}

// TestBadInput is the table of hostile files: what standard error says after
// "sockscope: FILE: ", the exit status, and how many packets were kept.
func TestBadInput(t *testing.T) {
	syn := synFrame()
	good := pcapFile(syn, syn)
	head := pcapHeader(littleEndian, microseconds, 2, 4, 262144, 1)
	record := func(captured, length uint32, data []byte) []byte {
		return pcapRecord(littleEndian, 1_700_000_001, 0, captured, length, data)
	}
	packet := enhanced(0, now, 62, syn)
	ng := concat(section(), description())
	tests := []struct {
		name   string
		file   []byte
		stderr string
		status int
		kept   int // packets that the report counts; -1 when there is no report
	}{
		{"1 an empty file is no capture", nil, "empty file, not a capture", 3, -1},
		{"2 part of a file header", good[:23], "offset 0: file header cut short (have 23, need 24)", 3, -1},
		{"2 one byte of a file header", good[:1], "offset 0: file header cut short (have 1, need 24)", 3, -1},
		{"3 a header and no packets", good[:24], "no packets", 0, 0},
		{"4 another magic", []byte{0xde, 0xad, 0xbe, 0xef, 1, 2, 3, 4}, "not pcap, pcapng or gzip (first bytes de ad be ef)", 3, -1},
		{"4 text", []byte("GET / HTTP/1.1\r\n\r\n"), "not pcap, pcapng or gzip (first bytes 47 45 54 20)", 3, -1},
		{"4 a program", []byte("\x7fELF\x02\x01\x01\x00"), "not pcap, pcapng or gzip (first bytes 7f 45 4c 46)", 3, -1},
		{"4 a PDF", []byte("%PDF-1.7\n"), "not pcap, pcapng or gzip (first bytes 25 50 44 46)", 3, -1},
		{"5 part of a record header", good[:102+3],
			"record 2, offset 102: header cut short (have 3 of 16 bytes); 1 record kept", 1, 1},
		{"6 part of a record's data", good[:102+16+57],
			"record 2, offset 102: data cut short (have 57 of 62 bytes); 1 record kept", 1, 1},
		{"7 the largest captured length", concat(pcapFile(syn), record(1<<32-1, 1<<32-1, syn)),
			"record 2, offset 102: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept", 1, 1},
		{"8 snap length and captured length of 1 GiB",
			concat(pcapHeader(littleEndian, microseconds, 2, 4, 1<<30, 1), record(1<<30, 1<<30, syn)),
			"record 1, offset 24: captured length 1073741824 exceeds 262144; reading stopped, 0 records kept", 1, 0},
		{"9 a snap length of 0", concat(pcapHeader(littleEndian, microseconds, 2, 4, 0, 1), record(62, 62, syn)), "", 0, 1},
		{"9 a snap length below the captured length",
			concat(pcapHeader(littleEndian, microseconds, 2, 4, 10, 1), record(62, 62, syn)), "", 0, 1},
		{"10 more captured than there was", concat(head, record(62, 40, syn)), "", 0, 1},
		{"11 another version", concat(pcapHeader(littleEndian, microseconds, 9, 4, 262144, 1), record(62, 62, syn)),
			"unsupported pcap version 9.4", 3, -1},
		{"12 a link type nobody knows", concat(pcapHeader(littleEndian, microseconds, 2, 4, 262144, 65000), record(62, 62, syn)), "", 0, 1},
		{"13 a second of microseconds", concat(head, pcapRecord(littleEndian, 1, 1_000_000, 62, 62, syn)), "", 0, 1},
		{"14 times of 0, the end of the count and 1", concat(head, pcapRecord(littleEndian, 0, 0, 62, 62, syn),
			pcapRecord(littleEndian, 1<<32-1, 0, 62, 62, syn), pcapRecord(littleEndian, 1, 0, 62, 62, syn)), "", 0, 3},
		{"15 packets of length 0", concat(head, record(0, 0, nil), record(0, 0, nil)), "", 0, 2},
		{"16 garbage after the last record", concat(pcapFile(syn), []byte(strings.Repeat("\xff", 40))),
			"record 2, offset 102: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept", 1, 1},
		{"17 the modified format has headers of 24 bytes",
			concat(pcapHeader(littleEndian, modified, 2, 4, 262144, 1),
				record(62, 62, concat(make([]byte, 8), syn)), record(62, 62, concat(make([]byte, 8), syn))), "", 0, 2},
		{"18 big-endian nanoseconds", concat(pcapHeader(bigEndian, nanoseconds, 2, 4, 262144, 1),
			pcapRecord(bigEndian, 1, 999_999_999, 62, 62, syn)), "", 0, 1},
		{"19 a packet larger than its block", concat(ng, enhanced(0, now, 1<<32-1, syn)),
			"block 3, offset 48: packet length 4294967295 exceeds block length 96; 0 records kept", 1, 0},
		{"20 a packet before any interface", concat(section(), packet, description(), packet),
			"block 2, offset 28: packet before any interface description; 0 records kept", 1, 1},
		{"21 an interface that is not there", concat(ng, enhanced(99, now, 62, syn), packet),
			"block 3, offset 48: interface 99 of 1; 0 records kept", 1, 1},
		{"22 a block of length 0", concat(ng, packet, patch(packet, 4, 0)),
			"block 4, offset 144: block length 0, less than 12; reading stopped, 1 record kept", 1, 1},
		{"22 a block of length 11", concat(ng, packet, patch(packet, 4, 11)),
			"block 4, offset 144: block length 11, less than 12; reading stopped, 1 record kept", 1, 1},
		{"22 a block length that is not a multiple of 4", concat(ng, packet, patch(packet, 4, 95)),
			"block 4, offset 144: block length 95, not a multiple of 4; reading stopped, 1 record kept", 1, 1},
		{"23 a block of 4 GiB", concat(ng, packet, patch(packet, 4, 1<<32-4)),
			"block 4, offset 144: block length 4294967292 exceeds 16777216; reading stopped, 1 record kept", 1, 1},
		{"23 a block that ends beyond the file", concat(ng, packet, patch(packet, 4, 1<<20)),
			"block 4, offset 144: block cut short (have 96 of 1048576 bytes); 1 record kept", 1, 1},
		{"24 a trailer that differs, and a block after it", concat(ng, patch(packet, 92, 100), packet),
			"block 3, offset 48: block length 96 before and 100 after the block; 0 records kept", 1, 2},
		{"25 a time resolution of 10^-127", concat(ng[:28], description(9, 0, 1, 0, 127, 0, 0, 0), packet),
			"block 3, offset 56: time unknown (1700000000000000 units of 10^-127 s); 0 records kept", 1, 1},
		{"25 a time resolution of 2^-127", concat(ng[:28], description(9, 0, 1, 0, 255, 0, 0, 0), packet),
			"block 3, offset 56: time unknown (1700000000000000 units of 2^-127 s); 0 records kept", 1, 1},
		{"26 the lowest time offset", concat(ng[:28], description(14, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 128), packet),
			"block 3, offset 60: time unknown (1700000000000000 units of 10^-6 s and offset -9223372036854775808 s); 0 records kept", 1, 1},
		{"27 the latest time", concat(ng, enhanced(0, 1<<64-1, 62, syn)),
			"block 3, offset 48: time unknown (18446744073709551615 units of 10^-6 s); 0 records kept", 1, 1},
		{"28 an option longer than its block", concat(ng, enhanced(0, now, 62, syn, 1, 0, 255, 255)),
			"block 3, offset 48: option 1: length 65535 exceeds block (0 bytes left); 1 record kept", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(name, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			status, stdout, stderr := runProgram(t, "report", "-r", name, "--format", "json")
			want := ""
			if tt.stderr != "" {
				want = "sockscope: " + name + ": " + tt.stderr + "\n"
			}
			if stderr != want {
				t.Errorf("standard error\n%swant\n%s", stderr, want)
			}
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			checkKept(t, stdout, tt.kept)
		})
	}
}

// checkKept compares the number of packets in a report, or that there is none.
func checkKept(t *testing.T, stdout string, kept int) {
	t.Helper()
	if kept < 0 {
		if stdout != "" {
			t.Errorf("there is a report:\n%s", stdout)
		}
		return
	}
	if got := framesOf(t, stdout); got != kept {
		t.Errorf("%d packets in the report, want %d", got, kept)
	}
}

// TestBadInputAtTheLimit reads files that are large rather than wrong.
func TestBadInputAtTheLimit(t *testing.T) {
	many := func(b []byte, n int) []byte { return []byte(strings.Repeat(string(b), n)) }
	packet := enhanced(0, now, 62, synFrame())
	tests := []struct {
		name   string
		file   []byte
		status int
		kept   int
	}{
		{"29 more interfaces than can be", concat(section(), many(description(), 100_000), packet), 0, 1},
		{"30 a hundred thousand sections", concat(many(section(), 100_000), description(), packet), 0, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "f")
			if err := os.WriteFile(name, tt.file, 0o600); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			status, stdout, stderr := runProgram(t, "report", "-r", name, "--format", "json")
			if elapsed := time.Since(start); elapsed > 20*time.Second { // 1 s without the race detector
				t.Errorf("took %v", elapsed)
			}
			if status != tt.status || strings.Count(stderr, "\n") > 20 {
				t.Errorf("exit status %d, want %d\n%.2000s", status, tt.status, stderr)
			}
			checkKept(t, stdout, tt.kept)
		})
	}
}

func TestMessagesAreBoundedAndEscaped(t *testing.T) {
	dir := t.TempDir()
	long := filepath.Join(dir, strings.Repeat("d", 200), strings.Repeat("e", 200), strings.Repeat("f", 200))
	if err := os.MkdirAll(filepath.Dir(long), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{long, filepath.Join(dir, "a\x1b[31m\nb\xff")} {
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, stderr := runProgram(t, "report", "-r", name)
		if len(stderr) > maxMessage || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%d bytes: %q", len(stderr), stderr)
		}
		if line := strings.TrimSuffix(stderr, "\n"); !utf8.ValidString(line) || strings.ContainsAny(line, "\x1b\n") {
			t.Errorf("not escaped: %q", stderr)
		}
		if !strings.HasSuffix(stderr, ": empty file, not a capture\n") {
			t.Errorf("the cause is lost: %q", stderr)
		}
	}
}

func TestOneBadFileDoesNotStopTheOthers(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	good, bad := write("good.pcap", pcapFile(synFrame())), write("bad.pcap", []byte("hello"))
	missing := filepath.Join(dir, "missing.pcap")
	tests := []struct {
		name   string
		files  []string
		status int
		kept   int
		errors int // lines of standard error
	}{
		{"a named file that is no capture", []string{bad, good}, 3, 1, 1},
		{"a named file that is missing", []string{missing, good}, 3, 1, 1},
		{"a bad file in a directory is damage", []string{dir}, 1, 1, 1},
		{"a bad file found by a pattern is damage", []string{filepath.Join(dir, "*.pcap")}, 1, 1, 1},
		{"nothing usable", []string{bad, missing}, 3, -1, 2},
		{"nothing usable by a pattern", []string{filepath.Join(dir, "b*.pcap")}, 3, -1, 1},
		{"the same file twice is read twice", []string{good, good}, 0, 2, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"report", "--format", "json"}
			for _, f := range tt.files {
				args = append(args, "-r", f)
			}
			status, stdout, stderr := runProgram(t, args...)
			if status != tt.status || strings.Count(stderr, "\n") != tt.errors {
				t.Errorf("exit status %d, want %d; standard error, want %d lines:\n%s", status, tt.status, tt.errors, stderr)
			}
			checkKept(t, stdout, tt.kept)
		})
	}
}
