package data

import (
	"fmt"
	"math"
	"slices"
)

// Standardizer is the z-score of features and of regression targets, z = (x − mean)/scale, with the mean and standard
// deviation of the training rows alone. The elements of a channel of a signal (Table.Shape) share mean and scale. It is
// plain data, saved with a run.
type Standardizer struct {
	Features []string  `json:"features"` // names, [D]
	Mean     []float64 `json:"mean"`     // [D], of the values that are not missing
	Scale    []float64 `json:"scale"`    // [D], population standard deviation; 0 if constant: becomes 0

	Targets     []string  `json:"targets,omitempty"` // regression: names, [M]
	TargetMean  []float64 `json:"target_mean,omitempty"`
	TargetScale []float64 `json:"target_scale,omitempty"`

	Notes []string `json:"notes,omitempty"` // which features are constant
}

// FitStandardizer takes mean and scale from the given rows, the training part, and from no other row. A missing value
// does not count; a feature without any value there has mean 0 and scale 0. Sums run in the order of the rows.
// The error is an *Error.
func FitStandardizer(t *Table, rows []int32) (*Standardizer, error) {
	if len(rows) == 0 {
		return nil, &Error{File: t.where(), Want: "training rows to take mean and scale from", Got: "none",
			Remedy: "change --split"}
	}
	s := &Standardizer{Features: slices.Clone(t.FeatureNames)}
	var err error
	if s.Mean, s.Scale, err = t.moments(t.X, t.FeatureNames, t.perChannel(), rows); err != nil {
		return nil, err
	}
	if t.Task == Regress && len(t.Targets) > 0 {
		s.Targets = slices.Clone(t.TargetNames)
		if s.TargetMean, s.TargetScale, err = t.moments(t.Targets, t.TargetNames, 1, rows); err != nil {
			return nil, err
		}
		if j := slices.Index(s.TargetScale, 0); j >= 0 {
			return nil, &Error{File: t.where(), Column: s.Targets[j],
				Want: "a target that varies over the training rows",
				Got:  fmt.Sprintf("%v in all", s.TargetMean[j]), Remedy: "choose another --target"}
		}
	}
	var constant []int
	for j, scale := range s.Scale {
		if scale == 0 {
			constant = append(constant, j)
		}
	}
	if len(constant) > 0 {
		s.Notes = append(s.Notes, "constant over the training rows, and so set to 0: "+listFirst(s.Features, constant))
	}
	return s, nil
}

// perChannel is the number of features that share mean and scale: the elements of a channel.
func (t *Table) perChannel() int {
	if len(t.Shape) == 0 {
		return 1
	}
	return t.D / t.Shape[0]
}

// moments returns mean and population standard deviation of the named columns of x over the rows, NaN left out; each
// run of per columns has one of both.
func (t *Table) moments(x []float64, names []string, per int, rows []int32) (mean, scale []float64, err error) {
	d, n := len(names), len(names)/per
	mean, scale = make([]float64, n), make([]float64, n)
	count := make([]float64, n)
	first := make([]float64, n)
	varies := make([]bool, n)
	each := func(visit func(j int, v float64)) {
		for _, i := range rows {
			for k, v := range x[int(i)*d : (int(i)+1)*d] {
				if !math.IsNaN(v) {
					visit(k/per, v)
				}
			}
		}
	}
	each(func(j int, v float64) {
		if count[j] == 0 {
			first[j] = v
		}
		varies[j] = varies[j] || v != first[j]
		mean[j] += v
		count[j]++
	})
	for j := range mean {
		switch {
		case !varies[j]:
			mean[j] = first[j]
		case count[j] > 0:
			mean[j] /= count[j]
		}
	}
	far := make([]float64, n) // greatest distance from the mean: in its units squares neither overflow nor vanish
	each(func(j int, v float64) { far[j] = max(far[j], math.Abs(v-mean[j])) })
	each(func(j int, v float64) {
		if varies[j] {
			u := (v - mean[j]) / far[j]
			scale[j] += u * u
		}
	})
	for j := range scale {
		if !varies[j] {
			continue
		}
		scale[j] = far[j] * math.Sqrt(scale[j]/count[j])
		if !(scale[j] > 0) || math.IsInf(scale[j], 0) {
			return nil, nil, &Error{File: t.where(), Column: names[j*per], Want: "a standard deviation within float64",
				Got: fmt.Sprintf("%v around %v", scale[j], mean[j]), Remedy: "rescale the column"}
		}
	}
	return spread(mean, per), spread(scale, per), nil
}

// spread repeats each element per times.
func spread(v []float64, per int) []float64 {
	out := make([]float64, 0, per*len(v))
	for _, e := range v {
		for range per {
			out = append(out, e)
		}
	}
	return out
}

// Check returns an error if the standardiser, as read from a file, contradicts itself or does not belong to the table.
func (s *Standardizer) Check(t *Table) error {
	d, m := len(s.Features), len(s.Targets)
	if len(s.Mean) != d || len(s.Scale) != d || len(s.TargetMean) != m || len(s.TargetScale) != m {
		return fmt.Errorf("data: standardise: want mean and scale for %d features and %d targets, got %d, %d, %d, %d",
			d, m,
			len(s.Mean), len(s.Scale), len(s.TargetMean), len(s.TargetScale))
	}
	for _, v := range slices.Concat(s.Mean, s.Scale, s.TargetMean, s.TargetScale) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("data: standardise: want finite means and scales, got %v", v)
		}
	}
	if !slices.Equal(s.Features, t.FeatureNames) {
		return fmt.Errorf("data: standardise: want the %d features of the training table, got %d in %s; "+
			"read the file with the run's encoder", d, t.D, t.Source)
	}
	return nil
}

// Transform writes the standardised features of the given rows to dst, [len(rows), D] row-major. A missing value
// becomes 0, the mean. s must belong to t (Check).
func Transform[T float32 | float64](dst []T, s *Standardizer, t *Table, rows []int32) {
	standardise(dst, t.X, rows, s.Mean, s.Scale)
}

// TransformTargets writes the standardised targets of the given rows of a regression to dst, [len(rows), M] row-major.
func TransformTargets[T float32 | float64](dst []T, s *Standardizer, t *Table, rows []int32) {
	standardise(dst, t.Targets, rows, s.TargetMean, s.TargetScale)
}

func standardise[T float32 | float64](dst []T, x []float64, rows []int32, mean, scale []float64) {
	d := len(mean)
	for k, i := range rows {
		out := dst[k*d : (k+1)*d]
		for j, v := range x[int(i)*d : (int(i)+1)*d] {
			z := (v - mean[j]) / scale[j]
			if scale[j] == 0 || math.IsNaN(z) {
				z = 0
			}
			out[j] = T(z)
		}
	}
}

// InverseTargets turns standardised targets or predictions, [rows, M] row-major, back into the units of the data, in
// place.
func InverseTargets[T float32 | float64](y []T, s *Standardizer) {
	for i := range y {
		j := i % len(s.TargetMean)
		y[i] = T(float64(y[i])*s.TargetScale[j] + s.TargetMean[j])
	}
}
