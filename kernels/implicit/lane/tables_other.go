//go:build !amd64 || noasm

package lane

import "ganglion/internal/cpu"

// The tables of the Go path, for 16 and 32 lanes.
var (
	go32 = [2]*Table[float32]{twin[float32](16), twin[float32](32)}
	go64 = [2]*Table[float64]{twin[float64](16), twin[float64](32)}

	goJacobians32 = twinJacobians[float32]()
	goJacobians64 = twinJacobians[float64]()

	goWeights32 = twinWeights[float32]()
	goWeights64 = twinWeights[float64]()
)

func table32(_ cpu.Path, width int) *Table[float32] { return go32[width] }

func table64(_ cpu.Path, width int) *Table[float64] { return go64[width] }

func jacobians32(cpu.Path) *Jacobians[float32] { return goJacobians32 }

func jacobians64(cpu.Path) *Jacobians[float64] { return goJacobians64 }

func weights32(cpu.Path) *Weights[float32] { return goWeights32 }

func weights64(cpu.Path) *Weights[float64] { return goWeights64 }
