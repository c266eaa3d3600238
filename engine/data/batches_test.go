package data

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// Every epoch visits every row once; all batches but the last are full; a batch is the same whoever asks for it first.
func TestBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, size := rapid.IntRange(1, 100).Draw(t, "rows"), rapid.IntRange(1, 120).Draw(t, "size")
		seed := rapid.Uint64().Draw(t, "seed")
		rows := allRows(n)
		for i := range rows {
			rows[i] = 3*rows[i] + 1
		}
		b, err := NewBatches(rows, size, seed)
		if err != nil {
			t.Fatal(err)
		}
		resumed, err := NewBatches(rows, size, seed)
		if err != nil {
			t.Fatal(err)
		}
		epochAt, stepAt := rapid.IntRange(0, 2).Draw(t, "epoch"), rapid.IntRange(0, b.Steps()-1).Draw(t, "step")
		jump := slices.Clone(resumed.At(epochAt, stepAt))
		for epoch := range 3 {
			var seen []int32
			for step := range b.Steps() {
				batch := b.At(epoch, step)
				if step < b.Steps()-1 && len(batch) != size || len(batch) == 0 || len(batch) > size {
					t.Fatalf("batch %d of %d has %d rows, want %d", step, b.Steps(), len(batch), size)
				}
				if epoch == epochAt && step == stepAt && !slices.Equal(batch, jump) {
					t.Fatalf("epoch %d step %d: %v when resumed there, %v when reached", epoch, step, jump, batch)
				}
				seen = append(seen, batch...)
			}
			slices.Sort(seen)
			if !slices.Equal(seen, rows) {
				t.Fatalf("epoch %d visits %v", epoch, seen)
			}
		}
	})
}

func TestOrder(t *testing.T) {
	a, b, c, d := make([]int32, 50), make([]int32, 50), make([]int32, 50), make([]int32, 50)
	Order(a, 1, 0)
	Order(b, 1, 0)
	Order(c, 1, 1)
	Order(d, 2, 0)
	if !slices.Equal(a, b) || slices.Equal(a, c) || slices.Equal(a, d) || slices.Equal(c, d) {
		t.Errorf("orders:\n%v\n%v\n%v\n%v", a, b, c, d)
	}
	Order(nil, 1, 0)
}

func TestBatchesAllocateNothing(t *testing.T) {
	b, err := NewBatches(allRows(1000), 64, 1)
	if err != nil {
		t.Fatal(err)
	}
	epoch := 0
	if n := testing.AllocsPerRun(20, func() {
		epoch++
		for step := range b.Steps() {
			b.At(epoch, step)
		}
	}); n != 0 {
		t.Errorf("%v allocations an epoch", n)
	}
}

func TestBatchesErrors(t *testing.T) {
	for _, c := range []struct{ rows, size int }{{0, 1}, {1, 0}, {1, -1}} {
		if _, err := NewBatches(allRows(c.rows), c.size, 1); err == nil {
			t.Errorf("%d rows, size %d: no error", c.rows, c.size)
		}
	}
}
