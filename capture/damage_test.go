package capture

import "testing"

func TestDamageString(t *testing.T) {
	tests := map[string]Damage{
		"record 2, offset 102: data cut short (have 57 of 62 bytes); 1 record kept": {
			Unit: "record", Record: 2, Offset: 102, What: "data cut short (have 57 of 62 bytes)", Kept: 1},
		"record 2, offset 102: captured length 4294967295 exceeds 262144; reading stopped, 1 record kept": {
			Unit: "record", Record: 2, Offset: 102, What: "captured length 4294967295 exceeds 262144", Kept: 1, Stopped: true},
		"block 3, offset 48: packet length 4294967295 exceeds block length 96; 0 records kept": {
			Unit: "block", Record: 3, Offset: 48, What: "packet length 4294967295 exceeds block length 96"},
		"gzip data cut short at compressed offset 77; 12 records kept": {
			Offset: -1, What: "gzip data cut short at compressed offset 77", Kept: 12},
		"offset 0: file header cut short (have 23, need 24)": {
			Offset: 0, What: "file header cut short (have 23, need 24)", Unread: true},
		"no such file or directory": {Offset: -1, What: "no such file or directory", Unread: true, Stopped: true},
	}
	for want, d := range tests {
		if got := d.String(); got != want {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
}
