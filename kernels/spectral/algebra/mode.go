package algebra

import (
	"fmt"
	"math"
	"math/cmplx"

	"ganglion/internal/philox"
)

// Mode is the transform along one axis of a tube: an invertible matrix M.
type Mode struct {
	name    string
	c       int
	m, back []complex128 // M and M⁻¹ [c, c]
	// mirror is the slice that is the conjugate of a slice for real tensors.
	mirror func(k int) int
	// energy is ‖Mx‖²/‖x‖², for multiples of unitary matrices; NaN for others.
	energy float64
}

// Len is the length of the axis.
func (m Mode) Len() int { return m.c }

// String is the transform's name and length.
func (m Mode) String() string { return fmt.Sprintf("%s(%d)", m.name, m.c) }

// DFT is the unnormalised Fourier transform, F_kq = e^{−2πikq/c}; c ≥ 1.
func DFT(c int) Mode {
	m := Mode{name: "dft", c: c, mirror: func(k int) int { return (c - k) % c }, energy: float64(c)}
	for k := range c {
		for q := range c {
			m.m = append(m.m, root(k*q%c, c))
			m.back = append(m.back, cmplx.Conj(root(k*q%c, c))/complex(float64(c), 0))
		}
	}
	return m
}

// root is e^{−2πik/c}, exactly real or imaginary at the axes, and symmetric.
func root(k, c int) complex128 {
	switch {
	case 2*k > c:
		return cmplx.Conj(root(c-k, c))
	case 4*k == c:
		return -1i
	case 2*k == c:
		return -1
	}
	s, cos := math.Sincos(2 * math.Pi * float64(k) / float64(c))
	return complex(cos, -s)
}

// orthonormal is a real transform whose inverse is its transpose.
func orthonormal(name string, c int, at func(k, q int) float64) Mode {
	m := Mode{name: name, c: c, mirror: func(k int) int { return k }, energy: 1, m: make([]complex128, c*c),
		back: make([]complex128, c*c)}
	for k := range c {
		for q := range c {
			v := complex(at(k, q), 0)
			m.m[k*c+q], m.back[q*c+k] = v, v
		}
	}
	return m
}

// DCT is the orthonormal DCT-II.
func DCT(c int) Mode {
	return orthonormal("dct", c, func(k, q int) float64 {
		if k == 0 {
			return math.Sqrt(1 / float64(c))
		}
		return math.Sqrt(2/float64(c)) * real(root((2*q+1)*k%(4*c), 4*c))
	})
}

// Identity leaves slices as they are: they do not mix.
func Identity(c int) Mode {
	return orthonormal("id", c, func(k, q int) float64 {
		if k == q {
			return 1
		}
		return 0
	})
}

// Haar is the orthonormal Haar transform, the mean first, then from coarse to fine; c must be a power of two.
func Haar(c int) (Mode, error) {
	if c < 1 || c&(c-1) != 0 {
		return Mode{}, fmt.Errorf("algebra: a Haar transform of length %d, want a power of two", c)
	}
	return orthonormal("haar", c, func(k, q int) float64 {
		if k == 0 {
			return math.Sqrt(1 / float64(c))
		}
		length := c
		for rows := 1; 2*rows <= k; rows *= 2 {
			length /= 2
		}
		from := (k - c/length) * length
		switch {
		case q < from || q >= from+length:
			return 0
		case q < from+length/2:
			return math.Sqrt(1 / float64(length))
		}
		return -math.Sqrt(1 / float64(length))
	}), nil
}

// Orthogonal is a random orthogonal transform: the factor Q of a matrix of normal numbers, with a positive diagonal of
// R, which makes it uniform.
func Orthogonal(c int, seed uint64) Mode {
	s := philox.New(seed, 0x7461, 0)
	g := newMatrix(c, c)
	for i := range g.a {
		u, v := (float64(s.Uint32())+0.5)/(1<<32), float64(s.Uint32())/(1<<32)
		g.a[i] = complex(math.Sqrt(-2*math.Log(u))*math.Cos(2*math.Pi*v), 0)
	}
	q, _ := qr(g)
	return orthonormal("orth", c, func(k, j int) float64 { return real(q.at(k, j)) })
}

// Data is the transform to the principal components of tubes: its rows are the left singular vectors of the unfolding
// of a along its tubes, which have one axis. It is what a training set suggests.
func Data(a Tensor) (Mode, error) {
	if err := a.valid(); err != nil {
		return Mode{}, err
	}
	if len(a.Tube) != 1 {
		return Mode{}, fmt.Errorf("algebra: a transform from data with tubes of %d axes, want 1", len(a.Tube))
	}
	c, n := a.Tube[0], a.Rows*a.Cols
	gram := newMatrix(c, c)
	for k := range c {
		for q := range c {
			sum := 0.0
			for i := range n {
				sum += a.Data[k*n+i] * a.Data[q*n+i]
			}
			gram.a[k*c+q] = complex(sum, 0)
		}
	}
	u, _, _ := svd(gram)
	return orthonormal("data", c, func(k, q int) float64 { return real(u.at(q, k)) }), nil
}

// Matrix is a transform by any invertible real matrix m [c, c], row-major.
func Matrix(c int, m []float64) (Mode, error) {
	if len(m) != c*c {
		return Mode{}, fmt.Errorf("algebra: a matrix of %d elements for tubes of length %d", len(m), c)
	}
	x, one := newMatrix(c, c), newMatrix(c, c)
	for i, v := range m {
		x.a[i] = complex(v, 0)
	}
	for i := range c {
		one.a[i*c+i] = 1
	}
	inverse, err := solve(x, one)
	if err != nil {
		return Mode{}, fmt.Errorf("algebra: the matrix of a transform: %w", err)
	}
	out := Mode{
		name:   "matrix",
		c:      c,
		m:      x.a,
		back:   inverse.a,
		mirror: func(k int) int { return k },
		energy: energyOf(x),
	}
	return out, nil
}

// energyOf is a if MᵀM = a·I within rounding, and NaN if not.
func energyOf(x matrix) float64 {
	g := mul(x.adjoint(), x)
	if g.rows == 0 {
		return 1
	}
	a := real(g.a[0])
	for i, v := range g.a {
		want := 0.0
		if i%(g.rows+1) == 0 {
			want = a
		}
		if cmplx.Abs(v-complex(want, 0)) > 1e-12*math.Abs(a) {
			return math.NaN()
		}
	}
	return a
}

// Matrix is the real part of the transform's matrix [c, c], row-major: all of it for real transforms.
func (m Mode) Matrix() []float64 {
	out := make([]float64, len(m.m))
	for i, v := range m.m {
		out[i] = real(v)
	}
	return out
}
