package equivariant

import (
	"context"
	"fmt"
	"math"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/diagram/calculus"
	"ganglion/models/zoo"
)

// The acceptance checks of this package.
var checks = []zoo.Check{
	{Name: "equivariance", Claim: "networks of all groups, orders and gates commute with random elements",
		Run: checkGroups},
	{Name: "expressivity", Claim: "orders up to 2 give the same number for a ring of 6 nodes and two triangles, " +
		"order 3 tells them apart", Run: checkExpressivity},
	{Name: "inertia", Claim: "O(3), one layer from order 2 to 2: tr(S)·1 − S is fitted to a mean squared error below " +
		"1e-10", Run: checkInertia},
	{Name: "handedness", Claim: "the side on which three vectors lie: SO(3) tells it, accuracy 0.97 at least, O(3) " +
		"stays within 0.1 of chance", Run: checkHandedness},
	{Name: "transfer", Claim: transferClaim, Run: checkTransfer},
}

// tolerance is the relative error above which a function does not commute.
const tolerance = 1e-10

// CheckEquivariance returns how far f is from commuting with random elements g of a group: the largest |f(ρ(g)x) −
// ρ(g)f(x)| relative to the largest |f(x)|, in float64. x is [4, channels, n, …] with order axes; f declares what it
// needs in s and returns a tensor [4, …] whose last axes, outOrder of them, have length n.
func CheckEquivariance(group calculus.Group, n, channels, order, outOrder int, seed uint64,
	f func(s *engine.Scope, x *Node) *Node) (float64, error) {
	const batch = 4
	g, err := calculus.Element(group, n, seed)
	if err != nil {
		return 0, err
	}
	shape := []int{batch, channels}
	for range order {
		shape = append(shape, n)
	}
	x := kernels.New(kernels.S(kernels.Float64, shape...))
	fillNormal(x.F64, seed)
	moved := x.Clone()
	if moved.F64, err = calculus.Act(g, n, order, x.F64); err != nil {
		return 0, err
	}
	graph, err := engine.Build("equivariance", kernels.Float64, func(s *engine.Scope) {
		s.Output("y", f(s, s.Input("x", x.Spec)))
	})
	if err != nil {
		return 0, err
	}
	p, err := engine.Compile(graph, engine.Options{Workers: 1, Seed: seed})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	slot, err := p.Slot("x")
	if err != nil {
		return 0, err
	}
	var y [2][]float64
	for i, in := range []kernels.Tensor{x, moved} {
		if err := p.Run(context.Background(), engine.Feeds{{Slot: slot, Tensor: in}}); err != nil {
			return 0, err
		}
		v, err := p.Value("y")
		if err != nil {
			return 0, err
		}
		y[i] = append(y[i], v.F64...)
	}
	want, err := calculus.Act(g, n, outOrder, y[0])
	if err != nil {
		return 0, err
	}
	most, top := 0.0, 1e-300
	for i, v := range want {
		most, top = max(most, math.Abs(y[1][i]-v)), max(top, math.Abs(y[0][i]))
	}
	return most / top, nil
}

// fillNormal fills x with standard normal numbers.
func fillNormal(x []float64, seed uint64) {
	random := philox.New(seed, 0x65717661, 0)
	for i := range x {
		x[i] = random.Normal()
	}
}

// power is n^e.
func power(n, e int) int {
	p := 1
	for range e {
		p *= n
	}
	return p
}

func checkGroups(seed uint64) (measured, required string, ok bool, err error) {
	worst, count := 0.0, 0
	for _, c := range []struct {
		group  string
		n      int
		orders []string
		gates  []string
	}{
		{"S", 5, []string{"2-2-0", "2-3-1", "1-2-2"}, []string{gateReLU, gateNorm, gateScalar}},
		{"O", 3, []string{"2-2-0", "1-1-1", "2-2-2"}, []string{gateNorm, gateScalar}},
		{"SO", 3, []string{"2-1-0", "1-2-1", "3-2-0"}, []string{gateNorm, gateScalar}},
		{"Sp", 4, []string{"2-2-0", "1-1-1", "2-2-2"}, []string{gateScalar}},
	} {
		for _, orders := range c.orders {
			for _, gate := range c.gates {
				e, err := networkError(c.group, c.n, orders, gate, seed)
				if err != nil {
					return "", "", false, err
				}
				worst, count = max(worst, e), count+1
			}
		}
	}
	return fmt.Sprintf("%.2g over %d networks", worst, count), fmt.Sprintf("at most %.0e", tolerance),
		worst <= tolerance, nil
}

// networkError is how far a network with two channels is from commuting.
func networkError(group string, n int, orders, gate string, seed uint64) (float64, error) {
	path, err := parseOrders(orders)
	if err != nil {
		return 0, err
	}
	g, err := calculus.ParseGroup(group)
	if err != nil {
		return 0, err
	}
	in, out := path[0], path[len(path)-1]
	task := train.Task{Inputs: 2 * power(n, in), Outputs: power(n, out)}
	m, err := build(Config{Group: group, N: n, Orders: orders, Channels: 3, Inputs: 2, Gate: gate}, task)
	if err != nil {
		return 0, err
	}
	return CheckEquivariance(g, n, 2, in, out, seed, func(s *engine.Scope, x *Node) *Node {
		return m.Forward(s, train.Inputs{X: x}).Output
	})
}

