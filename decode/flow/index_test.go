package flow

import (
	"math/rand/v2"
	"testing"
)

// check compares x with the hashes of all that was put into it by number; 0 is what was
// taken out.
func (x *index) check(t *testing.T, hashes []uint32, in []bool) {
	t.Helper()
	n := 0
	for i, hash := range hashes {
		if in[i] {
			n++
		}
		if slot := x.place(hash, uint32(i+1)); (slot != nil) != in[i] {
			t.Fatalf("connection %d with hash %#x: in slot %p, want that it is one: %v", i+1, hash, slot, in[i])
		}
	}
	if x.live != n {
		t.Errorf("%d connections, want %d", x.live, n)
	}
	for i := 0; i < len(x.buckets); {
		b := x.buckets[i]
		used := uint32(0)
		for _, e := range b.slots {
			if e != 0 {
				used++
			}
		}
		if b.live != used {
			t.Errorf("bucket %d counts %d slots in use, but there are %d", i, b.live, used)
		}
		if x.shift > bucketBits && used > bucketLen/2 {
			t.Errorf("%d slots in use in bucket %d", used, i)
		}
		for last := i + 1<<b.spare; i < last; i++ {
			if &x.buckets[i].slots[0] != &b.slots[0] || x.buckets[i].spare != b.spare {
				t.Fatalf("place %d has another bucket than the one before", i)
			}
		}
	}
}

func TestIndex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name string
		hash func() uint32
		n    int
	}{
		{"a bucket", r.Uint32, 1000},
		{"splits", r.Uint32, 200_000},
		{"one half", func() uint32 { return r.Uint32() | 1<<31 }, 20_000},
		{"one bucket splits many times", func() uint32 { return r.Uint32() >> 11 }, 30_000},
		{"few hashes", func() uint32 { return r.Uint32() &^ 0xffff }, 40_000},
		{"around the end", func() uint32 { return r.Uint32() | (bucketLen-1)&^7 }, 5000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := newIndex()
			var hashes []uint32
			var in []bool
			for range tt.n {
				hashes, in = append(hashes, tt.hash()), append(in, true)
				x.put(hashes[len(hashes)-1], uint32(len(hashes)))
				if r.IntN(3) == 0 {
					i := r.IntN(len(hashes))
					x.remove(hashes[i], uint32(i+1)) // or was before
					in[i] = false
				}
			}
			x.check(t, hashes, in)
			for i := range in {
				if in[i] {
					x.remove(hashes[i], uint32(i+1))
				}
				in[i] = false
			}
			x.check(t, hashes, in)
		})
	}
}

// However many connections there are, a new one moves those of one bucket at most.
func TestIndexGrowsByOneBucket(t *testing.T) {
	x := newIndex()
	r := rand.New(rand.NewPCG(3, 4))
	for i := range uint32(300_000) {
		hash := r.Uint32()
		before := &x.first(hash).slots[0]
		other := x.first(^hash)
		o, live := &other.slots[0], other.live
		x.put(hash, i+1)
		if now := x.first(^hash); o != before && (&now.slots[0] != o || now.live != live) {
			t.Fatalf("connection %d moved those of two buckets", i+1)
		}
	}
}
