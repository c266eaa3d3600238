package draw

import (
	"bytes"
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strings"
	"unicode"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// perPoint is the number of pixels of a point in PNG files: positions that are multiples of 1/perPoint are sharp.
const perPoint = 2

// page is a white sheet measured in points (1/72 inch) from its top left corner.
type page struct {
	canvas vg.Canvas
	file   io.WriterTo
	fonts  *font.Cache
	w, h   float64
	format Format
}

// point is a position on the page.
type point struct{ x, y float64 }

// align says which part of a text lies at its position.
type align float64

const (
	left   align = 0
	centre align = 0.5
	right  align = 1
)

// style is the look of a text.
type style struct {
	size float64
	bold bool
	ink  color.Color
}

// The inks: one accent on greys.
func ink() color.Color    { return color.NRGBA{0x22, 0x26, 0x2b, 0xff} }
func quiet() color.Color  { return color.NRGBA{0x6b, 0x72, 0x7a, 0xff} }
func faint() color.Color  { return color.NRGBA{0xd5, 0xd9, 0xdd, 0xff} }
func accent() color.Color { return color.NRGBA{0x1f, 0x5f, 0x8b, 0xff} }
func tint() color.Color   { return color.NRGBA{0xe6, 0xee, 0xf4, 0xff} }

func newPage(w, h float64, f Format) (*page, error) {
	p := &page{w: w, h: h, format: f, fonts: font.NewCache(liberation.Collection())}
	size := vgimg.UseWH(vg.Length(w), vg.Length(h))
	switch f {
	case PNG:
		c := vgimg.NewWith(size, vgimg.UseDPI(72*perPoint))
		p.canvas, p.file = c, vgimg.PngCanvas{Canvas: c}
	case SVG:
		c := vgsvg.New(vg.Length(w), vg.Length(h))
		p.canvas, p.file = c, c
		p.rect(0, 0, w, h, color.White)
	default:
		return nil, fmt.Errorf("draw: unknown picture format %q: want png or svg", f)
	}
	return p, nil
}

// write puts the page into w. Where the fonts of the picture are not installed, an SVG names others of the same widths.
func (p *page) write(w io.Writer) error {
	if p.format == SVG {
		w = &families{to: w}
	}
	if _, err := p.file.WriteTo(w); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	if f, ok := w.(*families); ok {
		if _, err := f.to.Write(f.rest); err != nil {
			return fmt.Errorf("draw: %w", err)
		}
	}
	return nil
}

// families passes an SVG on, with the other fonts after ours.
type families struct {
	to   io.Writer
	rest []byte // what may be the beginning of a name
}

// Write keeps back what is shorter than a name at the end.
func (f *families) Write(b []byte) (int, error) {
	const ours, all = "font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"
	text := slices.Concat(f.rest, b)
	f.rest = nil
	for {
		at := bytes.Index(text, []byte(ours))
		if at < 0 {
			break
		}
		if _, err := f.to.Write(text[:at]); err != nil {
			return 0, err
		}
		if _, err := io.WriteString(f.to, all); err != nil {
			return 0, err
		}
		text = text[at+len(ours):]
	}
	keep := min(len(text), len(ours)-1)
	f.rest = text[len(text)-keep:]
	_, err := f.to.Write(text[:len(text)-keep])
	return len(b), err
}

func (p *page) at(q point) vg.Point { return vg.Point{X: vg.Length(q.x), Y: vg.Length(p.h - q.y)} }

// polygon appends a closed outline to a path.
func (p *page) polygon(path vg.Path, corners ...point) vg.Path {
	for i, q := range corners {
		if i == 0 {
			path.Move(p.at(q))
		} else {
			path.Line(p.at(q))
		}
	}
	path.Close()
	return path
}

// box appends a rectangle to a path.
func (p *page) box(path vg.Path, x, y, w, h float64) vg.Path {
	return p.polygon(path, point{x, y}, point{x + w, y}, point{x + w, y + h}, point{x, y + h})
}

func (p *page) fill(path vg.Path, c color.Color) {
	if len(path) > 0 {
		p.canvas.SetColor(c)
		p.canvas.Fill(path)
	}
}

func (p *page) stroke(path vg.Path, width float64, c color.Color) {
	if len(path) > 0 {
		p.canvas.SetColor(c)
		p.canvas.SetLineWidth(vg.Length(width))
		p.canvas.Stroke(path)
	}
}

func (p *page) rect(x, y, w, h float64, c color.Color) { p.fill(p.box(nil, x, y, w, h), c) }

// frame strokes a rectangle along the inside of its edges.
func (p *page) frame(x, y, w, h, width float64, c color.Color) {
	d := width / 2
	p.stroke(p.box(nil, x+d, y+d, w-width, h-width), width, c)
}

// pill fills and outlines a disc of radius r stretched by length l to the right and left of its centre.
func (p *page) pill(q point, r, l float64, body, edge color.Color, width float64) {
	var path vg.Path
	path.Move(p.at(point{q.x + l, q.y + r}))
	path.Arc(p.at(point{q.x + l, q.y}), vg.Length(r), -math.Pi/2, math.Pi)
	path.Line(p.at(point{q.x - l, q.y - r}))
	path.Arc(p.at(point{q.x - l, q.y}), vg.Length(r), math.Pi/2, math.Pi)
	path.Close()
	p.fill(path, body)
	p.stroke(path, width, edge)
}

func (p *page) face(s style) font.Face {
	weight := xfont.WeightNormal
	if s.bold {
		weight = xfont.WeightBold
	}
	return p.fonts.Lookup(font.Font{Typeface: "Liberation", Variant: "Sans", Weight: weight}, vg.Length(s.size))
}

// width is the length of a text in points.
func (p *page) width(text string, s style) float64 {
	f := p.face(s)
	return float64(f.Width(text))
}

// text writes one line with its baseline at q.
func (p *page) text(q point, text string, s style, a align) {
	if text = printable(text); text == "" {
		return
	}
	f := p.face(s)
	q.x -= float64(a) * float64(f.Width(text))
	p.canvas.SetColor(s.ink)
	p.canvas.FillString(f, p.at(q), text)
}

// fit cuts a text to the given length in points.
func (p *page) fit(text string, s style, length float64) string {
	text = printable(text)
	if p.width(text, s) <= length {
		return text
	}
	r := []rune(text)
	for len(r) > 0 && p.width(string(r)+"…", s) > length {
		r = r[:len(r)-1]
	}
	return strings.TrimSpace(string(r)) + "…"
}

// printable drops what no line of text, and no XML, can hold.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text)
}
