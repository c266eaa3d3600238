package train

import (
	"fmt"

	"ganglion/kernels"
)

// Set is a data set made ready for a model: standardised features in the graph's float type, cut in three parts.
type Set struct {
	Task               Task
	Train, Valid, Test Part
	// Scale is, for a regression, the standard deviation by which each target was divided, [Outputs]: errors are
	// reported in the data's units. Nil is all ones.
	Scale []float64
	// Graphs holds the samples that are nodes or graphs; nil for rows of a table.
	Graphs *GraphData
}

// Part is some samples of a set. Labels serve classification, Y regression.
type Part struct {
	X      kernels.Tensor // float [n, Inputs]; none where the samples are nodes or graphs
	Rows   []int32        // [n], the numbers of the nodes or graphs; nil for rows of a table
	Labels []int32        // [n], 0 … Outputs−1
	Y      kernels.Tensor // float [n, Outputs]
}

// Len is the number of samples.
func (p Part) Len() int {
	if p.X.Rank() == 0 {
		return len(p.Rows)
	}
	return p.X.Shape[0]
}

// check verifies that a part fits the task.
func (p Part) check(name string, task Task, d kernels.DType) error {
	n := p.Len()
	if n == 0 {
		return fmt.Errorf("the %s part is empty", name)
	}
	if want := kernels.S(d, n, task.Inputs); task.Level == Rows && !p.X.Spec.Equal(want) {
		return fmt.Errorf("%s part: features are %v, want %v", name, p.X.Spec, want)
	}
	if task.Kind == Regress {
		if want := kernels.S(d, n, task.Outputs); !p.Y.Spec.Equal(want) {
			return fmt.Errorf("%s part: targets are %v, want %v", name, p.Y.Spec, want)
		}
		return nil
	}
	if len(p.Labels) != n {
		return fmt.Errorf("%s part: %d labels for %d samples", name, len(p.Labels), n)
	}
	for i, l := range p.Labels {
		if l < 0 || int(l) >= task.Outputs {
			return fmt.Errorf("%s part: sample %d has label %d, there are %d classes", name, i, l, task.Outputs)
		}
	}
	return nil
}

// batch is the memory that feeds one size of mini-batch: made once, filled at each step.
type batch struct {
	x, y, row kernels.Tensor
}

func newBatch(task Task, d kernels.DType, n int) batch {
	b := batch{row: kernels.New(kernels.S(kernels.Int32, n))}
	if task.Level == Rows {
		b.x = kernels.New(kernels.S(d, n, task.Inputs))
	}
	if task.Kind == Classify {
		b.y = kernels.New(kernels.S(kernels.Int32, n))
	} else {
		b.y = kernels.New(kernels.S(d, n, task.Outputs))
	}
	return b
}

// fill copies the samples rows[0] … of p into the batch.
func (b batch) fill(p Part, rows []int32) {
	if p.X.Rank() > 0 {
		copyRows(b.x, p.X, rows)
	}
	copy(b.row.I32, rows)
	if p.Labels == nil {
		copyRows(b.y, p.Y, rows)
		return
	}
	for i, r := range rows {
		b.y.I32[i] = p.Labels[r]
	}
}

func copyRows(dst, src kernels.Tensor, rows []int32) {
	d := src.Shape[1]
	for i, r := range rows {
		from, to := int(r)*d, i*d
		if src.DType == kernels.Float32 {
			copy(dst.F32[to:to+d], src.F32[from:from+d])
		} else {
			copy(dst.F64[to:to+d], src.F64[from:from+d])
		}
	}
}
