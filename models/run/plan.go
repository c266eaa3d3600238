package run

import (
	"strings"

	"ganglion/engine"
)

// Plan is what ganglion plan prints: what a training run would do and take.
type Plan struct {
	Command    string        `json:"command"`
	Model      string        `json:"model"`
	Data       string        `json:"data"`
	Device     string        `json:"device"`
	DType      string        `json:"dtype"`
	Precision  string        `json:"precision,omitempty"` // of products: tf32 or bf16, "" for that of dtype
	Storage    string        `json:"storage,omitempty"`   // of what products read: bf16, "" for that of dtype
	Batch      int           `json:"batch"`
	Parameters int           `json:"parameters"`
	Steps      int           `json:"steps_per_epoch"`
	Programs   []PlanProgram `json:"programs"` // a training step, and an evaluation
	Memory     Forecast      `json:"memory"`
	Fallbacks  []string      `json:"fallbacks"`
	// OnDevice is the memory on a CUDA device, nil for a run on the processor.
	OnDevice *DeviceForecast `json:"device_memory,omitempty"`
}

// PlanProgram is one compiled program.
type PlanProgram struct {
	Name     string     `json:"name"`
	Samples  int        `json:"samples"` // that one run of it takes
	Steps    []PlanStep `json:"steps"`
	Flops    float64    `json:"flops"` // of the steps that count them
	Bytes    int        `json:"bytes"` // read and written
	Arena    int        `json:"arena_bytes"`
	Unshared int        `json:"arena_bytes_without_reuse"`
	Live     int        `json:"live_bytes"` // of the arena, in use when most is
	Crest    int        `json:"crest"`      // the step at which most is in use
}

// PlanStep is one step of a program.
type PlanStep struct {
	Index   int      `json:"index"`
	Op      string   `json:"op"`
	Path    string   `json:"path"`
	In      []string `json:"in"`
	Out     string   `json:"out"`
	Kernel  string   `json:"kernel"`
	Device  string   `json:"device"`
	Size    int      `json:"out_bytes"`
	Bytes   int      `json:"bytes"` // read and written
	Flops   float64  `json:"flops"` // 0 where the op does not count them
	Place   string   `json:"place"`
	Scratch int      `json:"scratch_bytes"`
	Reserve int      `json:"reserve_bytes"` // of the reserve, what the step may need
	Reason  string   `json:"reason"`
}

// Plan describes the programs of a prepared session and foretells their memory.
func (s *Session) Plan(baseline bool) (*Plan, error) {
	f, err := s.Forecast(baseline)
	if err != nil {
		return nil, err
	}
	device, err := s.ForecastDevice(baseline)
	if err != nil {
		return nil, err
	}
	step, eval := s.Trainer.Programs()
	batch := s.Trainer.Options.Batch
	return &Plan{
		Command: "plan", Model: s.System.ID, Data: s.DataName(),
		Device: s.Config.deviceName(), DType: s.Config.Train.DType, Precision: s.Config.precision(),
		Storage:    s.Config.storage(),
		Batch:      batch,
		Parameters: s.Trainer.Store().Params().Size(), Steps: s.Trainer.StepsPerEpoch(),
		Programs: []PlanProgram{planOf(step, batch), planOf(eval, s.Trainer.EvaluationBatch())},
		Memory:   f, Fallbacks: fallbacks(step, eval), OnDevice: device,
	}, nil
}

func planOf(p *engine.Program, samples int) PlanProgram {
	e, m := p.Explain(), p.Memory()
	out := PlanProgram{
		Name:     e.Program,
		Samples:  samples,
		Steps:    []PlanStep{},
		Arena:    m.Arena,
		Unshared: e.UnsharedBytes,
		Live:     m.Live,
		Crest:    m.Crest,
	}
	for _, x := range e.Steps {
		s := PlanStep{Index: x.Index, Op: x.Attributes, Path: x.Path, In: []string{}, Out: x.Out.String(),
			Kernel: x.Kernel, Device: x.Device, Size: x.Out.Bytes(), Bytes: x.BytesMoved, Flops: x.Flops,
			Place:   x.Place,
			Scratch: x.Scratch, Reserve: x.Reserve, Reason: strings.TrimSpace(x.Reason)}
		for _, in := range x.In {
			s.In = append(s.In, in.String())
		}
		out.Flops += x.Flops
		out.Bytes += x.BytesMoved
		out.Steps = append(out.Steps, s)
	}
	return out
}
