package main

import "math"

// network is a straight-line program of sums, differences and products with constants, as a graph without duplicates.
// Nodes stand behind what they use. Signs are moved out of the nodes as far as they go, so that the conjugate half of a
// real signal's spectrum is found to be the half that is there.
type network struct {
	nodes []node
	known map[node]int
}

// step is what a node does.
type step uint8

const (
	input   step = iota // element a
	sum                 // a + b, a < b
	diff                // a − b, a < b
	product             // c·a, c > 0 and not 1
)

type node struct {
	step step
	a, b int
	c    float64
}

// variable is the first of constants that are known only when the codelet runs: number k is (k+1)·variable.
const variable = 1e30

// term is a node or its negative, or zero.
type term struct {
	id  int
	neg bool
}

// complexTerm is a pair of terms: real and imaginary part.
type complexTerm struct{ re, im term }

func nothing() term { return term{id: -1} }

func (t term) zero() bool { return t.id < 0 }

func (t term) minus() term { return term{t.id, !t.neg} }

func (z complexTerm) conj() complexTerm { return complexTerm{z.re, z.im.minus()} }

func newNetwork() *network { return &network{known: map[node]int{}} }

// node returns the node that does this.
func (g *network) node(n node) term {
	id, ok := g.known[n]
	if !ok {
		id = len(g.nodes)
		g.nodes, g.known[n] = append(g.nodes, n), id
	}
	return term{id: id}
}

func (g *network) input(i int) term { return g.node(node{step: input, a: i}) }

func (g *network) add(x, y term) term {
	switch {
	case x.zero():
		return y
	case y.zero():
		return x
	case x == y:
		return g.mul(2, x)
	case x.id == y.id:
		return nothing()
	case x.id > y.id:
		x, y = y, x
	}
	n := node{step: sum, a: x.id, b: y.id}
	if x.neg != y.neg {
		n.step = diff
	}
	t := g.node(n)
	t.neg = x.neg
	return t
}

func (g *network) sub(x, y term) term { return g.add(x, y.minus()) }

func (g *network) mul(c float64, x term) term {
	if c < 0 {
		c, x = -c, x.minus()
	}
	if c == 0 || x.zero() {
		return nothing()
	}
	if n := g.nodes[x.id]; n.step == product && c < variable {
		c, x.id = c*n.c, n.a
	}
	if c == 1 {
		return x
	}
	t := g.node(node{step: product, a: x.id, c: c})
	t.neg = x.neg
	return t
}

func (g *network) addC(x, y complexTerm) complexTerm {
	return complexTerm{g.add(x.re, y.re), g.add(x.im, y.im)}
}

func (g *network) subC(x, y complexTerm) complexTerm {
	return complexTerm{g.sub(x.re, y.re), g.sub(x.im, y.im)}
}

// turned is −i·x.
func turned(x complexTerm) complexTerm { return complexTerm{x.im, x.re.minus()} }

// twiddle is x·e^{−2πik/n}.
func (g *network) twiddle(x complexTerm, k, n int) complexTerm {
	c, s := turn(k, n)
	if c == s && !x.im.zero() { // c(1 − i): two products instead of four
		return complexTerm{g.mul(c, g.add(x.re, x.im)), g.mul(c, g.sub(x.im, x.re))}
	}
	if c == -s && !x.im.zero() { // the conjugate number
		return complexTerm{g.mul(c, g.sub(x.re, x.im)), g.mul(c, g.add(x.re, x.im))}
	}
	return complexTerm{
		g.add(g.mul(c, x.re), g.mul(s, x.im)),
		g.sub(g.mul(c, x.im), g.mul(s, x.re)),
	}
}

// turn is the cosine and the sine of 2πk/n.
func turn(k, n int) (cos, sin float64) {
	k = (k%n + n) % n
	return cosine(4*k, 4*n), cosine((4*k+3*n)%(4*n), 4*n)
}

// cosine is cos(2πi/n) for 0 ≤ i < n, computed in the first octant, so that roots of unity are exactly symmetric.
func cosine(i, n int) float64 {
	sign := 1.0
	if 2*i > n {
		i = n - i
	}
	if 4*i > n {
		i, sign = n-2*i, -1
	} else {
		i *= 2
	}
	switch { // the angle is now πi/n with 0 ≤ i ≤ n/2
	case 2*i == n:
		return 0
	case 4*i == n:
		return sign * math.Sqrt2 / 2
	case 4*i < n:
		return sign * math.Cos(math.Pi*float64(i)/float64(n))
	}
	return sign * math.Sin(math.Pi*float64(n-2*i)/float64(2*n))
}

