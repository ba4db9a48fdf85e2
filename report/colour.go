package report

// A colour is an SGR sequence (ECMA-48 §8.3.117) that starts a colour or weight;
// plain is none. The basic colours follow the terminal's own scheme, dark or light.
type colour string

const (
	plain   colour = ""
	bold    colour = "\x1b[1m"
	faint   colour = "\x1b[2m"
	red     colour = "\x1b[31m"
	yellow  colour = "\x1b[33m"
	boldRed colour = "\x1b[1;31m"
)

const endColour = "\x1b[0m"

// severityColours are the colours of Severity.
var severityColours = [...]colour{Note: plain, Warning: yellow, Problem: boldRed}
