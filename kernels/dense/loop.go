package dense

import (
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

func binaryVV[T kernels.Float](_ cpu.Path, k Kind, z, x, y []T) {
	x, y = x[:len(z)], y[:len(z)]
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
	case Div:
		for i := range z {
			z[i] = x[i] / y[i]
		}
	default:
		for i := range z {
			z[i] = binary(k, x[i], y[i])
		}
	}
}

func binaryVS[T kernels.Float](_ cpu.Path, k Kind, z, x []T, y T) {
	x = x[:len(z)]
	switch k {
	case Add:
		for i := range z {
			z[i] = x[i] + y
		}
	case Sub:
		for i := range z {
			z[i] = x[i] - y
		}
	case Mul:
		for i := range z {
			z[i] = x[i] * y
		}
	case Div:
		for i := range z {
			z[i] = x[i] / y
		}
	default:
		for i := range z {
			z[i] = binary(k, x[i], y)
		}
	}
}

func binarySV[T kernels.Float](_ cpu.Path, k Kind, z []T, x T, y []T) {
	y = y[:len(z)]
	switch k {
	case Add:
		for i := range z {
			z[i] = x + y[i]
		}
	case Sub:
		for i := range z {
			z[i] = x - y[i]
		}
	case Mul:
		for i := range z {
			z[i] = x * y[i]
		}
	case Div:
		for i := range z {
			z[i] = x / y[i]
		}
	default:
		for i := range z {
			z[i] = binary(k, x, y[i])
		}
	}
}
