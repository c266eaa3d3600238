package metric

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// near fails unless the value is want within a few ulps.
func near(t *testing.T, what string, want float64) func(got float64, err error) {
	t.Helper()
	return func(got float64, err error) {
		t.Helper()
		if err != nil || !(math.Abs(got-want) <= 1e-15*math.Max(1, math.Abs(want))) {
			t.Errorf("%s is %v (%v), wanted %v", what, got, err, want)
		}
	}
}

// must returns a new measure, or ends the test.
func must[T any](m T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
}

// The labels of the hand-made case: classes 2 and 5 occur nowhere, 4 only among predictions, 3 is mostly missed.
var (
	handTruth = []int32{0, 0, 1, 1, 3, 3, 3}
	handPred  = []int32{0, 1, 1, 1, 3, 4, 0}
)

// TestClassification has values worked out by hand: F1 of 0 is 2/(2+2), of 1 is 4/(2+3), of 3 is 2/(3+1), of 4 is
// 0/(0+1); the mean of the four is 0.45, which is also what scikit-learn 1.9.1 gives.
func TestClassification(t *testing.T) {
	c := must(NewConfusion(6))(t)
	if err := c.AddLabels(handPred, handTruth); err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", 4.0/7)(c.Accuracy())
	near(t, "error", 3.0/7)(c.Error())
	near(t, "macro F1", 0.45)(c.MacroF1())
	none := make([]int64, 6)
	want := [][]int64{{1, 1, 0, 0, 0, 0}, {0, 2, 0, 0, 0, 0}, none, {1, 0, 0, 1, 1, 0}, none, none}
	if d := cmp.Diff(want, c.Matrix()); d != "" || c.Samples() != 7 {
		t.Errorf("%d samples, matrix (-want +got)\n%s", c.Samples(), d)
	}
	c.Reset()
	if _, err := c.Accuracy(); !errors.Is(err, ErrEmpty) || c.Samples() != 0 {
		t.Errorf("after Reset: %v", err)
	}
}

func TestScores(t *testing.T) {
	c := must(NewConfusion(3))(t)
	inf := math.Inf(1)
	scores := []float64{1, 2, 3, 5, 5, 5, -inf, 0, -inf, inf, 0, inf, -2, -1, -1}
	if err := AddScores(c, scores, []int32{2, 1, 1, 0, 1}); err != nil {
		t.Fatal(err)
	}
	// The highest, the first of three, the only one, the first of two infinite ones, the first of two.
	want := [][]int64{{1, 0, 0}, {1, 2, 0}, {0, 0, 1}}
	if d := cmp.Diff(want, c.Matrix()); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	one := must(NewConfusion(1))(t)
	if err := AddScores(one, []float32{-1, 7}, []int32{0, 0}); err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy with one class", 1)(one.Accuracy())
}

// TestCrossEntropy has a case by hand (uniform logits give log n) and one that scikit-learn 1.9.1 (log_loss) gives as
// 2.1166673783288883.
func TestCrossEntropy(t *testing.T) {
	c := must(NewCrossEntropy(3))(t)
	if err := AddLogits(c, []float32{0.5, 0.5, 0.5, -7, -7, -7}, []int32{2, 0}); err != nil {
		t.Fatal(err)
	}
	near(t, "uniform", math.Log(3))(c.Value())
	c.Reset()
	logits := []float64{1, 2, -1, 0.5, 0.5, 0.5, -3, 0, 4, 100, -100, 0}
	if err := AddLogits(c, logits, []int32{1, 2, 0, 0}); err != nil {
		t.Fatal(err)
	}
	near(t, "scikit-learn's case", 2.1166673783288883)(c.Value())
	c.Reset()
	if err := AddLogits(c, []float64{1e300, -1e300, 0, 1000, 1000, 0}, []int32{0, 1}); err != nil {
		t.Fatal(err)
	}
	near(t, "huge logits", math.Ln2/2)(c.Value())
	if err := AddLogits(c, []float64{0, math.Inf(-1), 0}, []int32{1}); err != nil {
		t.Fatal(err)
	}
	if v, err := c.Value(); err != nil || !math.IsInf(v, 1) {
		t.Errorf("probability 0: %v, %v", v, err)
	}
}

