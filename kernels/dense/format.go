package dense

import "math"

// Format is a floating-point format of fewer bits than float32.
type Format uint8

// The formats. A number that is between two of a format is rounded to the nearer one; between both TF32 takes the one
// farther from zero, as devices do, the others the one whose last bit is 0. What is too large becomes infinite.
const (
	TF32 Format = iota // 8 bits of exponent, 10 of fraction: of the range of float32
	BF16               // 8 bits of exponent, 7 of fraction: the upper half of a float32
	F16                // 5 bits of exponent, 10 of fraction: up to 65504
)

// formats holds the figures of each: bits of fraction, and the least exponent of a number that is not subnormal.
var formats = [...]struct {
	name               string
	fraction, exponent int
}{TF32: {"tf32", 10, -126}, BF16: {"bf16", 7, -126}, F16: {"f16", 10, -14}}

// String is the format in lower case, as in bf16.
func (f Format) String() string {
	if f.valid() {
		return formats[f].name
	}
	return "unknown"
}

func (f Format) valid() bool { return int(f) < len(formats) }

// Unit is half the distance from 1 to the next number: the largest relative error of a rounded number that is not
// subnormal.
func (f Format) Unit() float64 { return math.Ldexp(1, -1-formats[f].fraction) }

// Nearest is the number of the format nearest to x.
func (f Format) Nearest(x float64) float64 {
	if x == 0 || x-x != 0 {
		return x
	}
	_, e := math.Frexp(x) // |x| is in [2^(e−1), 2^e)
	least := formats[f].exponent
	step := max(e-1, least) - formats[f].fraction
	n := math.Ldexp(math.Abs(x), -step)
	if f == TF32 {
		n = math.Round(n)
	} else {
		n = math.RoundToEven(n)
	}
	y := math.Ldexp(n, step)
	if y >= math.Ldexp(1, 2-least) { // the exponents are −bias+1 … bias
		y = math.Inf(1)
	}
	return math.Copysign(y, x)
}

// nearest32 writes the numbers nearest to those of x to y, by their bits.
func (f Format) nearest32(y, x []float32) {
	y = y[:len(x)]
	switch f {
	case TF32:
		for i, v := range x {
			y[i] = v
			if b := math.Float32bits(v); b&infinity32 != infinity32 {
				y[i] = math.Float32frombits((b + 1<<12) &^ (1<<13 - 1))
			}
		}
	case BF16:
		for i, v := range x {
			y[i] = v
			if b := math.Float32bits(v); b&infinity32 != infinity32 {
				y[i] = math.Float32frombits((b + 1<<15 - 1 + b>>16&1) &^ (1<<16 - 1))
			}
		}
	default:
		for i, v := range x {
			y[i] = nearestHalf(v)
		}
	}
}

// infinity32 are the bits of the exponent of a float32.
const infinity32 = 0x7f800000

// nearestHalf is the number of F16 nearest to x.
func nearestHalf(x float32) float32 {
	b := math.Float32bits(x)
	sign, b := b&(1<<31), b&^(1<<31)
	switch a := math.Float32frombits(b); {
	case b >= infinity32: // or NaN
		return x
	case a >= 65520:
		b = infinity32
	case a < 1.0/(1<<14): // numbers below are 2⁻²⁴ apart, like those of float32 from 0.5 on
		b = math.Float32bits(float32(a+0.5) - 0.5)
	default:
		b = (b + 1<<12 - 1 + b>>13&1) &^ (1<<13 - 1)
	}
	return math.Float32frombits(sign | b)
}

// nearestRun writes the nearest numbers of a run.
func nearestRun[T float32 | float64](f Format, y, x []T) {
	switch x := any(x).(type) {
	case []float32:
		f.nearest32(any(y).([]float32), x)
	case []float64:
		y := any(y).([]float64)
		for i, v := range x {
			y[i] = f.Nearest(v)
		}
	}
}
