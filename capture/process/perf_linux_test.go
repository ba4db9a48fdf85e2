package process

import (
	"errors"
	"testing"
)

const formatExample = `name: inet_sock_set_state
ID: 2287
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
	field:const void * skaddr;	offset:8;	size:8;	signed:0;
	field:__u8 saddr[4];	offset:32;	size:4;	signed:0;

print fmt: "..."
`

func TestParseTracepoint(t *testing.T) {
	tests := []struct {
		name, format string
		fields       map[string]int
		err          error
	}{
		{"as Linux writes it", formatExample, map[string]int{"skaddr": 8, "saddr": 4}, nil},
		{"a field of another size", formatExample, map[string]int{"skaddr": 4}, errFormat},
		{"a field is missing", formatExample, map[string]int{"daddr": 4}, errFormat},
		{"no number", "\tfield:int a;\toffset:8;\tsize:4;\tsigned:1;\n", map[string]int{"a": 4}, errFormat},
		{"no offset", "ID: 1\n\tfield:int a;\toffset:x;\tsize:4;\tsigned:1;\n", map[string]int{"a": 4}, errFormat},
		{"empty", "", map[string]int{"a": 4}, errFormat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseTracepoint(tt.format, tt.fields)
			if !errors.Is(err, tt.err) {
				t.Fatal(err)
			}
			if err == nil && (got.id != 2287 || got.offsets["skaddr"] != 8 || got.offsets["saddr"] != 32) {
				t.Errorf("%+v", got)
			}
		})
	}
}
