package run

import (
	"encoding/json"
	"math"

	"ganglion/engine/train"
	"ganglion/models/module"
)

// Result is what ganglion train --json prints.
type Result struct {
	Command         string   `json:"command"`
	Model           string   `json:"model"`
	Data            string   `json:"data"`
	Device          string   `json:"device"`
	DType           string   `json:"dtype"`
	Precision       string   `json:"precision,omitempty"` // of products: tf32 or bf16, "" for that of dtype
	Storage         string   `json:"storage,omitempty"`   // of what products read: bf16, "" for that of dtype
	Seed            uint64   `json:"seed"`
	Epochs          int      `json:"epochs"`
	Steps           int      `json:"steps"`
	Seconds         float64  `json:"seconds"`
	SecondsPerEpoch float64  `json:"seconds_per_epoch"`
	Parameters      int      `json:"parameters"`
	PeakBytes       int      `json:"peak_bytes"` // the most that the process held, measured
	Loss            Parts    `json:"loss"`
	Metric          Metric   `json:"metric"`
	Extra           Extra    `json:"extra"`
	Fallbacks       []string `json:"fallbacks"`
	Run             string   `json:"run"`
}

// Parts is one number for each part of the data. A number that is not finite is null in JSON.
type Parts struct {
	Train Number `json:"train"`
	Valid Number `json:"valid"`
	Test  Number `json:"test"`
}

// Metric is the metric by which the model is judged.
type Metric struct {
	Name string `json:"name"`
	Parts
}

// Number is a float that JSON can hold: not finite becomes null.
type Number float64

// MarshalJSON writes the number, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if f := float64(n); math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// Extra is what is particular to the model or the task.
type Extra struct {
	BestEpoch int `json:"best_epoch"`
	Predicted int `json:"predicted_bytes"` // what peak_bytes was foretold to be before the first step
	// DevicePeak is the most that the run held in buffers of its device, DevicePredicted what was foretold.
	DevicePeak      int       `json:"device_peak_bytes,omitempty"`
	DevicePredicted int       `json:"device_predicted_bytes,omitempty"`
	Stopped         string    `json:"stopped,omitempty"` // why the run ended before its last epoch
	Before          *Modules  `json:"modules_before,omitempty"`
	Modules         *Modules  `json:"modules,omitempty"`
	Solver          *Solver   `json:"solver,omitempty"`
	SkippedSteps    int       `json:"skipped_steps"`
	Error           *Parts    `json:"error,omitempty"`
	MacroF1         *Parts    `json:"macro_f1,omitempty"`
	MAE             *Parts    `json:"mae,omitempty"`
	R2              *Parts    `json:"r2,omitempty"`
	Baseline        *Baseline `json:"baseline,omitempty"`
}

// Solver sums up what the solvers reported over all training steps of the run.
type Solver struct {
	Samples    int    `json:"samples"`        // problems solved
	Failed     int    `json:"failed"`         // of those, the ones that missed the tolerance
	Worst      Number `json:"worst_residual"` // relative to 1+max|x|
	Iterations Number `json:"iterations"`     // mean over the problems
	Longest    int    `json:"longest"`        // iterations of the longest
}

func solverOf(s train.Solver) *Solver {
	if s.Samples == 0 {
		return nil
	}
	return &Solver{
		Samples:    s.Samples,
		Failed:     s.Failed,
		Worst:      Number(s.Worst),
		Iterations: Number(s.Iterations),
		Longest:    s.Longest,
	}
}

// Modules describes the structure of a pruned graph.
type Modules struct {
	Nodes   int     `json:"nodes"`
	Kept    int     `json:"kept_edges"`
	Modules int     `json:"modules"`
	Cyclic  int     `json:"cyclic"`
	Largest int     `json:"largest"`
	Levels  int     `json:"levels"`
	Sizes   []int   `json:"sizes"` // of the cyclic modules, largest first
	Mean    float64 `json:"mean_size"`
	Std     float64 `json:"std_size"`
}

func modulesOf(s module.Snapshot) *Modules {
	l := s.Layout
	m := &Modules{
		Nodes:   l.Nodes,
		Kept:    l.Kept,
		Modules: l.Modules,
		Cyclic:  l.Cyclic,
		Largest: l.Largest,
		Levels:  l.Levels,
		Sizes:   s.Sizes(),
	}
	m.Mean, m.Std = s.Spread()
	return m
}

// Baseline is the plain network that a model is compared with, trained on the same data in the same way.
type Baseline struct {
	Model      string  `json:"model"`
	Parameters int     `json:"parameters"`
	Loss       Parts   `json:"loss"`
	Metric     Metric  `json:"metric"`
	Seconds    float64 `json:"seconds"`
}
