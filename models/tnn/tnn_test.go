package tnn

import (
	"strings"
	"testing"

	"ganglion/engine/train"
	"ganglion/models/zoo"
)

func TestTNN(t *testing.T)      { zoo.Verify(t, TNN) }
func TestLowRank(t *testing.T)  { zoo.Verify(t, LowRank) }
func TestLeapfrog(t *testing.T) { zoo.Verify(t, Leapfrog) }

func TestSettings(t *testing.T) {
	image, plain := train.Task{Inputs: 64, Outputs: 10, Shape: [3]int{1, 8, 8}}, train.Task{Inputs: 64, Outputs: 10}
	with := func(change func(c *Config)) Config {
		c := defaults()
		change(&c)
		return c
	}
	for _, c := range []struct {
		build zoo.Builder
		cfg   any
		task  train.Task
		want  string // "" builds
	}{
		{build, defaults(), image, ""},
		{build, with(func(c *Config) { c.Shape = "16x4" }), plain, ""},
		{buildLeapfrog, leapfrogDefaults(), image, ""},
		{build, defaults(), plain, "give a shape"},
		{build, with(func(c *Config) { c.Shape = "8by8" }), plain, "is not features and channels"},
		{build, with(func(c *Config) { c.Shape = "9x9" }), plain, "has not the 64 elements"},
		{build, with(func(c *Config) { c.Transform = "dst" }), image, "is not one of dct"},
		{build, with(func(c *Config) { c.Shape, c.Transform = "1x3", "haar" }), train.Task{Inputs: 3}, "power of two"},
		{build, with(func(c *Config) { c.Width = 0 }), image, "width 0"},
		{build, with(func(c *Config) { c.Rank = -1 }), image, "rank: -1"},
		{build, with(func(c *Config) { c.Activation = "none?" }), image, "activation"},
		{build, with(func(c *Config) { c.Domain = "both" }), image, "domain"},
		{build, with(func(c *Config) { c.Domain, c.Transform = "transform", "dft" }), image, "complex"},
		{build, with(func(c *Config) { c.Head = "sum" }), image, "head"},
		{build, with(func(c *Config) { c.Head, c.Transform = "tubal", "dft" }), image, "complex"},
		{build, leapfrogDefaults(), image, "configuration is a"},
		{buildLeapfrog, defaults(), image, "configuration is a"},
		{buildLeapfrog, LeapfrogConfig{Transform: "dct", Activation: "tanh", Blocks: 1}, image, "step 0"},
	} {
		_, err := c.build(c.cfg, c.task)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want %q", c.cfg, err, c.want)
		}
	}
}
