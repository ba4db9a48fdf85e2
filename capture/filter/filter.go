// Package filter is the language of pcap-filter(7): "tcp port 443 and not host
// 10.0.0.1" becomes a syntax tree (Parse), and the tree a program of classic BPF for
// a link type (Compile), which the kernel runs on a socket and Match runs on the
// frames of a file.
//
// What is accepted and what matches is libpcap's, with its real tcpdump as the judge
// (testdata/filters.tsv has the comparison and says where and why we differ). Names
// of hosts and networks are an error: nothing here asks a name server.
package filter

// Limits of a filter's text. The kernel takes no program above maxProgram either.
const (
	maxText    = 64 << 10 // bytes
	maxNesting = 200      // parentheses, "not" and "-" around one another
	maxProgram = 4096     // instructions
)

// A Filter is a parsed expression. It is immutable.
type Filter struct {
	text string
	root node // nil matches everything
}

// Parse reads an expression. The empty one matches every frame. An error is an
// *Error, which knows the place.
func Parse(text string) (*Filter, error) {
	if len(text) > maxText {
		return nil, &Error{Message: "the filter is longer than 65536 bytes"}
	}
	p := parser{text: text}
	root := p.filter()
	if p.err != nil {
		return nil, p.err
	}
	return &Filter{text, root}, nil
}

// String is the expression in one canonical form: every qualifier written out, no
// parentheses that change nothing. Parsing it again gives the same Filter.
func (f *Filter) String() string {
	if f.root == nil {
		return ""
	}
	return f.root.String()
}
