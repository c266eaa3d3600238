package data

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"ganglion/engine/data/source"
)

// loadNPZ reads an .npz table: the features x, X, xq (with col_min and col_max) or x_shape, x_indptr, x_indices,
// x_data; the target y; any splits. Features are called feature1, feature2, …
func loadNPZ(ctx context.Context, f *source.File, o Options) (*Table, error) {
	a, err := source.OpenArchive(f, o.Limits)
	if err != nil {
		return nil, err
	}
	t := &Table{Name: tableName(f.Name), Source: f.Name, SHA256: f.SHA256}
	if err := t.readFeatures(ctx, a, o); err != nil {
		return nil, err
	}
	t.FeatureNames = numberedNames("feature", t.D, 1)
	if err := t.readTarget(a, o); err != nil {
		return nil, err
	}
	if err := t.readSplits(a); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// finish completes a table of numbers whose columns are known by position.
func (t *Table) finish() error {
	t.Encoder = numberEncoder(t, t.TargetNames[0])
	if err := t.Check(); err != nil {
		return err
	}
	t.noteMissing()
	return t.checkClasses()
}

// readFeatures fills N, D and X.
func (t *Table) readFeatures(ctx context.Context, a *source.Archive, o Options) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	key := ""
	for _, k := range []string{"x", "X", "xq"} {
		if a.Has(k) {
			key = k
			break
		}
	}
	if key == "" && a.Has("x_indptr") {
		return t.readSparse(a, o)
	}
	if key == "" {
		return &Error{File: a.Name, Want: "the array x, X or xq (features) and y (target)",
			Got:    strings.Join(a.Keys(), ", "),
			Remedy: "a table is saved with numpy.savez_compressed(file, x=..., y=...); a graph is no table"}
	}
	shape, _, err := a.Shape(key)
	if err != nil {
		return err
	}
	if len(shape) != 2 || shape[0] == 0 || shape[1] == 0 || shape[1] > maxIndex {
		return &Error{File: a.Name, Column: key, Want: "features of shape [rows, columns]", Got: fmt.Sprint(shape),
			Remedy: "reshape the array"}
	}
	t.N, t.D = shape[0], shape[1]
	if err := t.fits(o); err != nil {
		return err
	}
	if t.X, _, err = a.Floats(key); err != nil {
		return err
	}
	if key == "xq" {
		return t.unquantise(a)
	}
	return nil
}

// unquantise turns 16-bit codes q into values: s = q/32767 in [-1, 1], and, with the range of each column at hand,
// col_min + (s+1)/2·(col_max − col_min).
func (t *Table) unquantise(a *source.Archive) error {
	for i := range t.X {
		t.X[i] /= math.MaxInt16
	}
	if !a.Has("col_min") && !a.Has("col_max") {
		return nil
	}
	lo, loShape, err := a.Floats("col_min")
	if err != nil {
		return err
	}
	hi, hiShape, err := a.Floats("col_max")
	if err != nil {
		return err
	}
	if want := []int{t.D}; !slices.Equal(loShape, want) || !slices.Equal(hiShape, want) {
		return &Error{File: a.Name, Column: "col_min", Want: fmt.Sprintf("col_min and col_max of shape %v", want),
			Got: fmt.Sprintf("%v and %v", loShape, hiShape), Remedy: "save the file again"}
	}
	for i := range t.X {
		j := i % t.D
		t.X[i] = lo[j] + (t.X[i]+1)/2*(hi[j]-lo[j])
	}
	return nil
}

