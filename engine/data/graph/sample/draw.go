package sample

import (
	"math/bits"

	"ganglion/internal/philox"
)

// label tells the random numbers of this package from others of the same seed.
const label = 0x73616d70

// draws is the random numbers of one node in one layer of an epoch.
type draws struct {
	key   [2]uint32
	ctr   [4]uint32
	block [4]uint32
	used  int
}

// reset begins the numbers of a node; tree is the seed it belongs to where trees are disjoint, else 0.
func (d *draws) reset(seed uint64, epoch, layer, tree int, node int32) {
	d.key = [2]uint32{uint32(seed), uint32(seed>>32) ^ label}
	d.ctr = [4]uint32{0, uint32(node), uint32(layer)<<24 ^ uint32(tree), uint32(epoch)}
	d.used = 4
}

// word is the next 32 random bits.
func (d *draws) word() uint32 {
	if d.used == 4 {
		d.block, d.used = philox.Block(d.key, d.ctr), 0
		d.ctr[0]++
	}
	d.used++
	return d.block[d.used-1]
}

// below is the next integer, uniform on [0, n), n > 0, without bias: see philox.Stream.
func (d *draws) below(n uint32) uint32 {
	hi, lo := bits.Mul32(d.word(), n)
	if lo < n {
		for least := -n % n; lo < least; {
			hi, lo = bits.Mul32(d.word(), n)
		}
	}
	return hi
}

// unit is the next number, uniform on (0, 1).
func (d *draws) unit() float64 { return (float64(d.word()) + 0.5) / (1 << 32) }

// smallFanout is the largest fan-out whose draws are compared one by one.
const smallFanout = 32

// distinct appends f different numbers from lo to lo+n−1, f < n, each set of them equally likely (Floyd: Programming
// Pearls, 1987: the number j is drawn from the first j+1, and stands for itself if that one is taken).
func (s *Sampler) distinct(out []int32, lo int32, n, f int) []int32 {
	if f > smallFanout {
		return s.distinctMany(out, lo, n, f)
	}
	first := len(out)
	for j := n - f; j < n; j++ {
		t := lo + int32(s.draws.below(uint32(j+1)))
		for _, taken := range out[first:] {
			if taken == t {
				t = lo + int32(j)
				break
			}
		}
		out = append(out, t)
	}
	return out
}

// distinctMany is distinct with a table of what is taken.
func (s *Sampler) distinctMany(out []int32, lo int32, n, f int) []int32 {
	if s.round++; len(s.taken) < n || s.round == 0 {
		s.taken, s.round = make([]uint32, n), 1
	}
	for j := n - f; j < n; j++ {
		t := int(s.draws.below(uint32(j + 1)))
		if s.taken[t] == s.round {
			t = j
		}
		s.taken[t] = s.round
		out = append(out, lo+int32(t))
	}
	return out
}
