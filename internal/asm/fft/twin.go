package fft

import "unsafe"

// The kernels in plain Go: those of the Go path, and what the others are compared with.
var (
	plain32 = twin[float32](8)
	plain64 = twin[float64](4)
)

// at is the pointer some bytes behind another.
func at[T any](p *T, bytes int) *T { return (*T)(unsafe.Add(unsafe.Pointer(p), bytes)) }

// twin returns the kernels in Go for vectors of some lanes.
func twin[T float32 | float64](lanes int) table[T] {
	t := table[T]{lanes: lanes}
	for _, r := range []int{2, 3, 4, 5, 7, 8} {
		w := dftOf[T](r)
		t.stage[r] = func(m, s int, x *T, stepx int, y *T, stepy int, roots *T) {
			w.run(lanes, m, s, x, stepx, y, stepy, unsafe.Slice(roots, m*(r-1)*2))
		}
		t.last[r] = func(m, s int, x *T, stepx int, y *T, stepy int, _ *T) {
			w.run(lanes, m, s, x, stepx, y, stepy, nil)
		}
	}
	row := func(p *T, bytes int) (re, im []T) {
		v := unsafe.Slice(at(p, bytes), 2*lanes)
		return v[:lanes:lanes], v[lanes:]
	}
	step := 2 * lanes * size[T]()
	t.split = func(n int, z, end, re, im *T, ldy int, w *T) {
		for k := range n {
			ar, ai := row(z, k*step)
			br, bi := row(end, -k*step)
			re1, re2 := row(re, k*ldy)
			im1, im2 := row(im, k*ldy)
			for i := range ar {
				re1[i], re2[i] = (ar[i]+br[i])**w, (ai[i]+bi[i])**w
				im1[i], im2[i] = (ai[i]-bi[i])**w, (br[i]-ar[i])**w
			}
		}
	}
	t.join = func(n int, z, end, re, im *T, ldx int, w *T) {
		for k := range n {
			ar, ai := row(z, k*step)
			br, bi := row(end, -k*step)
			u1, u2 := row(re, k*ldx)
			v1, v2 := row(im, k*ldx)
			for i := range ar {
				ar[i], ai[i] = (u1[i]+v2[i])**w, (u2[i]-v1[i])**w
				br[i], bi[i] = (u1[i]-v2[i])**w, (v1[i]+u2[i])**w
			}
		}
	}
	twinCosines(&t, row, step)
	t.modulate = func(n int, x *T, stepx int, y *T, stepy int, roots *T) {
		root := unsafe.Slice(roots, 2*n)
		for k := range n {
			xr, xi := row(x, k*stepx)
			yr, yi := row(y, k*stepy)
			c, s := root[2*k], root[2*k+1]
			for i := range xr {
				yr[i], yi[i] = xr[i]*c+xi[i]*s, xi[i]*c-xr[i]*s
			}
		}
	}
	return t
}

// twinCosines are the kernels of the DCT; row finds rows, which are step bytes long.
func twinCosines[T float32 | float64](t *table[T], row func(p *T, bytes int) (re, im []T), step int) {
	t.cosines = func(n int, z, end, y *T, ldy int, roots *T) {
		root := unsafe.Slice(roots, 2*n)
		for k := range n {
			ar, ai := row(z, k*step)
			br, bi := row(end, -k*step)
			y1, y2 := row(y, k*ldy)
			c, s := root[2*k], root[2*k+1]
			for i := range ar {
				y1[i] = (ar[i]+br[i])*c + (ai[i]-bi[i])*s
				y2[i] = (ai[i]+bi[i])*c + (br[i]-ar[i])*s
			}
		}
	}
	t.cosinesBack = func(n int, end, x, mirror *T, ldx int, roots *T) {
		root := unsafe.Slice(roots, 2*n)
		for k := range n {
			re, im := row(end, -k*step)
			u1, u2 := row(x, k*ldx)
			v1, v2 := row(mirror, -k*ldx)
			c, s := root[2*k], root[2*k+1]
			for i := range re {
				re[i] = (u1[i]+v2[i])*c + (v1[i]-u2[i])*s
				im[i] = (u1[i]+v2[i])*s - (v1[i]-u2[i])*c
			}
		}
	}
}

// dft is a complex DFT of r ≤ maxRadix numbers.
type dft[T float32 | float64] struct {
	r        int
	cos, sin [maxRadix]T
}

func dftOf[T float32 | float64](r int) *dft[T] {
	d := &dft[T]{r: r}
	for j := range r {
		d.cos[j], d.sin[j] = turn[T](j, r)
	}
	return d
}

// run is a stage.
func (d *dft[T]) run(lanes, m, s int, x *T, stepx int, y *T, stepy int, roots []T) {
	var xr, xi, yr, yi [maxRadix]T
	r, elem := d.r, size[T]()
	for p := range m {
		for q := range s {
			for lane := range lanes {
				for i := range r {
					v := at(x, ((p+i*m)*s+q)*stepx+lane*elem)
					xr[i], xi[i] = *v, *at(v, lanes*elem)
				}
				d.transform(&xr, &xi, &yr, &yi)
				for k := range r {
					u, v := yr[k], yi[k]
					if k > 0 && roots != nil {
						c, n := roots[2*(p*(r-1)+k-1)], roots[2*(p*(r-1)+k-1)+1]
						u, v = u*c+v*n, v*c-u*n
					}
					to := at(y, ((r*p+k)*s+q)*stepy+lane*elem)
					*to, *at(to, lanes*elem) = u, v
				}
			}
		}
	}
}

// transform is the DFT, of 2 and 4 numbers by butterflies, of others from sums and differences of mirrored numbers.
func (d *dft[T]) transform(xr, xi, yr, yi *[maxRadix]T) {
	switch d.r {
	case 2:
		yr[0], yi[0], yr[1], yi[1] = xr[0]+xr[1], xi[0]+xi[1], xr[0]-xr[1], xi[0]-xi[1]
		return
	case 4:
		er, ei, fr, fi := xr[0]+xr[2], xi[0]+xi[2], xr[0]-xr[2], xi[0]-xi[2]
		gr, gi, hr, hi := xr[1]+xr[3], xi[1]+xi[3], xr[1]-xr[3], xi[1]-xi[3]
		yr[0], yi[0], yr[2], yi[2] = er+gr, ei+gi, er-gr, ei-gi
		yr[1], yi[1], yr[3], yi[3] = fr+hi, fi-hr, fr-hi, fi+hr
		return
	}
	r := d.r
	for k := 0; 2*k <= r; k++ {
		ur, ui, vr, vi := xr[0], xi[0], T(0), T(0)
		if r%2 == 0 { // the middle one has no mirror
			sign := T(1 - 2*(k%2))
			ur, ui = ur+sign*xr[r/2], ui+sign*xi[r/2]
		}
		for j := 1; 2*j < r; j++ {
			c, s := d.cos[j*k%r], d.sin[j*k%r]
			ur, ui = ur+c*(xr[j]+xr[r-j]), ui+c*(xi[j]+xi[r-j])
			vr, vi = vr+s*(xi[j]-xi[r-j]), vi-s*(xr[j]-xr[r-j])
		}
		yr[k], yi[k] = ur+vr, ui+vi
		if k > 0 {
			yr[r-k], yi[r-k] = ur-vr, ui-vi
		}
	}
}
