package optest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"ganglion/internal/optest"
	"ganglion/kernels"
)

// double is y = 2x, the op on which the bench itself is tested; Fault says what is wrong with it.
type double struct{ Fault string }

func (o double) Infer(in []kernels.Spec) (kernels.Spec, error) {
	if err := kernels.WantInputs(o, in, -1); err != nil {
		return kernels.Spec{}, err
	}
	return in[0], kernels.WantFloats(o, in, 0)
}

func (double) Ref(out kernels.Tensor, in []kernels.Tensor) {
	for i, v := range in[0].F64 {
		out.F64[i] = 2 * v
	}
}

func (o double) Grad(b kernels.Builder, _ []*kernels.Node, _, dout *kernels.Node) []*kernels.Node {
	if o.Fault == "gradient" {
		return []*kernels.Node{dout}
	}
	return []*kernels.Node{b.Apply(double{}, dout)}
}

func (double) InPlace(int) bool { return true }

var sink []byte

func (o double) CPU(c *kernels.Call) {
	switch o.Fault {
	case "allocation":
		sink = make([]byte, 100)
	case "input":
		if len(c.In[0].F32) > 0 {
			c.In[0].F32[0]++
		}
	case "in place":
		c.For(1, func(c *kernels.Call, _, _ int) { clear(c.Out.F32) })
	case "outside":
		if len(c.Out.F64) > 0 {
			outside(c.Out)
		}
	}
	c.Arg[0] = 0
	if o.Fault == "workers" {
		c.Arg[0] = c.Pool.Workers() - 1
	}
	c.For(c.Rows(c.Out.Size(), 1000), doubleChunk)
	if o.Fault == "value" && len(c.Out.F32) > 2 {
		c.Out.F32[2] *= 1.001
	}
}

func doubleChunk(c *kernels.Call, chunk, _ int) {
	lo, hi := c.Chunk(chunk, c.Out.Size())
	extra := float64(c.Arg[0]) * 1e-15
	if c.Out.DType == kernels.Float32 {
		for i := lo; i < hi; i++ {
			c.Out.F32[i] = 2 * c.In[0].F32[i]
		}
		return
	}
	for i := lo; i < hi; i++ {
		c.Out.F64[i] = (2 + extra) * c.In[0].F64[i]
	}
}

func cases(fault string) []optest.Case {
	var c []optest.Case
	for _, n := range []int{0, 1, 33} {
		c = append(c, optest.Case{Op: double{fault}, In: []optest.Arg{optest.Normal(n, 3)}, Linear: true})
	}
	return c
}

func TestDouble(t *testing.T) { optest.Check(t, cases("")) }

func BenchmarkDouble(b *testing.B) { optest.Bench(b, cases("")) }

// TestFaultyChild is run by TestFaults in a process of its own, and must fail there unless it is given no fault.
func TestFaultyChild(t *testing.T) {
	optest.Check(t, cases(os.Getenv("OPTEST_FAULT")))
}

// TestFaults checks that the bench finds each kind of fault, and says what it is.
func TestFaults(t *testing.T) {
	for fault, want := range map[string]string{
		"value":      "differs from the reference",
		"gradient":   "central difference",
		"workers":    "workers differ",
		"allocation": "allocates",
		"input":      "changed its input",
		"in place":   "in place over input",
		"outside":    "wrote outside",
	} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestFaultyChild$")
		cmd.Env = append(os.Environ(), "OPTEST_FAULT="+fault)
		out, err := cmd.CombinedOutput()
		if err == nil {
			t.Errorf("fault %q was not found", fault)
		} else if !strings.Contains(string(out), want) {
			t.Errorf("fault %q: output does not say %q:\n%s", fault, want, out)
		}
	}
}

func TestErrors(t *testing.T) {
	optest.Errors(t, double{}, "wants 1 inputs, has 2", kernels.S(kernels.Float32), kernels.S(kernels.Float32))
	optest.Errors(t, double{}, "must be float32 or float64, is int32", kernels.S(kernels.Int32, 3))
}
