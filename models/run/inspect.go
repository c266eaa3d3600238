package run

import (
	"fmt"
	"os"

	"ganglion/kernels/implicit"
)

// Inspection is what ganglion inspect --json prints.
type Inspection struct {
	Command        string     `json:"command"`
	Model          string     `json:"model"`
	Run            string     `json:"run"`
	Data           string     `json:"data"`
	Step           int        `json:"step"`
	Epoch          int        `json:"epoch"`
	Parameters     int        `json:"parameters"`
	Tensors        []Variable `json:"tensors"`
	Modules        *Modules   `json:"modules,omitempty"`
	SpectralRadius Number     `json:"spectral_radius,omitempty"` // of the kept edges
	Pictures       []string   `json:"pictures"`
}

// Variable is one parameter.
type Variable struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

// Inspect describes a trained network and draws its structure into dir, or into the run directory when dir is empty.
func (t *Trained) Inspect(dir string) (*Inspection, error) {
	store := t.Predictor.Store()
	i := &Inspection{
		Command:    "inspect",
		Model:      t.System.ID,
		Run:        t.Dir,
		Data:       t.columns.Name,
		Step:       t.State.Step,
		Epoch:      t.State.Epoch,
		Parameters: store.Params().Size(),
		Pictures:   []string{},
	}
	for _, name := range store.Names() {
		v, err := store.Tensor(name)
		if err != nil {
			return nil, err
		}
		if store.IsParam(name) {
			i.Tensors = append(i.Tensors, Variable{name, v.DType.String(), append([]int{}, v.Shape...)})
		}
	}
	after, ok, err := t.Snapshot()
	if err != nil || !ok {
		return i, err
	}
	i.Modules, i.SpectralRadius = modulesOf(after), Number(implicit.SpectralRadius(after.W, after.Layout))
	if dir == "" {
		dir = t.Dir
	} else if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("pictures: %w", err)
	}
	i.Pictures, err = Draw(dir, t.before, after, fmt.Sprintf("%s on %s", t.System.ID, t.columns.Name))
	return i, err
}
