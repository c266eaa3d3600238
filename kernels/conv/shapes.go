package conv

import "ganglion/kernels"

var (
	_ kernels.ShapeReader = AvgPoolGrad{}
	_ kernels.ShapeReader = ConvGradW{}
	_ kernels.ShapeReader = ConvGradX{}
	_ kernels.ShapeReader = Fold{}
)

// ShapeOnly is true for like.
func (AvgPoolGrad) ShapeOnly(i int) bool { return i == 1 }

// ShapeOnly is true for like.
func (ConvGradW) ShapeOnly(i int) bool { return i == 2 }

// ShapeOnly is true for like.
func (ConvGradX) ShapeOnly(i int) bool { return i == 2 }

// ShapeOnly is true for like.
func (Fold) ShapeOnly(i int) bool { return i == 1 }