// checkExpressivity runs random networks on both graphs, whose nodes have two neighbours each.
func checkExpressivity(seed uint64) (measured, required string, ok bool, err error) {
	const n = 6
	x := make([]float64, 2*n*n)
	for i := range n {
		for _, j := range []int{(i + 1) % n, (i + n - 1) % n} {
			x[i*n+j] = 1
		}
		for _, j := range []int{(i + 1) % 3, (i + 2) % 3} {
			x[n*n+i*n+i/3*3+j] = 1
		}
	}
	gap := func(orders string) (float64, error) {
		m, err := build(Config{Group: "S", N: n, Orders: orders, Channels: 8, Inputs: 1, Gate: gateReLU}, train.Task{
			Inputs: n * n, Outputs: 1})
		if err != nil {
			return 0, err
		}
		p, err := train.NewPredictor(m, train.Task{Inputs: n * n, Outputs: 1, Examples: 1}, train.Options{DType: "f64",
			Seed: seed, Threads: 1}, nil)
		if err != nil {
			return 0, err
		}
		defer p.Close()
		y, err := p.Predict(context.Background(), kernels.FromSlice(x, 2, n*n))
		if err != nil {
			return 0, err
		}
		return math.Abs(y.F64[0]-y.F64[1]) / math.Abs(y.F64[0]), nil
	}
	low, err := gap("2-2-2-0")
	if err != nil {
		return "", "", false, err
	}
	high, err := gap("2-3-0")
	return fmt.Sprintf("%.2g and %.2g", low, high), "at most 1e-13 and at least 1e-4", low <= 1e-13 && high >= 1e-4, err
}

// checkInertia fits the tensor of inertia tr(S)·1 − S of second moments S.
func checkInertia(seed uint64) (measured, required string, ok bool, err error) {
	const n, samples = 3, 200
	part := func(stream uint64) train.Part {
		spec := kernels.S(kernels.Float64, samples, n*n)
		x, y := kernels.New(spec), kernels.New(spec)
		fillNormal(x.F64, 3*seed+stream)
		for b := range samples {
			s, out := x.F64[b*n*n:(b+1)*n*n], y.F64[b*n*n:(b+1)*n*n]
			for i := range out {
				out[i] = -s[i]
			}
			for i := range n {
				for j := range n {
					out[i*n+i] += s[j*n+j]
				}
			}
		}
		return train.Part{X: x, Y: y}
	}
	set := train.Set{Task: train.Task{Kind: train.Regress, Inputs: n * n, Outputs: n * n, Examples: samples},
		Train: part(0), Valid: part(1), Test: part(2)}
	cfg := Config{Group: "O", N: n, Orders: "2-2", Channels: 1, Inputs: 1, Gate: gateNone}
	rmse, err := zoo.Builder(build).Score(cfg, set, train.Options{Epochs: 200, LR: 0.05, Seed: seed, DType: "f64"})
	return fmt.Sprintf("%.2g", rmse*rmse), "below 1e-10", rmse*rmse < 1e-10, err
}

// checkHandedness learns the sign of the determinant of three vectors from their product, a tensor of order 3.
func checkHandedness(seed uint64) (measured, required string, ok bool, err error) {
	score := func(group string) (float64, error) {
		return zoo.Builder(build).Score(Config{Group: group, N: 3, Orders: "3-0", Channels: 4, Inputs: 1, Gate: "auto",
			Hidden: 8}, vectors(seed), train.Options{Epochs: 60, LR: 0.02, Seed: seed})
	}
	with, err := score("SO")
	if err != nil {
		return "", "", false, err
	}
	without, err := score("O")
	return fmt.Sprintf("%.3f and %.3f", with, without), "at least 0.97 and 0.4 to 0.6",
		with >= 0.97 && math.Abs(without-0.5) <= 0.1, err
}

// vectors are products a⊗b⊗c of three vectors, with the sign of their determinant as class.
func vectors(seed uint64) train.Set {
	const n, samples = 3, 1000
	part := func(stream uint64) train.Part {
		v := make([]float64, samples*9)
		fillNormal(v, 3*seed+stream)
		p := train.Part{X: kernels.New(kernels.S(kernels.Float32, samples, 27)), Labels: make([]int32, samples)}
		for b := range samples {
			a := v[9*b : 9*b+9]
			for i := range 27 {
				p.X.F32[27*b+i] = float32(a[i/9] * a[3+i/3%3] * a[6+i%3])
			}
			det := a[0]*(a[4]*a[8]-a[5]*a[7]) - a[1]*(a[3]*a[8]-a[5]*a[6]) + a[2]*(a[3]*a[7]-a[4]*a[6])
			if det > 0 {
				p.Labels[b] = 1
			}
		}
		return p
	}
	return train.Set{Task: train.Task{Inputs: 27, Outputs: 2, Examples: samples}, Train: part(0), Valid: part(1),
		Test: part(2)}
}
