package dense

import (
	"fmt"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

func TestUnconcat(t *testing.T) {
	var cases []optest.Case
	for _, j := range joined {
		whole := append([]int(nil), j.parts[0]...)
		ax := fromEnd(j.axis, len(whole))
		whole[ax] = 0
		in := []optest.Arg{optest.Normal()}
		for _, p := range j.parts {
			whole[ax] += p[ax]
			in = append(in, optest.Normal(p...))
		}
		in[0] = optest.Normal(whole...)
		for part := range j.parts {
			cases = append(cases, optest.Case{Name: fmt.Sprint(j, part), Op: Unconcat{Axis: j.axis, Part: part}, In: in,
				NoGrad: large(whole...), Linear: true, Exact: true})
		}
	}
	optest.Check(t, cases)
	f := kernels.Float32
	optest.Errors(t, Unconcat{Part: 1}, "no part 1 among 1", kernels.S(f, 3), kernels.S(f, 3))
	optest.Errors(t, Unconcat{Part: -1}, "no part -1", kernels.S(f, 3), kernels.S(f, 3))
	optest.Errors(t, Unconcat{}, "the parts make up float32(4), not float32(3)", kernels.S(f, 3), kernels.S(f, 4))
}

func BenchmarkUnconcat(b *testing.B) {
	in := append([]optest.Arg{optest.Normal(128, 512)}, normals(2, 128, 256)...)
	optest.Bench(b, []optest.Case{{Name: "columns/128x256", Op: Unconcat{Axis: 1, Part: 1}, In: in}})
}
