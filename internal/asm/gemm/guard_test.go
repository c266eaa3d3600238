package gemm

import (
	"math/rand/v2"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
)

// fences returns lenders of slices at the end, and at the beginning, of guarded memory.
func fences[T float](t *testing.T, bytes int) (tail, head lender[T]) {
	b := make([]*guard.Block, 4)
	for i := range b {
		b[i] = guard.New(t, bytes)
	}
	tails := func(i int) func(n int) []T { return func(n int) []T { return guard.Tail[T](b[i], n) } }
	heads := func(i int) func(n int) []T { return func(n int) []T { return guard.Head[T](b[i], n) } }
	tail = lender[T]{tails(0), tails(1), tails(2), func(n int) []byte { return guard.Tail[byte](b[3], n) }}
	head = lender[T]{heads(0), heads(1), heads(2), func(n int) []byte { return guard.Head[byte](b[3], n) }}
	return tail, head
}

// testGuardPages runs every size from 0 to 257 in each dimension with operands that end, or begin, at a page that
// cannot be touched.
func testGuardPages[T float](t *testing.T, path cpu.Path) {
	const limit = 257
	tail, head := fences[T](t, 16*maxNR*limit*10)
	r := rand.New(rand.NewPCG(3, uint64(path)))
	others := [][2]int{{5, 7}, {3, 17}, {15, 37}}
	for d := range limit + 1 {
		if testing.Short() && d > 17 && d%31 > 1 {
			continue
		}
		for axis := range 3 {
			for trans := range 4 {
				o := others[(d+trans)%len(others)]
				dims := [][3]int{{d, o[0], o[1]}, {o[0], d, o[1]}, {o[0], o[1], d}}[axis]
				s := shape{m: dims[0], n: dims[1], k: dims[2], transA: trans&1 > 0, transB: trans&2 > 0, acc: d&1 > 0}
				for _, lend := range []lender[T]{tail, head} {
					check(t, nil, path, nil, s, build(r, s, lend, 1))
				}
			}
		}
	}
}

func TestGuardPages(t *testing.T) {
	if !guard.Supported {
		t.Skip("this system has no guard pages")
	}
	paths(t, testGuardPages[float32], testGuardPages[float64])
}

// testGuardPanels does the same for shapes that are packed.
func testGuardPanels[T float](t *testing.T, path cpu.Path) {
	tail, _ := fences[T](t, 32*320*320)
	r := rand.New(rand.NewPCG(4, uint64(path)))
	for d := range 48 {
		if testing.Short() && d%16 > 1 {
			continue
		}
		for _, dims := range [][3]int{
			{20 + d, 33, 17}, {29, 97 + d, 19}, {19, 40, 10 + d}, {60, 225 + d, 13}, {30, 300, 250 + d},
		} {
			for trans := range 4 {
				s := shape{m: dims[0], n: dims[1], k: dims[2], transA: trans&1 > 0, transB: trans&2 > 0}
				a := build(r, s, tail, 1)
				var j job[T]
				j.multiply(packing[T](path, d%2 == 0), nil, a)
				if dims[2] < 100 {
					verify(t, s.String(), a, a.C, a.C)
				}
			}
		}
	}
}

func TestGuardPanels(t *testing.T) {
	if !guard.Supported {
		t.Skip("this system has no guard pages")
	}
	paths(t, testGuardPanels[float32], testGuardPanels[float64])
}