// dft is the complex DFT of x.
func (g *network) dft(x []complexTerm) []complexTerm {
	n := len(x)
	switch p := primePower(n); {
	case n == 1:
		return x
	case n == 2:
		return []complexTerm{g.addC(x[0], x[1]), g.subC(x[0], x[1])}
	case p < n:
		return g.coprime(x, p, n/p)
	case n%2 == 0:
		return g.splitRadix(x)
	case leastFactor(n) == n:
		return g.prime(x)
	}
	return g.stages(x, leastFactor(n))
}

func leastFactor(n int) int {
	p := 2
	for n%p > 0 {
		p++
	}
	return p
}

// primePower is the power of the least prime factor of n in n.
func primePower(n int) int {
	if n == 1 {
		return 1
	}
	q, p := 1, leastFactor(n)
	for n%(q*p) == 0 {
		q *= p
	}
	return q
}

// coprime is the DFT of length pq for p and q without a common factor, by I.J. Good's renumbering: no twiddles.
func (g *network) coprime(x []complexTerm, p, q int) []complexTerm {
	n := p * q
	inner := make([][]complexTerm, p)
	for i := range p {
		part := make([]complexTerm, q)
		for j := range q {
			part[j] = x[(q*i+p*j)%n]
		}
		inner[i] = g.dft(part)
	}
	out := make([]complexTerm, n)
	for k := range q {
		part := make([]complexTerm, p)
		for i := range p {
			part[i] = inner[i][k]
		}
		for i, z := range g.dft(part) {
			for s := k; s < n; s += q {
				if s%p == i {
					out[s] = z
				}
			}
		}
	}
	return out
}

// splitRadix is the DFT of a power of two, 4 at least.
func (g *network) splitRadix(x []complexTerm) []complexTerm {
	n := len(x)
	var even, first, third []complexTerm
	for j := range x {
		switch {
		case j%2 == 0:
			even = append(even, x[j])
		case j%4 == 1:
			first = append(first, x[j])
		default:
			third = append(third, x[j])
		}
	}
	u, y, z := g.dft(even), g.dft(first), g.dft(third)
	out := make([]complexTerm, n)
	for k := range n / 4 {
		a, b := g.twiddle(y[k], k, n), g.twiddle(z[k], 3*k, n)
		s, d := g.addC(a, b), turned(g.subC(a, b))
		out[k], out[k+n/2] = g.addC(u[k], s), g.subC(u[k], s)
		out[k+n/4], out[k+3*n/4] = g.addC(u[k+n/4], d), g.subC(u[k+n/4], d)
	}
	return out
}

// stages is the DFT of length rm by m transforms of length r behind r of length m.
func (g *network) stages(x []complexTerm, r int) []complexTerm {
	n, m := len(x), len(x)/r
	inner := make([][]complexTerm, r)
	for q := range r {
		part := make([]complexTerm, m)
		for j := range m {
			part[j] = x[r*j+q]
		}
		inner[q] = g.dft(part)
	}
	out := make([]complexTerm, n)
	for k := range m {
		part := make([]complexTerm, r)
		for q := range r {
			part[q] = g.twiddle(inner[q][k], q*k, n)
		}
		for t, z := range g.dft(part) {
			out[k+m*t] = z
		}
	}
	return out
}

// prime is the DFT of an odd length from sums and differences of mirrored elements.
func (g *network) prime(x []complexTerm) []complexTerm {
	n := len(x)
	out := make([]complexTerm, n)
	out[0] = x[0]
	for j := 1; j <= n/2; j++ {
		out[0] = g.addC(out[0], g.addC(x[j], x[n-j]))
	}
	for k := 1; k <= n/2; k++ {
		u, w := x[0], complexTerm{nothing(), nothing()}
		for j := 1; j <= n/2; j++ {
			cos, sin := turn(j*k, n)
			s, d := g.addC(x[j], x[n-j]), g.subC(x[j], x[n-j])
			u = g.addC(u, complexTerm{g.mul(cos, s.re), g.mul(cos, s.im)})
			w = g.addC(w, complexTerm{g.mul(sin, d.re), g.mul(sin, d.im)})
		}
		out[k], out[n-k] = g.addC(u, turned(w)), g.subC(u, turned(w))
	}
	return out
}

