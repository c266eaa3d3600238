package train

import (
	"fmt"
	"slices"

	"ganglion/engine/checkpoint/safetensors"
	"ganglion/kernels"
)

// saved views a tensor as one of a checkpoint, without a copy on little-endian machines.
func saved(name string, t kernels.Tensor) safetensors.Tensor {
	switch t.DType {
	case kernels.Float32:
		return safetensors.Of(name, t.Shape, t.F32)
	case kernels.Float64:
		return safetensors.Of(name, t.Shape, t.F64)
	case kernels.Int32:
		return safetensors.Of(name, t.Shape, t.I32)
	}
	return safetensors.Of(name, t.Shape, t.U8)
}

// load fills dst from the checkpoint's tensor of the given name, which must have dst's type and shape.
func load(dst kernels.Tensor, held map[string]safetensors.Tensor, name string) error {
	src, ok := held[name]
	if !ok {
		return fmt.Errorf("checkpoint has no tensor %q: it belongs to another model or configuration", name)
	}
	if !slices.Equal(src.Shape, dst.Shape) {
		return fmt.Errorf("checkpoint's %q has shape %v, the model's %v: it belongs to another configuration",
			name, src.Shape, dst.Shape)
	}
	switch dst.DType {
	case kernels.Float32:
		return safetensors.Copy(dst.F32, src)
	case kernels.Float64:
		return safetensors.Copy(dst.F64, src)
	case kernels.Int32:
		return safetensors.Copy(dst.I32, src)
	}
	return safetensors.Copy(dst.U8, src)
}
