package baseline

import (
	"strings"
	"testing"

	"ganglion/engine/train"
	"ganglion/models/zoo"
)

func TestLeNet(t *testing.T) { zoo.Verify(t, LeNet) }
func TestGRU(t *testing.T)   { zoo.Verify(t, GRU) }
func TestLSTM(t *testing.T)  { zoo.Verify(t, LSTM) }

func TestSettings(t *testing.T) {
	image := train.Task{Inputs: 64, Outputs: 10, Shape: [3]int{1, 8, 8}}
	flat := train.Task{Inputs: 64, Outputs: 10}
	lenet := func(change func(c *LeNetConfig)) LeNetConfig {
		c := lenetDefaults()
		change(&c)
		return c
	}
	cells := func(change func(c *RecurrentConfig)) RecurrentConfig {
		c := gruDefaults()
		change(&c)
		return c
	}
	for _, c := range []struct {
		s    zoo.System
		cfg  any
		task train.Task
		want string // "" builds
	}{
		{LeNet, lenetDefaults(), image, ""},
		{LeNet, lenet(func(c *LeNetConfig) { c.Shape = "4x16" }), flat, ""},
		{GRU, gruDefaults(), image, ""},
		{LSTM, cells(func(c *RecurrentConfig) { c.Shape = "2x32" }), flat, ""},
		{LeNet, lenetDefaults(), flat, "give them a shape"},
		{GRU, gruDefaults(), flat, "give them a shape"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Shape = "8by8" }), flat, `shape: "8by8" is not channels and extents`},
		{LeNet, lenet(func(c *LeNetConfig) { c.Shape = "64" }), flat, "is not channels and one or two extents"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Shape = "1x7x9" }), flat, "has 63 elements, the data have 64 features"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Kernel = 4 }), image, "kernel: 4 is not odd"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Channels = 0 }), image, "channels 0"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Pool = "min" }), image, `pool: "min" is not max or avg`},
		{LeNet, lenet(func(c *LeNetConfig) { c.Activation = "none?" }), image, "activation"},
		{LeNet, lenet(func(c *LeNetConfig) { c.Dropout = 1 }), image, "dropout: 1 is not in [0, 1)"},
		{GRU, cells(func(c *RecurrentConfig) { c.Hidden = 0 }), image, "hidden 0"},
		{GRU, cells(func(c *RecurrentConfig) { c.Pool = "first" }), image, `pool: "first" is not last or mean`},
		{LSTM, cells(func(c *RecurrentConfig) { c.Dropout = -1 }), image, "dropout: -1 is not in [0, 1)"},
		{GRU, lstmDefaults(), image, "forget_bias: 1: an lstm takes it"},
		{LSTM, lenetDefaults(), image, "configuration is a"},
	} {
		_, err := c.s.Build(c.cfg, c.task)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %+v: error %v, want %q", c.s.ID, c.cfg, err, c.want)
		}
	}
}
