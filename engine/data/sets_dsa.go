package data

import (
	"context"
	"fmt"
	"math"
)

// The original files of the set dsa: activities × subjects × segments of dsaSamples lines of dsaChannels numbers.
const (
	dsaActivities = 19
	dsaSubjects   = 8
	dsaSegments   = 60
	dsaSamples    = 125
	dsaChannels   = 45
)

func dsaLayouts() []Layout {
	raw := Layout{Note: "the original segments, reduced to four numbers a channel", read: readDSASegments}
	for a := range dsaActivities {
		for p := range dsaSubjects {
			for s := range dsaSegments {
				raw.Files = append(raw.Files, SetFile{Name: fmt.Sprintf("a%02d/p%d/s%02d.txt", a+1, p+1, s+1)})
			}
		}
	}
	return []Layout{{
		Files: []SetFile{{"dsa.npz", "0f19b5aa64dd2ee202c6cec3753e2e14746c4ad42b542b83160e459442cf7ad2"}},
		read:  readDSA,
	}, raw}
}

func readDSA(ctx context.Context, f *setFiles) (*Table, error) {
	t, err := readOne("dsa.npz", Options{})(ctx, f)
	if err == nil && t.D == 4*dsaChannels {
		t.rename(dsaFeatures())
	}
	return t, err
}

// dsaFeatures names mean, standard deviation, minimum and maximum of the channels.
func dsaFeatures() []string {
	var names []string
	for _, what := range []string{"mean", "std", "min", "max"} {
		for _, place := range []string{"T", "RA", "LA", "RL", "LL"} {
			for _, sensor := range []string{"acc", "gyro", "mag"} {
				for _, axis := range []string{"x", "y", "z"} {
					names = append(names, place+"_"+axis+sensor+"_"+what)
				}
			}
		}
	}
	return names
}

// readDSASegments reads the original segments, activity by activity, and takes the features of each.
func readDSASegments(ctx context.Context, f *setFiles) (*Table, error) {
	t := &Table{Source: f.set.Origin, D: 4 * dsaChannels, FeatureNames: dsaFeatures()}
	var label []float64
	var subject []int64
	for i, file := range f.layout.Files {
		m, err := f.numbers(ctx, file.Name)
		if err != nil {
			return nil, err
		}
		if m.rows != dsaSamples || m.columns != dsaChannels {
			return nil, &Error{File: f.paths[file.Name], Want: fmt.Sprintf("%d lines of %d numbers", dsaSamples,
				dsaChannels),
				Got: fmt.Sprintf("%d of %d", m.rows, m.columns), Remedy: "fetch the file again"}
		}
		t.X = append(t.X, segmentFeatures(m)...)
		t.N++
		label = append(label, float64(i/(dsaSubjects*dsaSegments)))
		subject = append(subject, int64(i/dsaSegments%dsaSubjects+1))
	}
	t.Splits = []StoredSplit{{Name: "subject", Part: leaveOut(subject)}}
	if err := t.setTarget(label, "y", Classify); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// segmentFeatures returns mean, population standard deviation, minimum and maximum of each column, [4·columns].
func segmentFeatures(m *matrix) []float64 {
	d := m.columns
	out := make([]float64, 4*d)
	for j := range d {
		mean, square := 0.0, 0.0
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range m.rows {
			v := m.values[i*d+j]
			mean += v / float64(m.rows)
			lo, hi = min(lo, v), max(hi, v)
		}
		for i := range m.rows {
			square += (m.values[i*d+j] - mean) * (m.values[i*d+j] - mean)
		}
		out[j], out[d+j], out[2*d+j], out[3*d+j] = mean, math.Sqrt(square/float64(m.rows)), lo, hi
	}
	return out
}
