package philox

import (
	"math"
	"math/bits"
)

// Stream is a sequence of random numbers read one after another: word 4b+i is word i of the block whose counter is
// (b mod 2³², b div 2³², substream, stream), under the seed as the key. It is a small value; copy it to fork it.
type Stream struct {
	key   [2]uint32
	ctr   [4]uint32
	block [4]uint32
	used  int // words of block already given out
}

// New returns the stream of a seed that is numbered by stream and substream, at its beginning. Streams of different
// numbers under one seed share no counter.
func New(seed uint64, stream, substream uint32) Stream {
	return Stream{
		key:  [2]uint32{uint32(seed), uint32(seed >> 32)},
		ctr:  [4]uint32{0, 0, substream, stream},
		used: 4,
	}
}

// Uint32 returns the next word, uniform on [0, 2³²).
func (s *Stream) Uint32() uint32 {
	if s.used == 4 {
		s.block = Block(s.key, s.ctr)
		s.used = 0
		if s.ctr[0]++; s.ctr[0] == 0 {
			s.ctr[1]++
		}
	}
	s.used++
	return s.block[s.used-1]
}

// Uniform returns the next number, one of 2³² evenly spread over [0, 1).
func (s *Stream) Uniform() float64 { return float64(s.Uint32()) / (1 << 32) }

// Normal returns the next standard normal number, of two words (Box and Muller).
func (s *Stream) Normal() float64 {
	u, v := (float64(s.Uint32())+1)/(1<<32), s.Uniform()
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// Below returns the next integer, uniform on [0, n) without bias (Lemire: Fast Random Integer Generation in an
// Interval, 2019: multiply and shift, with rejection of the few products that would make some results likelier).
// Below(0) is 0.
func (s *Stream) Below(n uint32) uint32 {
	hi, lo := bits.Mul32(s.Uint32(), n)
	if lo < n {
		for least := -n % max(n, 1); lo < least; {
			hi, lo = bits.Mul32(s.Uint32(), n)
		}
	}
	return hi
}

// Shuffle puts p into a uniformly random order (Fisher and Yates, from the end). It uses the next numbers of the
// stream. The length must be below 2³².
func (s *Stream) Shuffle(p []int32) {
	for i := len(p) - 1; i > 0; i-- {
		j := s.Below(uint32(i + 1))
		p[i], p[j] = p[j], p[i]
	}
}
