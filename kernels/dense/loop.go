package dense

import (
	"ganglion/internal/asm/vec"
	"ganglion/internal/cpu"
	"ganglion/kernels"
)

// binaryRun is z = x ∘ y for a run of elements; an operand of length 1 is repeated.
func binaryRun[T kernels.Float](path cpu.Path, k Kind, z, x, y []T) {
	switch {
	case len(x) == len(z) && len(y) == len(z):
		binaryVV(path, k, z, x, y)
	case len(y) == 1:
		binaryVS(path, k, z, x, y[0])
	default:
		binarySV(path, k, z, x[0], y)
	}
}

// shortRun is the length below which a loop is faster than a call through the table of primitives. For addition and
// multiplication both give the same bits.
const shortRun = 16

func binaryVV[T kernels.Float](path cpu.Path, k Kind, z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
	t := vec.For[T](path)
	switch {
	case len(z) >= shortRun && (k <= Div || k == Max || k == Min):
	case k <= Div:
		shortVV(k, z, x, y)
		return
	default:
		other(k, z, x, y)
		return
	}
	switch k {
	case Max:
		t.Larger(z, x, y)
	case Min:
		t.Smaller(z, x, y)
	case Add:
		t.Add(z, x, y)
	case Sub:
		t.Sub(z, x, y)
	case Mul:
		t.Mul(z, x, y)
	default:
		t.Div(z, x, y)
	}
}

func shortVV[T kernels.Float](k Kind, z, x, y []T) {
	switch k {
	case Add:
		for i := range z {
			z[i] = x[i] + y[i]
		}
	case Sub:
		for i := range z {
			z[i] = x[i] - y[i]
		}
	case Mul:
		for i := range z {
			z[i] = x[i] * y[i]
		}
	default:
		for i := range z {
			z[i] = x[i] / y[i]
		}
	}
}

// other is for the kinds that have no primitive. The result of a comparison is made of a condition without a branch: a
// processor would guess it wrong every other time.
func other[T kernels.Float](k Kind, z, x, y []T) {
	switch k {
	case Max:
		for i := range z {
			z[i] = max(x[i], y[i])
		}
	case Min:
		for i := range z {
			z[i] = min(x[i], y[i])
		}
	case Lt:
		for i := range z {
			z[i] = T(one(x[i] < y[i]))
		}
	case Gt:
		for i := range z {
			z[i] = T(one(x[i] > y[i]))
		}
	case Lte:
		for i := range z {
			z[i] = T(one(x[i] <= y[i]))
		}
	case Gte:
		for i := range z {
			z[i] = T(one(x[i] >= y[i]))
		}
	case Eq:
		for i := range z {
			z[i] = T(one(x[i] == y[i]))
		}
	case Ne:
		for i := range z {
			z[i] = T(one(x[i] != y[i]))
		}
	default:
		for i := range z {
			z[i] = binary(k, x[i], y[i])
		}
	}
}

// one is 1 if the condition holds, else 0.
func one(holds bool) int32 {
	var n int32
	if holds {
		n = 1
	}
	return n
}

// binaryVS is z = x ∘ y for one number y.
func binaryVS[T kernels.Float](path cpu.Path, k Kind, z, x []T, y T) {
	x = x[:len(z)]
	switch k {
	case Add:
		vec.For[T](path).Shift(z, y, x)
	case Sub:
		vec.For[T](path).Shift(z, -y, x)
	case Mul:
		vec.For[T](path).Scale(z, y, x)
	case Div:
		for i := range z {
			z[i] = x[i] / y
		}
	default:
		var buf [64]T
		fill(buf[:min(len(z), len(buf))], y)
		for lo := 0; lo < len(z); lo += len(buf) {
			n := min(len(buf), len(z)-lo)
			other(k, z[lo:lo+n], x[lo:lo+n], buf[:n])
		}
	}
}

// binarySV is z = x ∘ y for one number x.
func binarySV[T kernels.Float](path cpu.Path, k Kind, z []T, x T, y []T) {
	y = y[:len(z)]
	switch k {
	case Add:
		vec.For[T](path).Shift(z, x, y)
	case Sub:
		for i := range z {
			z[i] = x - y[i]
		}
	case Mul:
		vec.For[T](path).Scale(z, x, y)
	case Div:
		for i := range z {
			z[i] = x / y[i]
		}
	default:
		var buf [64]T
		fill(buf[:min(len(z), len(buf))], x)
		for lo := 0; lo < len(z); lo += len(buf) {
			n := min(len(buf), len(z)-lo)
			other(k, z[lo:lo+n], buf[:n], y[lo:lo+n])
		}
	}
}
