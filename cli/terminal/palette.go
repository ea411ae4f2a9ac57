package terminal

import "io"

// Style is a set of SGR attributes (ECMA-48, 8.3.117).
type Style string

const (
	Plain  Style = ""
	Bold   Style = "1"
	Dim    Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Purple Style = "35"
	Cyan   Style = "36"
)

// Palette paints text, or leaves it alone where there is no colour.
type Palette bool

// PaletteOf is the palette of whoever reads w.
func PaletteOf(w io.Writer) Palette { return Palette(Coloured(w)) }

// Paint gives text a style.
func (p Palette) Paint(s Style, text string) string {
	if !p || s == Plain {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// Boldly begins text in bold; the style that it is painted with ends it.
func (p Palette) Boldly(text string) string {
	if !p {
		return text
	}
	return "\x1b[1m" + text
}
