package read

import (
	"fmt"
	"slices"
	"strings"

	"ganglion/engine/data/graph"
)

// splits reads split_* and geom_splits [k, n] or [n] of 0, 1, 2 and −1, train_idx with val_idx and test_idx, and masks.
func (r *archive) splits() error {
	n := r.g.N
	for _, key := range r.Keys() {
		if !strings.HasPrefix(key, "split") && !strings.HasSuffix(key, "_splits") {
			continue
		}
		v, shape, err := r.Ints(key)
		if err != nil {
			return err
		}
		if len(shape) == 0 || len(shape) > 2 || shape[len(shape)-1] != n {
			return r.bad(key, fmt.Sprintf("splits of shape [splits, %d]", n), fmt.Sprintf("the shape %v", shape))
		}
		s := graph.Split{Name: strings.TrimPrefix(strings.TrimSuffix(key, "_splits"), "split_")}
		two := !slices.Contains(v, 2)
		for k := 0; k+n <= len(v) && n > 0; k += n {
			part := make([]int8, n)
			for i, c := range v[k : k+n] {
				if c < -1 || c > 2 {
					return r.bad(
						key,
						"0 train, 1 validation or test, 2 test, -1 unused",
						fmt.Sprintf("%d for node %d", c, i),
					)
				}
				if part[i] = int8(c); two && c == 1 {
					part[i] = graph.Test
				}
			}
			s.Part = append(s.Part, part)
		}
		r.g.Splits = append(r.g.Splits, s)
	}
	if err := r.indexSplit(); err != nil {
		return err
	}
	return r.masks()
}

// indexSplit reads lists of nodes: train_idx, val_idx or valid_idx, test_idx.
func (r *archive) indexSplit() error {
	if !r.Has("train_idx") {
		return nil
	}
	part := slices.Repeat([]int8{graph.Unused}, r.g.N)
	for _, p := range []struct {
		key string
		as  int8
	}{{"train_idx", graph.Train}, {"val_idx", graph.Valid}, {"valid_idx", graph.Valid}, {"test_idx", graph.Test}} {
		if !r.Has(p.key) {
			continue
		}
		v, _, err := r.Ints(p.key)
		if err != nil {
			return err
		}
		for k, i := range v {
			if i < 0 || i >= int64(r.g.N) || part[i] != graph.Unused {
				return r.bad(p.key, fmt.Sprintf("each node from 0 to %d in one part", r.g.N-1),
					fmt.Sprintf("%d at %d", i, k))
			}
			part[i] = p.as
		}
	}
	r.g.Splits = append([]graph.Split{{Name: "public", Part: [][]int8{part}}}, r.g.Splits...)
	return nil
}

// masks reads train_mask or train_masks, [n] or [k, n] or [n, k], and those of validation and test.
func (r *archive) masks() error {
	for _, plural := range []string{"", "s"} {
		if !r.Has("train_mask" + plural) {
			continue
		}
		s := graph.Split{Name: "fixed"}
		for p, key := range []string{"train_mask", "val_mask", "test_mask"} {
			key += plural
			v, shape, err := r.Ints(key)
			if err != nil {
				return err
			}
			if err := addMask(&s, v, shape, r.g.N, int8(p)); err != nil {
				return &graph.Error{File: r.Name, Column: key, Err: err, Remedy: "save the array again"}
			}
		}
		r.g.Splits = append(r.g.Splits, s)
	}
	return nil
}

// addMask marks the nodes of a mask as part p of each division.
func addMask(s *graph.Split, v []int64, shape []int, n int, p int8) error {
	k := 1
	if len(shape) == 2 {
		k = len(v) / max(1, n)
	}
	byNode := len(shape) == 2 && shape[0] == n && shape[1] != n
	if len(shape) == 0 || len(shape) > 2 || shape[len(shape)-1] != n && !byNode || k*n != len(v) {
		return fmt.Errorf("want a mask of %d nodes, got the shape %v", n, shape)
	}
	if s.Part == nil {
		for range k {
			s.Part = append(s.Part, slices.Repeat([]int8{graph.Unused}, n))
		}
	}
	if len(s.Part) != k {
		return fmt.Errorf("want %d masks, as for the training nodes, got %d", len(s.Part), k)
	}
	for d, part := range s.Part {
		for i := range part {
			at := d*n + i
			if byNode {
				at = i*k + d
			}
			if v[at] == 0 {
				continue
			}
			if part[i] != graph.Unused {
				return fmt.Errorf("division %d: node %d is in two parts", d, i)
			}
			part[i] = p
		}
	}
	return nil
}
