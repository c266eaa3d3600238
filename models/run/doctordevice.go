package run

import (
	"context"
	"errors"
	"fmt"
	"os"

	"ganglion/cuda"
	"ganglion/cuda/cublas"
	"ganglion/cuda/driver"
	"ganglion/cuda/nvrtc"
	"ganglion/engine"
	"ganglion/kernels"
	"ganglion/kernels/dense"
)

// doctorCUDA looks at the driver, at each device, and at what may help to use it.
func doctorCUDA() []Finding {
	if !driver.Built {
		return []Finding{{"CUDA", noGPU, true}}
	}
	devices, err := cuda.Devices()
	if err != nil {
		return []Finding{{"CUDA", "no GPU (" + why(err) + "); training uses the CPU", true}}
	}
	version, count := devices[0].Driver, fmt.Sprintf("%d devices", len(devices))
	if len(devices) == 1 {
		count = "1 device"
	}
	out := []Finding{
		{"CUDA", fmt.Sprintf("driver for CUDA %d.%d, %s; the kernels want compute capability %d.%d",
			version/1000, version%1000/10, count, engine.MinCapability/10, engine.MinCapability%10), true},
	}
	for i, p := range devices {
		f := Finding{fmt.Sprintf("cuda:%d", i), p.String(), true}
		if says, good := tryDevice(i); !good {
			f.Says, f.OK = f.Says+": "+says, false
		} else {
			f.Says += ": " + says
		}
		out = append(out, f)
	}
	return append(out, Finding{"NVRTC", saysNVRTC(version), true}, Finding{"cuBLAS", saysCUBLAS(), true})
}

// saysNVRTC tells whether steps can be fused for a driver of the given version.
func saysNVRTC(version int) string {
	c, err := nvrtc.Open("auto")
	if err != nil {
		return fmt.Sprintf("not found (%s): elementwise steps are launched one by one, all else was compiled "+
			"beforehand", why(err))
	}
	major, minor := c.Version()
	says := fmt.Sprintf("CUDA %d.%d at %s", major, minor, c.Path())
	if err := c.Usable(version); err != nil {
		says += ", of no use: " + err.Error()
	}
	return says
}

// saysCUBLAS tells whether products are left to the library.
func saysCUBLAS() string {
	const own = "products run on the engine's own kernels"
	setting := os.Getenv("GANGLION_CUBLAS")
	if setting == "off" {
		return "switched off by GANGLION_CUBLAS=off: " + own
	}
	l, err := cublas.Open(setting)
	if err != nil {
		return fmt.Sprintf("not found (%s): %s", why(err), own)
	}
	if driver.Emulated() && (setting == "" || setting == "auto") {
		return fmt.Sprintf("at %s, which does not run on the emulated device: %s", l.Path(), own)
	}
	return "at " + l.Path()
}

// tryDevice opens a device and runs a kernel on it.
func tryDevice(index int) (says string, ok bool) {
	d, err := engine.OpenDevice(index)
	if err != nil {
		return why(err), false
	}
	err = probe(d)
	if err = errors.Join(err, d.Close()); err != nil {
		return why(err), false
	}
	return "runs kernels", true
}

// probe doubles some numbers on a device.
func probe(d *engine.Device) error {
	const n = 1000
	g, err := engine.Build("probe", kernels.Float32, func(s *engine.Scope) {
		s.Output("y", s.Apply(dense.Scale{Alpha: 2}, s.Input("x", kernels.S(kernels.Float32, n))))
	})
	if err != nil {
		return err
	}
	p, err := engine.Compile(g, engine.Options{Workers: 1, Device: d, Strict: true})
	if err != nil {
		return err
	}
	defer p.Close()
	x := kernels.New(kernels.S(kernels.Float32, n))
	for i := range x.F32 {
		x.F32[i] = float32(i)
	}
	slot, err := p.Slot("x")
	if err != nil {
		return err
	}
	if err := p.Run(context.Background(), engine.Feeds{{Slot: slot, Tensor: x}}); err != nil {
		return err
	}
	y, err := p.Value("y")
	if err != nil {
		return err
	}
	for i, v := range y.F32 {
		if v != 2*x.F32[i] {
			return fmt.Errorf("2·%v gives %v there", x.F32[i], v)
		}
	}
	return nil
}
