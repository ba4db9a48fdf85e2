package decode

import "testing"

func TestErrorWords(t *testing.T) {
	seen := map[string]Error{}
	for e := range NumErrors {
		word := e.String()
		if other, ok := seen[word]; ok || word == "" {
			t.Errorf("Error %d is %q, like %d", e, word, other)
		}
		seen[word] = e
	}
	if got := Error(255).String(); got != "unknown" {
		t.Errorf("Error 255 is %q", got)
	}
}

func TestTunnelKindWords(t *testing.T) {
	seen := map[string]bool{}
	for k := IPIP; k < NumTunnelKinds; k++ {
		word := k.String()
		if seen[word] || word == "" {
			t.Errorf("kind %d is %q", k, word)
		}
		seen[word] = true
	}
	if got := NumTunnelKinds.String(); got != "" {
		t.Errorf("no kind is %q", got)
	}
}
