package report

import "testing"

func TestPortSet(t *testing.T) {
	var s portSet
	if s.count() != 0 {
		t.Fatalf("%d ports in the empty set", s.count())
	}
	for i := range 65536 {
		s.add(uint16(i * 7))
		s.add(uint16(i * 7))
		if s.count() != i+1 {
			t.Fatalf("%d ports counted after %d", s.count(), i+1)
		}
	}
}

func TestPortSetWithin(t *testing.T) {
	for name, c := range map[string]struct {
		ports []uint16
		want  bool
	}{
		"no port":           {nil, false},
		"one port inside":   {[]uint16{10}, true},
		"one port outside":  {[]uint16{9}, false},
		"the bounds":        {[]uint16{20, 10, 15}, true},
		"one below":         {[]uint16{20, 10, 9}, false},
		"one above":         {[]uint16{10, 21}, false},
		"the same port two": {[]uint16{11, 11}, true},
	} {
		t.Run(name, func(t *testing.T) {
			var s portSet
			for _, p := range c.ports {
				s.add(p)
			}
			if got := s.within(10, 20); got != c.want {
				t.Errorf("within = %v", got)
			}
		})
	}
}
