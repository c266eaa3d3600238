package vec

import (
	"math"
	"slices"
	"testing"

	"ganglion/internal/asm/guard"
	"ganglion/internal/cpu"
	"ganglion/internal/philox"
)

// Every length up to 257 beside guard pages, and a counter that wraps around.
func TestWords(t *testing.T) {
	key, ctr := [2]uint32{0x12345678, 0x9abcdef0}, [4]uint32{math.MaxUint32 - 9, 0xfedcba98, 7, math.MaxUint32}
	var want []uint32
	for c := ctr; len(want) < limit+40; c[0]++ {
		w := philox.Block(key, c)
		want = append(want, w[:]...)
	}
	b := guard.New(t, 4*limit)
	for _, path := range cpu.Paths() {
		for n := range limit + 1 {
			for _, dst := range [][]uint32{guard.Tail[uint32](b, n), guard.Head[uint32](b, n)} {
				clear(dst)
				Words(path, dst, key, ctr)
				if !slices.Equal(dst, want[:n]) {
					t.Fatalf("%v: %d words: %x, want %x", path, n, dst, want[:n])
				}
			}
		}
		long := make([]uint32, 3*(16<<10)+5)
		Words(path, long, key, ctr)
		again := make([]uint32, len(long)-20004)
		Words(path, again, key, [4]uint32{ctr[0] + 5001, ctr[1], ctr[2], ctr[3]})
		if !slices.Equal(long[20004:], again) {
			t.Errorf("%v: a later part of a long slice differs", path)
		}
	}
}

func testDrop[T float](t *testing.T, path cpu.Path) {
	tail, head := fences[T](t, 2)
	key, ctr := [2]uint32{1, 2}, [4]uint32{math.MaxUint32 - 3, 4, 5, 6}
	words := make([]uint32, 2000)
	Words(cpu.Go, words, key, ctr)
	check := func(dst, x []T) {
		for _, least := range []uint32{0, 1, 1 << 22, 1<<24 - 1, 1 << 24} {
			Drop(path, dst, x, key, ctr, least, 1.25)
			for j, v := range dst {
				want := x[j] * 1.25
				if words[j]>>8 < least {
					want = 0
				}
				if v != want && (v == v || want == want) {
					t.Fatalf("length %d: element %d is %v, want %v", len(x), j, v, want)
				}
			}
		}
	}
	for n := range limit + 1 {
		for _, at := range []func(i, n int) []T{tail, head} {
			dst, x := at(0, n), at(1, n)
			for j := range x {
				x[j] = T(j) - 3
			}
			if n > 5 {
				x[5] = T(math.NaN())
			}
			check(dst, x)
		}
	}
	check(make([]T, len(words)), make([]T, len(words)))
	x := make([]T, 600)
	if n := testing.AllocsPerRun(10, func() { Drop(path, x, x, key, ctr, 1<<23, 2) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestDrop(t *testing.T) { paths(t, testDrop[float32], testDrop[float64]) }

func BenchmarkWords(b *testing.B) {
	dst := make([]uint32, 4096)
	for _, path := range cpu.Paths() {
		b.Run(path.String(), func(b *testing.B) {
			for b.Loop() {
				Words(path, dst, [2]uint32{1, 2}, [4]uint32{3, 4, 5, 6})
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(dst)), "ns/element")
		})
	}
}
