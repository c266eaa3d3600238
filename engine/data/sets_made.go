package data

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"

	"ganglion/internal/philox"
)

// madeSets are sets that are computed from a fixed seed: tensors as rows, with a target whose best possible error is
// known.
func madeSets() []Set {
	return []Set{
		{Name: "triangles", Title: "Number of triangles of random graphs with 10 nodes, given as adjacency matrices",
			Task: Regress, Rows: 2000, Features: 100, Embedded: true, Origin: made, Licence: "none is needed",
			Layouts: []Layout{{read: readTriangles}}},
		{Name: "handedness", Title: "Side on which three vectors of R³ lie, given as their tensor product",
			Task: Classify, Rows: 3000, Features: 27, Embedded: true, Origin: made, Licence: "none is needed",
			Layouts: []Layout{{read: readHandedness}}},
	}
}

// made is the origin of sets that are computed.
const made = "computed by this program"

// The streams of their random numbers.
const (
	streamTriangles = 0x74726900 + iota
	streamHandedness
)

// readTriangles draws graphs whose edges are there with a probability between 0.2 and 0.8 that is drawn for each.
func readTriangles(ctx context.Context, f *setFiles) (*Table, error) {
	const n, rows = 10, 2000
	t := &Table{N: rows, D: n * n, X: make([]float64, rows*n*n), FeatureNames: numberedNames("a", n*n, 1)}
	counts := make([]float64, rows)
	for b := range rows {
		random := philox.New(1, streamTriangles, uint32(b))
		a := t.Row(b)
		p := 0.2 + 0.6*random.Uniform()
		for i := range n {
			for j := range i {
				if random.Uniform() < p {
					a[i*n+j], a[j*n+i] = 1, 1
				}
			}
		}
		for i := range n {
			for j := range i {
				for k := range j {
					counts[b] += a[i*n+j] * a[j*n+k] * a[i*n+k]
				}
			}
		}
	}
	return t.made(ctx, f, counts, "triangles", Regress)
}

// readHandedness draws vectors of normal numbers; the class is 1 where their determinant is positive, else 0.
func readHandedness(ctx context.Context, f *setFiles) (*Table, error) {
	const rows = 3000
	t := &Table{N: rows, D: 27, X: make([]float64, rows*27), FeatureNames: numberedNames("t", 27, 1)}
	class := make([]float64, rows)
	for b := range rows {
		random := philox.New(1, streamHandedness, uint32(b))
		var v [9]float64
		for i := range v {
			v[i] = random.Normal()
		}
		for i := range 27 {
			t.X[27*b+i] = v[i/9] * v[3+i/3%3] * v[6+i%3]
		}
		det := v[0]*(v[4]*v[8]-v[5]*v[7]) - v[1]*(v[3]*v[8]-v[5]*v[6]) + v[2]*(v[3]*v[7]-v[4]*v[6])
		if det > 0 {
			class[b] = 1
		}
	}
	return t.made(ctx, f, class, "side", Classify)
}

// made completes a set that was computed; its checksum is that of the features, as little-endian float64.
func (t *Table) made(ctx context.Context, f *setFiles, target []float64, name string, task Task) (*Table, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o := f.opts; o.Task != Auto && o.Task != task || o.Target != "" && o.Target != name && o.Target != lastColumn {
		return nil, &Error{File: f.set.Name, Want: fmt.Sprintf("target %q, task %s", name, task),
			Got: fmt.Sprintf("%q, %q", o.Target, o.Task), Remedy: "leave --target and --task out"}
	}
	raw := make([]byte, 0, 8*len(t.X))
	for _, v := range t.X {
		raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(v))
	}
	sum := sha256.Sum256(raw)
	f.sums = append(f.sums, hex.EncodeToString(sum[:]))
	t.Source = made
	if err := t.setTarget(target, name, task); err != nil {
		return nil, err
	}
	return t, t.finish()
}
