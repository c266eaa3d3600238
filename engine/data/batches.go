package data

import (
	"fmt"

	"ganglion/internal/philox"
)

// Order fills order with the numbers 0 … len(order)-1 as an epoch, from 0, is to visit them: a uniformly random
// permutation that is a pure function of seed, epoch and length.
func Order(order []int32, seed uint64, epoch int) {
	for i := range order {
		order[i] = int32(i)
	}
	random := philox.New(seed, streamOrder, uint32(epoch))
	random.Shuffle(order)
}

// Batches divides rows into batches, in a new order every epoch. What a batch holds depends on seed, epoch and step
// alone, so a run resumes at any step by asking for it.
type Batches struct {
	rows  []int32
	size  int
	seed  uint64
	epoch int     // whose order is in order
	order []int32 // the rows in the order of the epoch
}

// NewBatches divides rows, of which there must be some, into batches of the given size, above 0; the last of an epoch
// holds what is left. rows is not changed and not copied.
func NewBatches(rows []int32, size int, seed uint64) (*Batches, error) {
	if len(rows) == 0 || size < 1 {
		return nil,
			fmt.Errorf("data: batches: want rows and a batch size above 0, got %d rows and size %d; change --batch",
				len(rows), size)
	}
	return &Batches{rows: rows, size: min(size, len(rows)), seed: seed, epoch: -1, order: make([]int32, len(rows))}, nil
}

// Steps is the number of batches in an epoch.
func (b *Batches) Steps() int { return (len(b.rows) + b.size - 1) / b.size }

// At returns the rows of a step, from 0 to Steps()-1, of an epoch, from 0. The slice is valid until the epoch
// changes; nothing is allocated.
func (b *Batches) At(epoch, step int) []int32 {
	if b.epoch != epoch {
		Order(b.order, b.seed, epoch)
		for i, j := range b.order {
			b.order[i] = b.rows[j]
		}
		b.epoch = epoch
	}
	return b.order[step*b.size : min((step+1)*b.size, len(b.order))]
}
