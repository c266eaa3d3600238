package bench

import (
	"math"
	"strconv"
)

// Result is the time of one case.
type Result struct {
	Workload string  `json:"workload"`
	Device   string  `json:"device"`
	DType    string  `json:"dtype"` // f32 or f64
	Size     Size    `json:"size"`
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	MaxMS    float64 `json:"max_ms"`
	Reps     int     `json:"reps"`
	GFLOPS   float64 `json:"gflops"`   // 0 where operations are not counted
	GBPS     float64 `json:"gbps"`     // of the data that must be moved at least; 0 where it is not counted
	Roofline float64 `json:"roofline"` // least time by the processor's measured rates, of the median; 0 on a device

	Threads int    `json:"threads"`
	Path    string `json:"path"` // of the processor's kernels; on a device those of the steps that run beside it
	// OtherCPU is what other processes used meanwhile, in cores; −1 where the system cannot tell.
	OtherCPU float64 `json:"other_cpu"`
	// Extra is what the workload has to say besides: iterations of a solver, its worst residual.
	Extra []Fact `json:"extra,omitempty"`
	// Against lists other programs' times of the same case.
	Against []Against `json:"against,omitempty"`
}

// Fact is a named figure.
type Fact struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Against is another program's time of a case.
type Against struct {
	Peer     string  `json:"peer"`
	MedianMS float64 `json:"median_ms"`
	MinMS    float64 `json:"min_ms"`
	Ratio    float64 `json:"ratio"`     // its median by ours: above 1 we are faster
	MinRatio float64 `json:"min_ratio"` // its minimum by ours
}

// Work is what a case has to do at least.
type Work struct {
	Flops float64 // operations; 0 where they are not counted
	Bytes float64 // data read and written once
	Set   float64 // bytes that the case goes through again and again; they decide which level of memory it is held in
}

// round keeps six digits: more are noise.
func round(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x
	}
	return short
}