// TestRegression has four samples of two outputs: differences 0.5 0 -1 -1 and -0.5 0 0.5 0; the variances of the
// targets are 32.75 and 5.1875 in sum, so R² is 1 - 2.25/32.75 and 1 - 0.5/5.1875. scikit-learn 1.9.1 gives
// 0.9174560838774948 for their mean.
func TestRegression(t *testing.T) {
	r := must(NewRegression(2))(t)
	truth := []float64{3, -0.5, 2, 0, -1, 2, 7, 2}
	pred := []float64{2.5, 0, 2, 0, 0, 1.5, 8, 2}
	if err := AddValues(r, pred, truth); err != nil {
		t.Fatal(err)
	}
	near(t, "RMSE", math.Sqrt(2.75/8))(r.RMSE())
	near(t, "RMSE by scikit-learn", 0.5863019699779287)(r.RMSE())
	near(t, "MAE", 3.5/8)(r.MAE())
	near(t, "R²", 0.9174560838774948)(r.R2())
	r.Reset()
	for i := 1; i < 8; i += 2 {
		truth[i] = 5
	}
	if err := AddValues(r, pred, truth); err != nil {
		t.Fatal(err)
	}
	near(t, "R² with a constant target that is missed", (1-2.25/32.75)/2)(r.R2())
	r.Reset()
	for i := 1; i < 8; i += 2 {
		pred[i] = 5
	}
	if err := AddValues(r, pred, truth); err != nil {
		t.Fatal(err)
	}
	near(t, "R² with a constant target that is met", (1-2.25/32.75+1)/2)(r.R2())
	r.Reset()
	if err := AddValues(r, []float32{1, 2}, []float32{1, 4}); err != nil {
		t.Fatal(err)
	}
	near(t, "RMSE of one sample", math.Sqrt2)(r.RMSE())
	if _, err := r.R2(); !errors.Is(err, ErrEmpty) {
		t.Errorf("R² of one sample: %v", err)
	}
	if r.Samples() != 1 {
		t.Errorf("%d samples", r.Samples())
	}
}

func TestMean(t *testing.T) {
	var m Mean
	if _, err := m.Value(); !errors.Is(err, ErrEmpty) {
		t.Errorf("empty: %v", err)
	}
	for _, v := range []float64{1, 2, 4} {
		if err := m.Add(v, v); err != nil {
			t.Fatal(err)
		}
	}
	near(t, "mean", 3)(m.Value())
	for _, w := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := m.Add(1, w); err == nil {
			t.Errorf("weight %v was taken", w)
		}
	}
	near(t, "mean", 3)(m.Value())
	if err := m.Add(math.NaN(), 1); err != nil {
		t.Fatal(err)
	}
	if v, err := m.Value(); err != nil || !math.IsNaN(v) {
		t.Errorf("with NaN: %v, %v", v, err)
	}
	m.Reset()
	if err := errors.Join(m.Add(math.Inf(1), 1), m.Add(1, 1)); err != nil {
		t.Fatal(err)
	}
	if v, err := m.Value(); err != nil || !math.IsInf(v, 1) {
		t.Errorf("with Inf: %v, %v", v, err)
	}
}

// TestSum compares with exact sums, on terms that cancel.
func TestSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 100 {
		var s sum
		exact := new(big.Float).SetPrec(3000)
		magnitude := 0.0
		for range 1000 {
			x := r.NormFloat64() * math.Exp(20*r.NormFloat64())
			s.add(x)
			exact.Add(exact, new(big.Float).SetFloat64(x))
			magnitude += math.Abs(x)
		}
		want, _ := exact.Float64()
		if d := math.Abs(s.value() - want); d > math.Abs(want)*0x1p-52+magnitude*1000*0x1p-104 {
			t.Errorf("sum %v, exactly %v", s.value(), want)
		}
	}
}

// numbers are all results of the measures.
type numbers struct {
	accuracy, wrong, f1, entropy, rmse, mae, r2 uint64
}

