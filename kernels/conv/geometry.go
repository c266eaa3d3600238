package conv

import "ganglion/kernels"

// maxDims is the largest number of extents of a signal.
const maxDims = 3

// geometry is a convolution in numbers. Extents are those of a volume: missing ones, in front, are 1.
type geometry struct {
	batch, groups    int
	in, out          int // channels of x and of y in one group
	x, k, y          [maxDims]int
	stride, pad, dil [maxDims]int
}

// geometry returns the numbers for x [batch, channels, extents…] and w [out, channels/groups, extents…].
func (o Conv) geometry(x, w []int) geometry {
	g := geometry{batch: x[0], groups: max(1, int(o.Groups)), in: w[1]}
	g.out = w[0] / g.groups
	for a := range maxDims {
		g.x[a], g.k[a], g.y[a], g.stride[a], g.dil[a] = 1, 1, 1, 1, 1
	}
	for i := range o.Dims {
		a := maxDims - o.Dims + i
		g.x[a], g.k[a] = x[2+i], w[2+i]
		g.stride[a], g.dil[a] = max(1, int(o.Stride[i])), max(1, int(o.Dilation[i]))
		g.pad[a] = int(o.Pad[i])
		room := g.x[a] + 2*g.pad[a] + int(o.Extra[i]) - g.dil[a]*(g.k[a]-1) - 1
		if g.y[a] = 0; room >= 0 {
			g.y[a] = room/g.stride[a] + 1
		}
	}
	return g
}

// taps is the number of elements of a kernel for one channel.
func (g *geometry) taps() int { return g.k[0] * g.k[1] * g.k[2] }

// depth is the number of products in an element of y.
func (g *geometry) depth() int { return g.in * g.taps() }

// plane is the number of positions of x.
func (g *geometry) plane() int { return g.x[0] * g.x[1] * g.x[2] }

// area is the number of positions of y.
func (g *geometry) area() int { return g.y[0] * g.y[1] * g.y[2] }

// flops counts a multiplication and an addition for every product.
func (g *geometry) flops() float64 {
	return 2 * float64(g.batch) * float64(g.groups*g.out) * float64(g.area()) * float64(g.depth())
}

// pointwise reports whether y's position p reads x's position p and nothing else.
func (g *geometry) pointwise() bool {
	return g.taps() == 1 && g.stride == [maxDims]int{1, 1, 1} && g.x == g.y && g.pad == [maxDims]int{}
}

// shallow reports whether a matrix product would be too thin: one channel in, few out.
func (g *geometry) shallow() bool { return g.in == 1 && g.out <= 4 }

// tap is a position in the kernel.
type tap [maxDims]int

// tapOf returns the position of element i of a kernel.
func (g *geometry) tapOf(i int) tap {
	return tap{i / (g.k[1] * g.k[2]), i / g.k[2] % g.k[1], i % g.k[2]}
}

// next is the position behind t.
func (g *geometry) next(t tap) tap {
	for a := maxDims - 1; a >= 0; a-- {
		if t[a]++; t[a] < g.k[a] {
			break
		}
		t[a] = 0
	}
	return t
}

// shift is the offset along axis a with which tap t reads x: position o of y meets position o·stride + shift of x.
func (g *geometry) shift(a int, t tap) int { return t[a]*g.dil[a] - g.pad[a] }

// valid returns the range of positions of y along axis a that meet a position inside of x.
func (g *geometry) valid(a int, t tap) (lo, hi int) {
	s, shift := g.stride[a], g.shift(a, t)
	if shift < 0 {
		lo = (s - 1 - shift) / s
	}
	if last := g.x[a] - 1 - shift; last >= 0 {
		hi = min(g.y[a], last/s+1)
	}
	return min(lo, hi), hi
}

// each calls f with the places in x, w and y of every product of the convolution: the specification of all three ops.
func (g *geometry) each(f func(x, w, y int)) {
	taps, plane, area := g.taps(), g.plane(), g.area()
	all := g.groups * g.out
	for p := range area {
		t := tap{}
		for i := range taps {
			q, ok := g.meets(p, t)
			t = g.next(t)
			if !ok {
				continue
			}
			for n := range g.batch {
				for o := range all {
					for c := range g.in {
						channel := (n*g.groups+o/g.out)*g.in + c
						f(channel*plane+q, (o*g.in+c)*taps+i, (n*all+o)*area+p)
					}
				}
			}
		}
	}
}

// meets returns the position of x that tap t reads for position p of y, and whether it lies inside.
func (g *geometry) meets(p int, t tap) (int, bool) {
	at := [maxDims]int{p / (g.y[1] * g.y[2]), p / g.y[2] % g.y[1], p % g.y[2]}
	q := 0
	for a, o := range at {
		i := o*g.stride[a] + g.shift(a, t)
		if i < 0 || i >= g.x[a] {
			return 0, false
		}
		q = q*g.x[a] + i
	}
	return q, true
}

// check refuses attributes and shapes that make no convolution; x and w are specs among in.
func (o Conv) check(op kernels.Op, in []kernels.Spec, x, w kernels.Spec) error {
	bad := func(format string, args ...any) error {
		return kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if o.Dims < 1 || o.Dims > maxDims {
		return bad("Dims is %d, wants 1, 2 or 3", o.Dims)
	}
	if o.Groups < 0 {
		return bad("Groups is %d, wants 0 (for 1) or more", o.Groups)
	}
	if x.Rank() != o.Dims+2 || w.Rank() != o.Dims+2 {
		return bad("signals and kernels must have %d dimensions, have %d and %d", o.Dims+2, x.Rank(), w.Rank())
	}
	groups := max(1, int(o.Groups))
	if w.Shape[0]%groups != 0 {
		return bad("%d channels of the output are not divided by %d groups", w.Shape[0], groups)
	}
	if want := w.Shape[1] * groups; x.Shape[1] != want {
		return bad("the kernel is for %d channels, the signal has %d", want, x.Shape[1])
	}
	for i := range o.Dims {
		if err := o.checkAxis(op, in, i, x.Shape[2+i], w.Shape[2+i]); err != nil {
			return err
		}
	}
	return nil
}

// checkAxis is check for axis i with the extents n of the signal and k of the kernel.
func (o Conv) checkAxis(op kernels.Op, in []kernels.Spec, i, n, k int) error {
	bad := func(format string, args ...any) error {
		return kernels.Errorf(op, in, kernels.ErrShape, format, args...)
	}
	if o.Stride[i] < 0 || o.Dilation[i] < 0 || o.Pad[i] < 0 || o.Pad[i]+o.Extra[i] < 0 {
		return bad("axis %d: stride %d, dilation %d, padding %d before and %d behind: none may be negative",
			i, o.Stride[i], o.Dilation[i], o.Pad[i], o.Pad[i]+o.Extra[i])
	}
	span := max(1, int(o.Dilation[i]))*(k-1) + 1
	padded := n + 2*int(o.Pad[i]) + int(o.Extra[i])
	if k < 1 || span > padded {
		return bad("axis %d: a kernel of %d, spread over %d, does not fit in %d with padding", i, k, span, padded)
	}
	return nil
}
