package sample

import (
	"context"
	"fmt"
	"sync"

	"ganglion/internal/philox"
)

// Order returns the seeds in a random order by (seed, epoch).
func Order(seeds []int32, seed uint64, epoch int) []int32 {
	out := append([]int32(nil), seeds...)
	random := philox.New(seed, label, uint32(epoch))
	random.Shuffle(out)
	return out
}

// Epoch samples batches of size seeds, in a new order every epoch, on workers goroutines, which work ahead by as many
// batches as there are workers, and hands them to use one after another. A batch is valid until use returns: its
// memory serves a later one. The batches do not depend on the number of workers. It ends with the first error of use
// or of a sample, or when ctx is cancelled.
func (s *Sampler) Epoch(ctx context.Context, seeds []int32, size, epoch, workers int,
	use func(step int, b *Batch) error) error {
	if size < 1 || workers < 1 {
		return fmt.Errorf("sample: want a batch size and workers above 0, got %d and %d", size, workers)
	}
	order := Order(seeds, s.o.Seed, epoch)
	steps := (len(order) + size - 1) / size
	return ahead(ctx, steps, workers, func() func(int, *Batch) error {
		own := s.Clone()
		return func(step int, b *Batch) error {
			return own.Sample(b, order[step*size:min((step+1)*size, len(order))], epoch)
		}
	}, use)
}

// made is a batch on its way from a worker.
type made struct {
	batch *Batch
	err   error
}

// ahead makes batches 0 to steps−1 on several goroutines, each with a maker of its own, and uses them in order.
func ahead(ctx context.Context, steps, workers int, maker func() func(int, *Batch) error,
	use func(int, *Batch) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer cancel()
	slots := 2 * workers
	ready := make([]chan made, slots) // of the batches step mod slots
	free := make([]chan *Batch, slots)
	for k := range slots {
		ready[k], free[k] = make(chan made, 1), make(chan *Batch, 1)
		free[k] <- &Batch{}
	}
	for w := range min(workers, steps) {
		wait.Go(func() {
			work := maker()
			for step := w; step < steps; step += workers {
				select {
				case <-ctx.Done():
					return
				case b := <-free[step%slots]:
					ready[step%slots] <- made{b, work(step, b)}
				}
			}
		})
	}
	for step := range steps {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case m := <-ready[step%slots]:
			if m.err != nil {
				return m.err
			}
			if err := use(step, m.batch); err != nil {
				return err
			}
			free[step%slots] <- m.batch
		}
	}
	return nil
}
