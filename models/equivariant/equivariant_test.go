package equivariant

import (
	"strings"
	"testing"

	"ganglion/engine/train"
	"ganglion/models/zoo"
)

func TestEqMLP(t *testing.T) { zoo.Verify(t, EqMLP) }

func TestSettings(t *testing.T) {
	base := EqMLP.Config.(Config)
	task := train.Task{Inputs: 25, Outputs: 3}
	for _, c := range []struct {
		change func(c *Config)
		want   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Group = "U" }, `group "U" is not one of S, O, SO, Sp`},
		{func(c *Config) { c.Orders = "2" }, "has no layer"},
		{func(c *Config) { c.Orders = "2-x" }, "is not a path like 2-2-0"},
		{func(c *Config) { c.N = 4 }, "the data have 25 features, not 1 channels of 4^2 numbers"},
		{func(c *Config) { c.Group = "Sp" }, "Sp(n) wants an even n, has 5"},
		{func(c *Config) { c.Orders = "2-9-0" }, "diagrams from order 2 to order 9 for S(5)"},
		{func(c *Config) { c.Group, c.Gate = "O", "relu" }, "does not commute with O(n)"},
		{func(c *Config) { c.Gate = "soft" }, `gate: "soft" is not auto`},
		{func(c *Config) { c.Orders, c.Hidden = "2-1", 0 }, "an output of order 1 has 5 numbers a channel, the task 3"},
		{func(c *Config) { c.Channels = 0 }, "channels 0"},
	} {
		cfg := base
		c.change(&cfg)
		_, err := build(cfg, task)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: error %v, want %q", cfg, err, c.want)
		}
	}
}