// measure adds samples in batches cut at random and returns the bits of the results.
func measure(t *testing.T, r *rand.Rand, scores, pred, truth []float32, labels []int32, classes int) numbers {
	t.Helper()
	c, e, g := must(NewConfusion(classes))(t), must(NewCrossEntropy(classes))(t), must(NewRegression(1))(t)
	for lo := 0; lo < len(labels); {
		hi := min(lo+r.IntN(9), len(labels)) // empty batches too
		err := errors.Join(AddScores(c, scores[lo*classes:hi*classes], labels[lo:hi]),
			AddLogits(e, scores[lo*classes:hi*classes], labels[lo:hi]), AddValues(g, pred[lo:hi], truth[lo:hi]))
		if err != nil {
			t.Fatal(err)
		}
		lo = hi
	}
	bits := func(v float64, err error) uint64 {
		if err != nil {
			t.Fatal(err)
		}
		return math.Float64bits(v)
	}
	return numbers{accuracy: bits(c.Accuracy()), wrong: bits(c.Error()), f1: bits(c.MacroF1()),
		entropy: bits(e.Value()), rmse: bits(g.RMSE()), mae: bits(g.MAE()), r2: bits(g.R2())}
}

// TestBatchesDoNotShow cuts the same samples differently, compares bit for bit, and compares with plain formulas
// over all samples.
func TestBatchesDoNotShow(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 50 {
		n, classes := 2+r.IntN(200), 1+r.IntN(7)
		scores, labels := make([]float32, n*classes), make([]int32, n)
		pred, truth := make([]float32, n), make([]float32, n)
		for i := range scores {
			scores[i] = float32(3 * r.NormFloat64())
		}
		for i := range labels {
			labels[i] = int32(r.IntN(classes))
			pred[i], truth[i] = float32(1000+r.NormFloat64()), float32(1000+r.NormFloat64())
		}
		a := measure(t, r, scores, pred, truth, labels, classes)
		if b := measure(t, r, scores, pred, truth, labels, classes); a != b {
			t.Fatalf("%+v and %+v", a, b)
		}
		compare(t, "accuracy", a.accuracy, plainAccuracy(scores, labels, classes))
		compare(t, "cross-entropy", a.entropy, plainCrossEntropy(scores, labels, classes))
		mse, mae, r2 := plainRegression(pred, truth)
		compare(t, "RMSE", a.rmse, math.Sqrt(mse))
		compare(t, "MAE", a.mae, mae)
		compare(t, "R²", a.r2, r2)
	}
}

// compare fails unless the bits are near want.
func compare(t *testing.T, what string, bits uint64, want float64) {
	t.Helper()
	if got := math.Float64frombits(bits); !(math.Abs(got-want) <= 1e-11*math.Max(1, math.Abs(want))) {
		t.Errorf("%s is %v, plainly %v", what, got, want)
	}
}

func plainAccuracy(scores []float32, labels []int32, classes int) float64 {
	right := 0
	for i, l := range labels {
		row := scores[i*classes : (i+1)*classes]
		if slices.Index(row, slices.Max(row)) == int(l) {
			right++
		}
	}
	return float64(right) / float64(len(labels))
}

func plainCrossEntropy(scores []float32, labels []int32, classes int) float64 {
	total := 0.0
	for i, l := range labels {
		z := 0.0
		for _, s := range scores[i*classes : (i+1)*classes] {
			z += math.Exp(float64(s))
		}
		total -= math.Log(math.Exp(float64(scores[i*classes+int(l)])) / z)
	}
	return total / float64(len(labels))
}

func plainRegression(pred, truth []float32) (mse, mae, r2 float64) {
	n, mean, spread := float64(len(truth)), 0.0, 0.0
	for _, y := range truth {
		mean += float64(y) / n
	}
	for i, y := range truth {
		d := float64(y) - float64(pred[i])
		mse += d * d / n
		mae += math.Abs(d) / n
		spread += (float64(y) - mean) * (float64(y) - mean)
	}
	return mse, mae, 1 - mse*n/spread
}

