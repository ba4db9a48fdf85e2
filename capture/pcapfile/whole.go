package pcapfile

import "encoding/binary"

// Whole is how many bytes of data are whole records, and how many frames they have, when
// data is the beginning of what was encoded since a file began, or since any record did.
// Any goroutine may ask.
func (e *Encoder) Whole(data []byte, begins bool) (bytes, frames int) {
	if e.cfg.PCAP {
		if begins {
			if len(data) < pcapHeader {
				return 0, 0
			}
			bytes = pcapHeader
		}
		for len(data)-bytes >= pcapRecord {
			end := bytes + pcapRecord + int(binary.LittleEndian.Uint32(data[bytes+8:]))
			if end > len(data) {
				break
			}
			bytes, frames = end, frames+1
		}
		return bytes, frames
	}
	for len(data)-bytes >= nextBlockHeader {
		kind := binary.LittleEndian.Uint32(data[bytes:])
		end := bytes + int(binary.LittleEndian.Uint32(data[bytes+4:]))
		if end > len(data) {
			break
		}
		bytes = end
		if kind == blockEnhancedPacket {
			frames++
		}
	}
	return bytes, frames
}
