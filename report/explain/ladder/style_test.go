package ladder

import (
	"math"
	"regexp"
	"strconv"
	"testing"
)

// luminance is the relative luminance of a colour #rrggbb (WCAG 2.2).
func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(colour[1:], 16, 32)
	if err != nil {
		t.Fatal(err)
	}
	linear := func(c uint64) float64 {
		v := float64(c&0xff) / 255
		if v <= 0.04045 {
			return v / 12.92
		}
		return math.Pow((v+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(n>>16) + 0.7152*linear(n>>8) + 0.0722*linear(n)
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func TestTextAndLinesStandOutInLightAndDarkAndPrint(t *testing.T) {
	schemes := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(drawingStyle, -1)
	if len(schemes) != 3 {
		t.Fatalf("%d colour schemes, want light, dark and print", len(schemes))
	}
	for i, name := range []string{"light", "dark", "print"} {
		colours := map[string]string{"band": "#f2f2f2"}
		for _, m := range regexp.MustCompile(`--([\w-]+): (#[0-9a-f]{3,6});`).FindAllStringSubmatch(schemes[i][1], -1) {
			if hex := m[2]; len(hex) == 4 {
				m[2] = "#" + hex[1:2] + hex[1:2] + hex[2:3] + hex[2:3] + hex[3:] + hex[3:]
			}
			colours[m[1]] = m[2]
		}
		for _, text := range []string{"ink", "quiet", "link", "opens", "data", "again", "reset", "full", "odd", "closes", "error", "time-wait", "open"} {
			for _, ground := range []string{"page", "band"} {
				if c := contrast(t, colours[text], colours[ground]); c < 4.5 && (ground == "page" || text != "time-wait" && text != "open") {
					t.Errorf("%s: contrast of %s on %s is %.2f, want 4.5", name, text, ground, c)
				}
			}
		}
		for _, bar := range []string{"closed", "listen", "opening", "open", "closing", "time-wait"} {
			if c := contrast(t, colours[bar], colours["page"]); c < 3 {
				t.Errorf("%s: contrast of the lifeline %s is %.2f, want 3", name, bar, c)
			}
		}
	}
}
