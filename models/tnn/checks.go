package tnn

import (
	"fmt"

	"ganglion/engine/train"
	"ganglion/models/zoo"
)

// The acceptance checks of this package's systems.
var (
	checksTNN = []zoo.Check{
		{Name: "digits", Claim: "on digits, test accuracy is 0.96 at least",
			Run: func(seed uint64) (string, string, bool, error) { return digits(build, defaults(), seed, 0.96) }},
		{
			Name: "digits-mean",
			Tier: zoo.Full,
			Claim: "on digits, the mean accuracy of three seeds is 0.97 at least, and " +
				"0.95 with tubal rank 3",
			Run: means,
		},
	}
	checksLowRank = []zoo.Check{
		{Name: "digits", Claim: "on digits, test accuracy with tubal rank 3 is 0.93 at least",
			Run: func(seed uint64) (string, string, bool, error) { return digits(build, lowRank(), seed, 0.93) }},
	}
	checksLeapfrog = []zoo.Check{
		{Name: "digits", Claim: "on digits, test accuracy is 0.95 at least",
			Run: func(seed uint64) (string, string, bool, error) {
				return digits(buildLeapfrog, leapfrogDefaults(), seed, 0.95)
			}},
	}
)

// score trains a network on digits by the recipe and returns the accuracy on the test part.
func score(build zoo.Builder, cfg any, seed uint64) (float64, error) {
	set, err := zoo.LoadSet("digits", seed)
	if err != nil {
		return 0, err
	}
	o := train.Options{Seed: seed}
	recipe(&o)
	return build.Score(cfg, set, o)
}

func digits(build zoo.Builder, cfg any, seed uint64, want float64) (measured, required string, ok bool, err error) {
	got, err := score(build, cfg, seed)
	return fmt.Sprintf("%.4f", got), fmt.Sprintf("at least %v", want), got >= want, err
}

// means are the accuracies of three seeds, of full weights and of those of tubal rank 3.
func means(seed uint64) (measured, required string, ok bool, err error) {
	var mean [2]float64
	for i, cfg := range []Config{defaults(), lowRank()} {
		for k := range uint64(3) {
			got, err := score(build, cfg, seed+k)
			if err != nil {
				return "", "", false, err
			}
			mean[i] += got / 3
		}
	}
	return fmt.Sprintf("%.4f and %.4f", mean[0], mean[1]), "0.97 and 0.95", mean[0] >= 0.97 && mean[1] >= 0.95, nil
}
