package random

import "ganglion/kernels"

var (
	_ kernels.ShapeReader = Bernoulli{}
	_ kernels.ShapeReader = Normal{}
	_ kernels.ShapeReader = Uniform{}
)

// ShapeOnly is true for like.
func (Bernoulli) ShapeOnly(i int) bool { return i == 0 }

// ShapeOnly is true for like.
func (Normal) ShapeOnly(i int) bool { return i == 0 }

// ShapeOnly is true for like.
func (Uniform) ShapeOnly(i int) bool { return i == 0 }