// readTarget reads the array y, or the one that Options.Target names: [rows] or, for numbers, [rows, targets].
func (t *Table) readTarget(a *source.Archive, o Options) error {
	key := o.Target
	if key == "" || key == "-1" {
		key = "y"
	}
	if !a.Has(key) {
		return &Error{File: a.Name, Want: fmt.Sprintf("an array called %q as target", key),
			Got:    strings.Join(a.Keys(), ", "),
			Remedy: "name one with --target"}
	}
	shape, whole, err := a.Shape(key)
	if err != nil {
		return err
	}
	if len(shape) == 0 || len(shape) > 2 || shape[0] != t.N || len(shape) == 2 && shape[1] == 0 {
		return &Error{File: a.Name, Column: key, Want: fmt.Sprintf("a target of shape [%d] or [%d, targets]", t.N, t.N),
			Got: fmt.Sprint(shape), Remedy: "reshape the array"}
	}
	values, _, err := a.Floats(key)
	if err != nil {
		return err
	}
	if len(shape) == 2 && shape[1] > 1 {
		if o.Task == Classify {
			return &Error{File: a.Name, Column: key, Want: "one class a row", Got: fmt.Sprint(shape),
				Remedy: "save class numbers of shape [rows]"}
		}
		t.Task, t.Targets, t.TargetNames = Regress, values, numberedNames(key, shape[1], 1)
		return nil
	}
	task := o.Task
	if task == Auto && whole && isCount(values) {
		task = Classify
	}
	return t.setTarget(values, key, task)
}

// isCount says whether integers are class numbers: they cover 0 to K−1, and there are at least two rows a class.
func isCount(values []float64) bool {
	top := slices.Max(values)
	if slices.Min(values) != 0 || 2*(top+1) > float64(len(values)) {
		return false
	}
	seen := make([]bool, int(top)+1)
	for _, v := range values {
		seen[int(v)] = true
	}
	return !slices.Contains(seen, false)
}

// readSplits reads the arrays called split…, [k, rows] or [rows] of 0 train, 1 and 2; the official division
// official_test, [rows] of 0 and 1; and makes of subject and batch, [rows], one split that leaves out each of them in
// turn as the test rows.
func (t *Table) readSplits(a *source.Archive) error {
	for _, key := range a.Keys() {
		single := key == "official_test"
		group := key == "subject" || key == "batch"
		if !single && !group && !strings.HasPrefix(key, "split") {
			continue
		}
		v, shape, err := a.Ints(key)
		if err != nil {
			return err
		}
		if len(shape) == 0 || len(shape) > 2 || shape[len(shape)-1] != t.N || (single || group) && len(shape) != 1 {
			return &Error{File: a.Name, Column: key, Want: fmt.Sprintf("a split of shape [splits, %d]", t.N),
				Got: fmt.Sprint(shape), Remedy: "leave the array out"}
		}
		s := StoredSplit{Name: strings.TrimSuffix(key, "_test")}
		if group {
			s.Part = leaveOut(v)
		} else if s.Part, err = splitRows(v, t.N); err != nil {
			return &Error{File: a.Name, Column: key, Err: err, Remedy: "leave the array out"}
		}
		t.Splits = append(t.Splits, s)
	}
	return nil
}

// splitRows divides the codes of k splits by split.
func splitRows(v []int64, n int) ([][]int8, error) {
	var part [][]int8
	for k := 0; k < len(v); k += n {
		p := make([]int8, n)
		for i, c := range v[k : k+n] {
			if c < 0 || c > 2 {
				return nil, fmt.Errorf("want 0 train, 1 validation or test, 2 test, got %d for row %d of split %d", c,
					i+1, k/n)
			}
			p[i] = int8(c)
		}
		part = append(part, p)
	}
	return part, nil
}

// maxGroups caps the number of splits that leaveOut makes.
const maxGroups = 100

// leaveOut makes one split for each group, ascending, whose test rows are the group; none if there are too many groups.
func leaveOut(group []int64) [][]int8 {
	ids := slices.Clone(group)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) < 2 || len(ids) > maxGroups {
		return nil
	}
	var part [][]int8
	for _, id := range ids {
		p := make([]int8, len(group))
		for i, g := range group {
			if g == id {
				p[i] = 1
			}
		}
		part = append(part, p)
	}
	return part
}
