package run

import (
	"fmt"
	"strings"

	"ganglion/engine"
)

// DeviceForecast is the memory that a run will hold on its CUDA device, in bytes.
type DeviceForecast struct {
	Device string `json:"device"`
	engine.DeviceMemory
	Baseline int `json:"baseline_bytes"` // of the plain network that is trained afterwards, for comparison
	Peak     int `json:"peak_bytes"`
	Free     int `json:"free_bytes"` // what nobody uses, before the run
}

// ForecastDevice foretells the peak of the memory in buffers of the device; nil for a run on the processor.
func (s *Session) ForecastDevice(baseline bool) (*DeviceForecast, error) {
	d := s.Config.Train.Device
	if d == nil {
		return nil, nil
	}
	m, err := s.Trainer.DeviceMemoryAt(s.Trainer.Options.Batch)
	if err != nil {
		return nil, err
	}
	f := &DeviceForecast{Device: d.Name(), DeviceMemory: m}
	if baseline {
		b, err := s.baselineOf(s.Trainer.Store().Params().Size())
		if err != nil {
			return nil, err
		}
		other, err := b.Trainer.DeviceMemoryAt(b.Trainer.Options.Batch)
		b.Close()
		if err != nil {
			return nil, err
		}
		f.Baseline = other.Total()
	}
	f.Peak = int(d.Memory().Bytes) + f.Total() + f.Baseline
	free, err := d.Free()
	f.Free = int(free)
	return f, err
}

// code is what the kernels' code and variables may take, which the driver loads with the first step.
const code = 2 << 20

// AffordDevice refuses a run that would hold more on its device than is free there, or than the budget (0 is any). The
// error wraps ErrMemory and says what would fit.
func (s *Session) AffordDevice(f *DeviceForecast, budget int) error {
	if f == nil {
		return nil
	}
	limit, what := f.Free-code, fmt.Sprintf("%s are free there, %s of them for code", Size(f.Free), Size(code))
	if budget > 0 && budget < limit {
		limit, what = budget, "the budget is "+Size(budget)
	}
	if f.Peak <= limit {
		return nil
	}
	batch, err := 0, error(nil)
	if rest := limit - (f.Peak - f.Total()); rest > 0 {
		if batch, err = s.Trainer.LargestDeviceBatch(rest); err != nil {
			return err
		}
	}
	ways := []string{"a smaller model, since no mini-batch fits"}
	if batch > 0 {
		ways = []string{fmt.Sprintf("--batch %d, the largest that fits", batch)}
	}
	if s.Config.Train.DType == "f64" {
		ways = append(ways, "--dtype f32, which halves it")
	}
	if limit == budget && f.Peak <= f.Free-code {
		ways = append(ways, "--memory-budget "+Size(f.Peak)+" or more")
	}
	ways = append(ways, "--device cpu")
	return fmt.Errorf("%w: the run would hold %s on %s, of which %s for parameters and states; %s. Try %s", ErrMemory,
		Size(f.Peak), f.Device, Size(f.Store), what, strings.Join(ways, ", or "))
}
