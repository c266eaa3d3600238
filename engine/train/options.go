// Package train is the training loop: it turns a model into one program per purpose (train, evaluate), feeds it
// mini-batches, and keeps the run on disk so that it can be resumed at the exact step.
package train

import (
	"fmt"
	"slices"
	"strings"

	"ganglion/engine"
	"ganglion/engine/plan"
	"ganglion/internal/par"
)

// Options configures a run. Defaults returns all of them at their defaults, which stand in brackets. In New the zero
// value of epochs, batch, lr, momentum, keep_checkpoints and of the words means the default; Check takes every value as
// it is.
type Options struct {
	Epochs    int     `yaml:"epochs" doc:"passes over the training part [30]"`
	Batch     int     `yaml:"batch" doc:"samples of a mini-batch [64]"`
	LR        float64 `yaml:"lr" doc:"learning rate [0.003]"`
	Optimiser string  `yaml:"optimiser" doc:"sgd, momentum, adam or adamw [adam]"`
	Momentum  float64 `yaml:"momentum" doc:"momentum of the optimiser momentum [0.9]"`
	Decay     float64 `yaml:"weight_decay" doc:"weight decay: decoupled for adamw, L2 gradient for the others [0]"`
	Schedule  string  `yaml:"schedule" doc:"constant, cosine, linear or step [cosine]"`
	Warmup    int     `yaml:"warmup" doc:"steps of linear warm-up [0]"`
	Clip      float64 `yaml:"clip" doc:"largest global norm of the gradient; 0 does not clip [0]"`
	Patience  int     `yaml:"patience" doc:"epochs without a better validation loss before stopping; 0 never [0]"`
	NonFinite string  `yaml:"non_finite" doc:"at a loss or gradient that is not finite: stop or skip [stop]"`
	Save      int     `yaml:"save_steps" doc:"steps between checkpoints; 0: ends of epochs, once a second [0]"`
	Keep      int     `yaml:"keep_checkpoints" doc:"newest checkpoints kept besides the best [2]"`
	Seed      uint64  `yaml:"seed" doc:"seed of initial values, splits, batches and dropout [1]"`
	DType     string  `yaml:"dtype" doc:"f32 or f64 [f32]"`
	Precision string  `yaml:"precision" doc:"operands of products are rounded to tf32 or bf16; f32: not at all [f32]"`
	Storage   string  `yaml:"storage" doc:"bf16: values that products of precision bf16 read are kept in 16 bits [f32]"`
	Strict    bool    `yaml:"strict" doc:"an unsolved system, or an op without a kernel, ends the run [false]"`
	Threads   int     `yaml:"threads" doc:"worker threads, 0 for all cores; results do not depend on it [0]"`

	// Budget is the number of bytes that parameters and states may take, 0 for any number. It belongs to the machine,
	// not to the run, and is not kept with it.
	Budget int `yaml:"-"`
	// Device runs the programs, nil for the processor. Eager launches its kernels one by one instead of capturing them.
	// Both belong to the machine too.
	Device *engine.Device `yaml:"-"`
	Eager  bool           `yaml:"-"`
}

// The words that Options takes.
var (
	optimisers = []string{"adam", "adamw", "momentum", "sgd"}
	schedules  = []string{"constant", "cosine", "linear", "step"}
	policies   = []string{"skip", "stop"}
	dtypes     = []string{"f32", "f64"}
	storages   = []string{"f32", "bf16"}
)

// Defaults returns the options of a run for which nothing was asked.
func Defaults() Options {
	o := Options{Seed: 1}
	o.fill()
	return o
}

// fill puts defaults in the place of zero values.
func (o *Options) fill() {
	def(&o.Epochs, 30)
	def(&o.Batch, 64)
	def(&o.LR, 0.003)
	def(&o.Optimiser, "adam")
	def(&o.Momentum, 0.9)
	def(&o.Schedule, "cosine")
	def(&o.NonFinite, "stop")
	def(&o.Keep, 2)
	def(&o.DType, "f32")
	def(&o.Precision, "f32")
	def(&o.Storage, "f32")
}

// maxCount bounds whole numbers, so that products of them stay in range, and maxRate the learning rate, so that it is a
// float32.
const (
	maxCount = 1 << 30
	maxRate  = 1e30
)

// Check returns an error that names the first bad field and what it takes.
func (o Options) Check() error {
	for _, c := range []struct {
		name, value string
		known       []string
	}{{"optimiser", o.Optimiser, optimisers}, {"schedule", o.Schedule, schedules},
		{"non_finite", o.NonFinite, policies}, {"dtype", o.DType, dtypes}, {"storage", o.Storage, storages}} {
		if !slices.Contains(c.known, c.value) {
			return fmt.Errorf("%s: %q is not one of %s", c.name, c.value, strings.Join(c.known, ", "))
		}
	}
	if p, err := plan.ParsePrecision(o.Precision); err != nil {
		return err
	} else if p != plan.Full && o.DType != "f32" {
		return fmt.Errorf("precision: %v is for dtype f32, which is %s", p, o.DType)
	} else if o.Storage == "bf16" && p != plan.BF16 {
		return fmt.Errorf("storage: bf16 is for precision bf16, which is %v", p)
	}
	for _, c := range []struct {
		name  string
		value float64
		min   float64
	}{{"epochs", float64(o.Epochs), 1}, {"batch", float64(o.Batch), 1}, {"warmup", float64(o.Warmup), 0},
		{"weight_decay", o.Decay, 0}, {"clip", o.Clip, 0}, {"patience", float64(o.Patience), 0},
		{"save_steps", float64(o.Save), 0}, {"keep_checkpoints", float64(o.Keep), 1}, {"threads", float64(o.Threads),
			0}} {
		if !(c.value >= c.min) {
			return fmt.Errorf("%s: %v is below %v", c.name, c.value, c.min)
		}
		if c.value > maxCount {
			return fmt.Errorf("%s: %v is above %d", c.name, c.value, maxCount)
		}
	}
	if !(o.LR > 0 && o.LR <= maxRate) {
		return fmt.Errorf("lr: %v is not a number above 0 and up to %v", o.LR, maxRate)
	}
	if !(o.Momentum > 0 && o.Momentum < 1) {
		return fmt.Errorf("momentum: %v is not between 0 and 1", o.Momentum)
	}
	return nil
}

// compile compiles a program of a run.
func (o Options) compile(g *engine.Graph, pool *par.Pool, store *engine.Store) (*engine.Program, error) {
	def(&o.Precision, "f32")
	p, err := plan.ParsePrecision(o.Precision)
	if err != nil {
		return nil, err
	}
	return engine.Compile(g, engine.Options{Pool: pool, Seed: o.Seed, Store: store, Strict: o.Strict, Device: o.Device,
		Eager: o.Eager, Precision: p, Halve: o.Storage == "bf16"})
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}
