package run

import (
	"fmt"
	"time"

	"ganglion/models"
	"ganglion/models/zoo"
)

// CheckResult is one line of ganglion check.
type CheckResult struct {
	Model    string  `json:"model"`
	Check    string  `json:"check"`
	Claim    string  `json:"claim"`
	OK       bool    `json:"ok"`
	Measured string  `json:"measured"`
	Required string  `json:"required"`
	Seconds  float64 `json:"seconds"`
}

// Check runs the acceptance checks of a model, or of all when id is empty: the fast ones, or with the tier full all of
// them. Each result is handed to f as it comes. A check that could not be carried out has not passed; Measured says
// why.
func Check(id, tier string, seed uint64, f func(CheckResult) error) error {
	if tier != "fast" && tier != "full" {
		return usage(fmt.Errorf("tier %q is not one of fast, full", tier))
	}
	systems := models.All()
	if id != "" {
		s, err := System(id)
		if err != nil {
			return err
		}
		systems = []zoo.System{s}
	}
	for _, s := range systems {
		for _, c := range s.Checks {
			if c.Tier == zoo.Full && tier != "full" {
				continue
			}
			if err := f(carryOut(s.ID, c, seed)); err != nil {
				return err
			}
		}
	}
	return nil
}

func carryOut(id string, c zoo.Check, seed uint64) CheckResult {
	start := time.Now()
	r := CheckResult{Model: id, Check: c.Name, Claim: c.Claim}
	var err error
	if r.Measured, r.Required, r.OK, err = c.Run(seed); err != nil {
		r.OK, r.Measured = false, "error: "+err.Error()
	}
	r.Seconds = time.Since(start).Seconds()
	return r
}
