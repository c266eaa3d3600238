package train

import (
	"sort"

	"ganglion/engine"
	"ganglion/kernels"
)

// DeviceMemoryAt tells what the trainer will hold on its device with mini-batches of the given size; nothing without
// one. The programs of a training step and of evaluations have arenas of their own there.
func (t *Trainer) DeviceMemoryAt(batch int) (engine.DeviceMemory, error) {
	step, err := t.step.DeviceMemoryAt(pieces(batch, t.Set.Train.Len())...)
	if err != nil {
		return step, err
	}
	eval, err := t.eval.program.DeviceMemoryAt(pieces(predictBatch, t.Set.Train.Len(), t.Set.Valid.Len(),
		t.Set.Test.Len())...)
	return engine.DeviceMemory{Store: step.Store, Arena: step.Arena + eval.Arena, Plans: step.Plans + eval.Plans}, err
}

// pieces are the sizes that occur when parts of these lengths are cut into pieces, each once.
func pieces(size int, parts ...int) []func(string, kernels.Spec) kernels.Spec {
	var out []func(string, kernels.Spec) kernels.Spec
	seen := map[int]bool{0: true}
	for _, n := range parts {
		for _, k := range []int{min(n, size), n % size} {
			if !seen[k] {
				seen[k] = true
				out = append(out, resized(k))
			}
		}
	}
	return out
}

// LargestDeviceBatch is the largest mini-batch, up to that of the options, with which the trainer holds no more than
// the given number of bytes on its device; 0 when there is none.
func (t *Trainer) LargestDeviceBatch(bytes int) (int, error) {
	var failed error
	over := sort.Search(t.Options.Batch, func(i int) bool {
		m, err := t.DeviceMemoryAt(i + 1)
		if err != nil {
			failed = err
		}
		return m.Total() > bytes
	})
	return over, failed
}
