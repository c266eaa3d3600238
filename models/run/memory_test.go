package run

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"ganglion/engine"
	"ganglion/engine/train"
	"ganglion/internal/philox"
	"ganglion/kernels"
	"ganglion/kernels/act"
	"ganglion/kernels/conv"
	"ganglion/kernels/dense"
	"ganglion/models/layer"
)

// images is a convolutional network on pictures of side·side points in three colours: two convolutions of the given
// number of channels, each with ReLU and max pooling, and a linear layer.
type images struct{ channels, side int }

func (m images) Forward(s *engine.Scope, in train.Inputs) train.Net {
	const classes = 10
	h := s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 3, m.side, m.side)}, in.X)
	for i, name := range []string{"first", "second"} {
		c := layer.Conv{Out: m.channels << i, Kernel: [3]int{3, 3}, Geometry: conv.Conv{Dims: 2, Pad: [3]int32{1, 1}}}
		h = layer.Activation(s, act.ReLU, c.Apply(s.In(name), h))
		h = layer.MaxPool(s, conv.Window{Dims: 2, Kernel: [3]int32{2, 2}, Stride: [3]int32{2, 2}}, h)
	}
	h = s.Apply(dense.Reshape{To: dense.ShapeOf(-1, 2*m.channels*(m.side/4)*(m.side/4))}, h)
	return train.Net{Output: layer.Linear{Out: classes}.Apply(s.In("output"), h)}
}

// set is n samples of noise for each part.
func (m images) set(n int) train.Set {
	const classes = 10
	inputs := 3 * m.side * m.side
	r := philox.New(1, 2, 3)
	part := func() train.Part {
		p := train.Part{X: kernels.New(kernels.S(kernels.Float32, n, inputs)), Labels: make([]int32, n)}
		for i := range p.X.F32 {
			p.X.F32[i] = float32(r.Uint32())/(1<<31) - 1
		}
		for i := range p.Labels {
			p.Labels[i] = int32(r.Below(classes))
		}
		return p
	}
	task := train.Task{Kind: train.Classify, Inputs: inputs, Outputs: classes, Examples: n}
	return train.Set{Task: task, Train: part(), Valid: part(), Test: part()}
}

// asChild makes the test a process that trains the network of the given channels and batch, and prints what was
// foretold and what it took.
const asChild = "GANGLION_TEST_MEMORY"

type took struct{ Foretold, Before, Took int }

func child(t *testing.T, channels, batch int) {
	m := images{channels, 16}
	o := train.Defaults()
	o.Epochs, o.Batch = 1, batch
	trainer, err := train.New(m, m.set(batch+batch/3), o)
	if err != nil {
		t.Fatal(err)
	}
	s := &Session{Model: m, Trainer: trainer}
	defer s.Close()
	f, err := s.Forecast(false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := trainer.Fit(context.Background(), train.Hooks{}); err != nil {
		t.Fatal(err)
	}
	_, most := resident()
	text, err := json.Marshal(took{f.Peak, f.Resident, most})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(os.Getenv(asChild+"_OUT"), text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// What a convolutional network takes is foretold within a tenth, although no registered model is one.
func TestMemoryOfConvolutions(t *testing.T) {
	if args := strings.Fields(os.Getenv(asChild)); len(args) == 2 {
		channels, err := strconv.Atoi(args[0])
		if err != nil {
			t.Fatal(err)
		}
		batch, err := strconv.Atoi(args[1])
		if err != nil {
			t.Fatal(err)
		}
		child(t, channels, batch)
		return
	}
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("several processes, and only Linux tells what they held at most")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"4 32", "8 100", "16 300", "32 64"} {
		out := write(t, "took.json", "")
		c := exec.Command(self, "-test.run=^TestMemoryOfConvolutions$")
		c.Env = append(os.Environ(), asChild+"="+args, asChild+"_OUT="+out)
		if text, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", args, err, text)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		var r took
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatal(err)
		}
		off := float64(r.Foretold)/float64(r.Took) - 1
		t.Logf("channels and batch %-7s foretold %6.1f MiB, was %6.1f MiB, %.1f before: %+.1f %%", args,
			float64(r.Foretold)/(1<<20), float64(r.Took)/(1<<20), float64(r.Before)/(1<<20), 100*off)
		if off < -0.1 || off > 0.1 || r.Took <= r.Before {
			t.Errorf("channels and batch %s: %+v", args, r)
		}
	}
}
