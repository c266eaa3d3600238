package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestEmbed(t *testing.T) {
	var cases []optest.Case
	for _, p := range parts {
		x := append([]int(nil), p.shape...)
		x[fromEnd(p.op.Axis, len(x))] = p.want
		o := Embed{Axis: p.op.Axis, Lo: p.op.Lo}
		cases = append(cases, optest.Case{Name: fmt.Sprintf("%+v/%v in %v", o, x, p.shape), Op: o,
			In: []optest.Arg{optest.Normal(x...), optest.Normal(p.shape...)}, Linear: true, Exact: true})
	}
	cases = append(cases, optest.Case{Name: "like int32", Op: Embed{Lo: 1},
		In: []optest.Arg{optest.Normal(2), optest.Ints(0, 9, 4)}, Exact: true})
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, Embed{Lo: 3}, "2 entries from 3 on are outside of the 4 of axis 0", kernels.S(f, 2),
		kernels.S(f, 4))
	optest.Errors(t, Embed{Lo: -5}, "are outside", kernels.S(f, 2), kernels.S(f, 4))
	optest.Errors(t, Embed{Axis: 1}, "[2 3] does not fit into [4 5] along axis 1", kernels.S(f, 2, 3),
		kernels.S(f, 4, 5))
	optest.Errors(t, Embed{}, "does not fit into", kernels.S(f, 2), kernels.S(f, 4, 5))
	optest.Errors(t, Embed{Axis: 1}, "axis 1 is outside", kernels.S(f, 2), kernels.S(f, 4))
	optest.Errors(t, Embed{}, "must be float32", kernels.S(kernels.Int32, 2), kernels.S(f, 4))
}

func BenchmarkEmbed(b *testing.B) {
	in := []optest.Arg{optest.Normal(128, 256), optest.Normal(128, 512)}
	optest.Bench(b, []optest.Case{{Name: "128x256 in 128x512", Op: Embed{Axis: 1, Lo: 128}, In: in}})
}