// spectrum is the DFT of real terms, slices 0 … n/2.
func (g *network) spectrum(x []term) []complexTerm {
	n := len(x)
	z := make([]complexTerm, n)
	for i, t := range x {
		z[i] = complexTerm{t, nothing()}
	}
	y := g.dft(z)
	if n == 9 { // of a pair of conjugates, the one that shares its stage with others
		y[2] = y[7].conj()
	}
	return y[:n/2+1]
}

// realDFT gives the planes of the DFT of n inputs, in the order of package spectral.
func (g *network) realDFT(n int) []term {
	x := make([]term, n)
	for i := range x {
		x[i] = g.input(i)
	}
	y := g.spectrum(x)
	out := []term{y[0].re}
	if n%2 == 0 {
		out = append(out, y[n/2].re)
	}
	last := (n - 1) / 2
	for _, z := range y[1 : last+1] {
		out = append(out, z.re)
	}
	for _, z := range y[1 : last+1] {
		out = append(out, z.im)
	}
	return out
}

// cosines gives the orthonormal DCT-II of n inputs: y_k = s_k·Re(V_k e^{−iπk/2n}), V the DFT of the inputs in the order
// 0, 2, 4 … 5, 3, 1.
func (g *network) cosines(n int) []term {
	x := make([]term, n)
	for j := range n {
		at := j / 2
		if j%2 == 1 {
			at = n - 1 - j/2
		}
		x[at] = g.input(j)
	}
	v := g.spectrum(x)
	out := make([]term, n)
	out[0] = g.mul(math.Sqrt(1/float64(n)), v[0].re)
	s := math.Sqrt(2 / float64(n))
	for k := 1; k <= n/2; k++ {
		cos, sin := turn(k, 4*n)
		cos, sin = cos*s, sin*s
		out[k] = g.add(g.mul(cos, v[k].re), g.mul(sin, v[k].im))
		out[n-k] = out[k]
		if 2*k < n {
			out[n-k] = g.sub(g.mul(sin, v[k].re), g.mul(cos, v[k].im))
		}
	}
	return out
}

// haar gives the orthonormal Haar transform of n inputs: the mean, then differences from coarse to fine.
func (g *network) haar(n int) []term {
	x, out := make([]term, n), make([]term, n)
	for i := range x {
		x[i] = g.input(i)
	}
	for length := 2; length <= n; length *= 2 {
		half := n / length
		for i := range half {
			out[half+i] = g.mul(math.Sqrt(1/float64(length)), g.sub(x[2*i], x[2*i+1]))
			x[i] = g.add(x[2*i], x[2*i+1])
		}
	}
	out[0] = g.mul(math.Sqrt(1/float64(n)), x[0])
	return out
}

// transposed gives the network of the transposed matrix: every arrow is turned round.
func (g *network) transposed(outputs []term, inputs int) (*network, []term) {
	h := newNetwork()
	in := make([][]term, len(g.nodes))
	for i, t := range outputs {
		in[t.id] = append(in[t.id], h.signed(h.input(i), t.neg))
	}
	out := make([]term, inputs)
	for id := len(g.nodes) - 1; id >= 0; id-- {
		t := h.total(in[id])
		switch n := g.nodes[id]; n.step {
		case input:
			out[n.a] = t
		case product:
			in[n.a] = append(in[n.a], h.mul(n.c, t))
		default:
			in[n.a] = append(in[n.a], t)
			in[n.b] = append(in[n.b], h.signed(t, n.step == diff))
		}
	}
	return h, out
}

func (g *network) signed(t term, neg bool) term {
	if neg {
		return t.minus()
	}
	return t
}

// total is the sum of terms, pairwise.
func (g *network) total(t []term) term {
	switch len(t) {
	case 0:
		return nothing()
	case 1:
		return t[0]
	}
	return g.add(g.total(t[:len(t)/2]), g.total(t[len(t)/2:]))
}