// TestBadBatchesChangeNothing adds wrong batches: each is an error, and the results stay.
func TestBadBatchesChangeNothing(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	c, e, g := must(NewConfusion(2))(t), must(NewCrossEntropy(2))(t), must(NewRegression(2))(t)
	good := errors.Join(AddScores(c, []float64{1, 0}, []int32{0}), AddLogits(e, []float64{1, 0}, []int32{0}),
		AddValues(g, []float64{1, 2}, []float64{2, 2}))
	if good != nil {
		t.Fatal(good)
	}
	before := fmt.Sprint(*e, c.Matrix(), *g)
	for name, err := range map[string]error{
		"confusion label 2":      AddScores(c, []float64{1, 0, 1, 0}, []int32{0, 2}),
		"confusion label -1":     c.AddLabels([]int32{0, 0}, []int32{0, -1}),
		"confusion prediction 2": c.AddLabels([]int32{0, 2}, []int32{0, 0}),
		"confusion lengths":      c.AddLabels([]int32{0}, nil),
		"confusion scores":       AddScores(c, []float32{1, 2, 3}, []int32{0}),
		"confusion NaN":          AddScores(c, []float64{1, 0, nan, 0}, []int32{0, 0}),
		"entropy label":          AddLogits(e, []float64{1, 0, 0, 0}, []int32{0, 2}),
		"entropy lengths":        AddLogits(e, []float64{1}, []int32{0}),
		"entropy NaN":            AddLogits(e, []float64{1, 0, 0, nan}, []int32{0, 0}),
		"entropy Inf":            AddLogits(e, []float64{1, 0, 0, inf}, []int32{0, 0}),
		"entropy all -Inf":       AddLogits(e, []float64{1, 0, -inf, -inf}, []int32{0, 0}),
		"regression lengths":     AddValues(g, []float64{1, 2}, []float64{1, 2, 3, 4}),
		"regression outputs":     AddValues(g, []float64{1, 2, 3}, []float64{1, 2, 3}),
		"regression NaN":         AddValues(g, []float64{1, 2, nan, 1}, []float64{1, 2, 3, 4}),
		"regression Inf":         AddValues(g, []float64{1, 2, 3, 4}, []float64{1, 2, 3, -inf}),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if after := fmt.Sprint(*e, c.Matrix(), *g); after != before {
		t.Errorf("before %s\nafter  %s", before, after)
	}
}

func TestConstructorsAndEmptyMeasures(t *testing.T) {
	_, c0 := NewConfusion(0)
	_, c1 := NewConfusion(maxClasses + 1)
	_, e0 := NewCrossEntropy(0)
	_, r0 := NewRegression(-1)
	for i, err := range []error{c0, c1, e0, r0} {
		if err == nil {
			t.Errorf("constructor %d: no error", i)
		}
	}
	c, e, r := must(NewConfusion(2))(t), must(NewCrossEntropy(2))(t), must(NewRegression(1))(t)
	for name, f := range map[string]func() (float64, error){"accuracy": c.Accuracy, "error": c.Error, "f1": c.MacroF1,
		"entropy": e.Value, "rmse": r.RMSE, "mae": r.MAE, "r2": r.R2} {
		if v, err := f(); !errors.Is(err, ErrEmpty) {
			t.Errorf("%s of nothing is %v, %v", name, v, err)
		}
	}
}

func TestHigherIsBetter(t *testing.T) {
	for name, want := range map[string]bool{"accuracy": true, "macro_f1": true, "r2": true, "error": false,
		"cross_entropy": false, "rmse": false, "mae": false} {
		if got, err := HigherIsBetter(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := HigherIsBetter("auc"); err == nil {
		t.Error("an unknown metric was taken")
	}
}

func TestAddingAllocatesNothing(t *testing.T) {
	c, e, g := must(NewConfusion(10))(t), must(NewCrossEntropy(10))(t), must(NewRegression(10))(t)
	scores, labels := make([]float32, 640), make([]int32, 64)
	var m Mean
	n := testing.AllocsPerRun(100, func() {
		_ = AddScores(c, scores, labels)
		_ = c.AddLabels(labels, labels)
		_ = AddLogits(e, scores, labels)
		_ = AddValues(g, scores, scores)
		_ = m.Add(1, 64)
	})
	if n != 0 || c.Samples() != 2*64*101 || g.Samples() != 64*101 {
		t.Errorf("%v allocations for a batch, %d and %d samples", n, c.Samples(), g.Samples())
	}
}
