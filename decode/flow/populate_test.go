package flow

import "testing"

// What is populated is as zero as what is not, and what was written stays.
func TestPopulate(t *testing.T) {
	for range 3 {
		full, empty := newChunk[handshake](true), newChunk[handshake](false)
		if *full != *empty {
			t.Fatal("a populated chunk is not zero")
		}
		for i := range full {
			full[i].firstFrame = uint64(i)
		}
		populate(full)
		for i := range full {
			if full[i].firstFrame != uint64(i) {
				t.Fatalf("value %d was %d after it was populated again", i, full[i].firstFrame)
			}
		}
	}
	slots := newSlots(true)
	for i, e := range slots {
		if e != 0 {
			t.Fatalf("slot %d of a new bucket is %x", i, e)
		}
	}
}
