package bench

import (
	"ganglion/kernels"
	"ganglion/kernels/conv"
)

func convWorkload() workload {
	const title = "convolutions of 64 channels with their gradients, 3×3 on 32×32, 5 on 1024; training steps of LeNet"
	return workload{"conv", title, "", convCases}
}

// convCases are the three ops of a layer for images, and for series.
func convCases(e env) []bench {
	batch, channels, image, series := 32, 64, 32, 1024
	if e.quick {
		batch, channels, image, series = 2, 3, 5, 9
	}
	var out []bench
	for dims, extent := range []int{series, image} {
		const taps1, taps2 = 5, 3
		o, name, taps := conv.Conv{Dims: 1, Pad: [3]int32{taps1 / 2}}, "conv1d", []int{taps1}
		signal := []int{batch, channels, extent}
		if dims == 1 {
			o, name = conv.Conv{Dims: 2, Pad: [3]int32{taps2 / 2, taps2 / 2}}, "conv2d"
			taps, signal = []int{taps2, taps2}, append(signal, extent)
		}
		weights := append([]int{channels, channels}, taps...)
		for _, c := range []struct {
			op     string
			kernel kernels.CPUOp
			shapes [][]int
		}{
			{name, o, [][]int{signal, weights}},
			{name + "-grad-x", conv.ConvGradX{Of: o}, [][]int{signal, weights, signal}},
			{name + "-grad-w", conv.ConvGradW{Of: o}, [][]int{signal, signal, weights}},
		} {
			size := Size{{"op", c.op}, {"batch", batch}, {"channels", channels}, {"extent", extent}, {"taps", taps[0]}}
			out = append(out, bench{size, func(e env) (*runner, error) {
				return openOp(e, c.kernel, convWork(e, signal, weights), c.shapes...)
			}})
		}
	}
	return append(out, networkCases(e)...)
}

// convWork counts a multiply-add for each position of the output, weight and image, those with padding included; each
// of the three arrays moves once.
func convWork(e env, signal, weights []int) Work {
	size := func(shape []int) float64 { return float64(kernels.S(e.dtype, shape...).Size()) }
	bytes := (2*size(signal) + size(weights)) * float64(e.dtype.Size())
	return Work{Flops: 2 * size(signal) / float64(signal[1]) * size(weights), Bytes: bytes, Set: bytes}
}
