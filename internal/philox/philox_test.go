package philox

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The known answers are those of the Random123 distribution (file kat_vectors, lines "philox4x32 10").
func TestBlock(t *testing.T) {
	const all = 0xffffffff
	for _, c := range []struct {
		name string
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{"zeros", [4]uint32{}, [2]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{"ones", [4]uint32{all, all, all, all}, [2]uint32{all, all},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{"pi", [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := Block(c.key, c.ctr); got != c.want {
			t.Errorf("%s: got %08x, want %08x", c.name, got, c.want)
		}
	}
}

func TestStreamIsItsBlocks(t *testing.T) {
	const seed = 0x1234567890abcdef
	s := New(seed, 7, 9)
	for b := range uint32(5) {
		want := Block([2]uint32{0x90abcdef, 0x12345678}, [4]uint32{b, 0, 9, 7})
		for i, w := range want {
			if got := s.Uint32(); got != w {
				t.Fatalf("word %d of block %d: got %08x, want %08x", i, b, got, w)
			}
		}
	}
}

func TestStreamCarries(t *testing.T) {
	s := New(1, 2, 3)
	s.ctr[0] = math.MaxUint32
	s.Uint32()
	if want := [4]uint32{0, 1, 3, 2}; s.ctr != want {
		t.Fatalf("the counter after 2³² blocks is %v, want %v", s.ctr, want)
	}
}

// The moments of 10,000 numbers, within five standard errors.
func TestUniformAndNormal(t *testing.T) {
	const n = 10000
	s := New(5, 6, 7)
	var uniform, normal, square float64
	for range n {
		u := s.Uniform()
		if u < 0 || u >= 1 {
			t.Fatalf("Uniform gives %v", u)
		}
		v := s.Normal()
		uniform, normal, square = uniform+u/n, normal+v/n, square+v*v/n
	}
	if math.Abs(uniform-0.5) > 0.0145 || math.Abs(normal) > 0.05 || math.Abs(square-1) > 0.071 {
		t.Errorf("mean %v of Uniform, %v of Normal, mean square %v", uniform, normal, square)
	}
}

func TestBelow(t *testing.T) {
	const seed, draws = 3, 60000
	s := New(seed, 0, 0)
	for _, n := range []uint32{1, 2, 3, 6, 100} {
		count := make([]int, n)
		for range draws {
			count[s.Below(n)]++
		}
		// Chi-squared with n-1 degrees of freedom stays below mean + 5 standard deviations.
		var chi2 float64
		want := float64(draws) / float64(n)
		for _, c := range count {
			chi2 += (float64(c) - want) * (float64(c) - want) / want
		}
		if limit := float64(n-1) + 5*math.Sqrt(2*float64(n)); chi2 > limit {
			t.Errorf("below %d: chi-squared %.1f, limit %.1f", n, chi2, limit)
		}
	}
}

// With n just above 2³¹ nearly half of all words must be rejected; a generator that skipped the rejection would give
// every second value twice as often.
func TestBelowRejects(t *testing.T) {
	const n = 1<<31 + 1
	s, words := New(5, 0, 0), New(5, 0, 0)
	const draws = 2000
	for range draws {
		if got := s.Below(n); got >= n {
			t.Fatalf("below %d: got %d", uint32(n), got)
		}
	}
	used := 0
	for words != s {
		words.Uint32()
		used++
	}
	if used < draws*18/10 || used > draws*22/10 {
		t.Errorf("%d draws used %d words, want about %d", draws, used, 2*draws)
	}
	if s.Below(0) != 0 {
		t.Error("below 0 is not 0")
	}
}

func TestShuffle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 300).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		a, b := identity(n), identity(n)
		one, two := New(seed, 1, 2), New(seed, 1, 2)
		one.Shuffle(a)
		two.Shuffle(b)
		if !slices.Equal(a, b) {
			t.Fatal("one seed gave two orders")
		}
		slices.Sort(a)
		if !slices.Equal(a, identity(n)) {
			t.Fatalf("not a permutation of %d", n)
		}
	})
}

// Every order of three elements must come up equally often.
func TestShuffleUniform(t *testing.T) {
	const draws = 12000
	s := New(11, 0, 0)
	count := map[[3]int32]int{}
	for range draws {
		p := []int32{0, 1, 2}
		s.Shuffle(p)
		count[[3]int32(p)]++
	}
	if len(count) != 6 {
		t.Fatalf("%d of 6 orders came up", len(count))
	}
	for p, c := range count {
		if c < 1800 || c > 2200 {
			t.Errorf("order %v came up %d times of %d, want about %d", p, c, draws, draws/6)
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint32]string{}
	for _, c := range []struct {
		name     string
		seed     uint64
		str, sub uint32
	}{{"plain", 1, 0, 0}, {"seed", 2, 0, 0}, {"high seed", 1 << 32, 0, 0}, {"stream", 1, 1, 0}, {"substream", 1, 0,
		1}} {
		s := New(c.seed, c.str, c.sub)
		w := s.Uint32()
		if other, ok := seen[w]; ok {
			t.Errorf("%s and %s begin with the same word", c.name, other)
		}
		seen[w] = c.name
	}
}

func identity(n int) []int32 {
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(i)
	}
	return p
}

func BenchmarkBlock(b *testing.B) {
	var sink uint32
	for i := range b.N {
		sink ^= Block([2]uint32{1, 2}, [4]uint32{uint32(i)})[0]
	}
	b.SetBytes(16)
	_ = sink
}
