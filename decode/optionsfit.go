package decode

// OptionsFit reports whether no TCP option's length leaves b (see TCPOptions.Parse). Most
// stacks align the options of a SYN to words of four bytes, and choose from few: these
// words are passed at once.
func OptionsFit(b []byte) bool {
	for len(b) >= 4 {
		switch w := be32(b); {
		case w>>16 == wordMSS, w>>8 == wordWindowScale, w == wordSACKPermitted:
			b = b[4:]
		case (w == wordSACKAndTimestamps || w == nopNopTimestamps) && len(b) >= 12:
			b = b[12:]
		default:
			return anyOptionsFit(b)
		}
	}
	return anyOptionsFit(b)
}

// What usual words of options begin with, or are.
const (
	wordMSS               = kindMSS<<8 | 4                       // the size follows
	wordWindowScale       = kindNOP<<16 | kindWindowScale<<8 | 3 // the shift follows
	wordSACKPermitted     = kindNOP<<24 | kindNOP<<16 | kindSACKPermitted<<8 | 2
	wordSACKAndTimestamps = kindSACKPermitted<<24 | 2<<16 | kindTimestamps<<8 | 10 // two times follow
)

// anyOptionsFit is OptionsFit option by option.
func anyOptionsFit(b []byte) bool {
	for len(b) > 0 && b[0] != kindEnd {
		switch {
		case b[0] == kindNOP:
			b = b[1:]
		case len(b) < 2 || b[1] < 2 || int(b[1]) > len(b):
			return false
		default:
			b = b[b[1]:]
		}
	}
	return true
}
