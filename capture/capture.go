// Package capture has the words of what is captured: frames in blocks, where
// they come from, and what was wrong with that. Files (pcapfile) and live
// interfaces (ring) are Sources; all that follows reads only what is here.
package capture

import "time"

// A Timestamp is the capture clock's time of a frame: nanoseconds since
// 1970-01-01 UTC. The file's resolution may be coarser.
type Timestamp int64

// Unknown is the Timestamp of a frame whose time the input cannot express.
const Unknown Timestamp = -1 << 63

// Known reports whether the input told the time.
func (t Timestamp) Known() bool { return t != Unknown }

// Time is t in UTC. Unknown gives the zero time.
func (t Timestamp) Time() time.Time {
	if t == Unknown {
		return time.Time{}
	}
	return time.Unix(0, int64(t)).UTC()
}

// Sub is t-u, or 0 and false when one of them is Unknown or the difference does
// not fit a Duration.
func (t Timestamp) Sub(u Timestamp) (time.Duration, bool) {
	d := t - u
	if t == Unknown || u == Unknown || (d < 0) != (t < u) {
		return 0, false
	}
	return time.Duration(d), true
}

// A Frame is one captured frame.
type Frame struct {
	Data      []byte    // what was captured; valid until its Block is released
	Time      Timestamp // of the capture, or Unknown
	Length    uint32    // on the wire, in bytes; at least len(Data)
	Interface uint32    // index into the Source's Interfaces
	Link      LinkType  // of Data's first header

	// Unsummed says that the checksums are not there yet: the host leaves them to its
	// hardware, or the frame never left the host. They are not wrong.
	Unsummed bool

	Direction Direction // as the capturing host says
	Owner     uint32    // 1 + index into the Source's Owners; 0: the source does not know
}

// A Direction is whether the capturing host sent or received a frame.
type Direction uint8

const (
	NoDirection Direction = iota // not known
	Inbound
	Outbound
)

// A Block is a batch of frames that share memory: a stretch of a file, or one
// block of the kernel's ring. Blocks of a Source are numbered, so that work done
// on them in any order can be put back in order.
type Block struct {
	Number uint64  // 0, 1, 2 … in the order of the input
	First  uint64  // number of Frames[0]: 1 is the first frame of the whole input
	Frames []Frame // owned by the Block, reused by the next Source.Next

	// Now is the time at which a live source waited for frames in vain; 0: it did not, or
	// there is no such time.
	Now Timestamp

	// Memory backs the frames' Data when the Source copies or reads into it. The
	// Source grows and reuses it; nobody else touches it.
	Memory []byte
}

// A Source gives the frames of a file, a set of files or an interface. It belongs
// to one goroutine at a time: Next, Stats and Close are never called concurrently.
type Source interface {
	// Next fills b with the next frames, in order, overwriting what b held. It
	// returns io.EOF, and no frames, at the end. A live source returns within
	// 100 ms, perhaps without frames. Damage in the input is no error here: what
	// can be read is read, and Stats tells the rest. An error other than io.EOF
	// means that the source as a whole cannot go on.
	Next(b *Block) error

	// Release gives the memory behind b's frames back. It may be called from
	// another goroutine than Next's, and in any order.
	Release(b *Block)

	// Stats tells what has been read so far.
	Stats() Stats

	// Close frees what the source holds. Blocks not yet released become invalid.
	Close() error
}

// Stats tells what a Source has read so far. The value is the caller's own.
type Stats struct {
	Inputs     []Input     // in the order given by the user
	Interfaces []Interface // Frame.Interface indexes them
	Owners     []Owner     // Frame.Owner indexes them: who receives an inbound frame, who sent any other
}

// An Interface is where frames were captured: one of the host, or one that a
// file describes. A pcap file has exactly one.
type Interface struct {
	Name        string // as the input says, unescaped; "" when it does not
	Description string // likewise
	Link        LinkType
	SnapLength  uint32        // in bytes; 0 means no limit is known
	Resolution  time.Duration // of its timestamps: 1 µs, 1 ns …; 1 ns when finer
	Input       int           // index into Stats.Inputs
	Drops       uint64        // frames that the capturing side says it lost
	Missed      uint64        // frames that the interface says it lost before that
}

// An Input is one file or stream or live interface that a Source reads.
type Input struct {
	Name        string // as the user gave it, unescaped; "-" is standard input
	Format      string // "pcap", "pcapng", "snoop", "netmon", "netxray", "live"; "" when it was not recognized
	Compression string // "", "gzip", "zstd", "lz4", "xz"
	Frames      uint64 // given so far
	Bytes       uint64 // Σ of the frames' lengths on the wire
	Captured    uint64 // Σ of the frames' captured lengths
	Damage      []Damage
	Anomalies   []Count  // accepted oddities by name, sorted by name
	Notes       []string // what the user should know, e.g. that the file holds TLS secrets
}

// A Count is a number with a name from a fixed list.
type Count struct {
	Name string
	N    uint64
}

// A Damage says where an input could not be read as it should. Its message is
// one line: "record 2, offset 102: data cut short (have 57 of 62 bytes); 1 record kept".
type Damage struct {
	Code    string // a fixed word for programs, e.g. "data-cut-short"
	Unit    string // "block" of pcapng, "record" of other formats; "" when neither applies
	Record  uint64 // 1-based number of the record or block; 0 when not applicable
	Offset  int64  // of the first byte of that record or block header; -1 when not applicable
	What    string // the problem and, in parentheses, its cause; no record, no offset, no file name
	Kept    uint64 // records kept before it
	Stopped bool   // reading this input ended here although more of it follows
	Unread  bool   // nothing of the input could be used: not a capture, missing, no permission
}
