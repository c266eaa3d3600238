package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"ganglion/engine"
	"ganglion/models/run"
)

func deviceFlag() cli.Flag {
	return &cli.StringFlag{Name: "device", Value: "auto", Usage: "`DEVICE`: auto, cpu, cuda or cuda:N"}
}

// libraryFlags are about what a CUDA device may use besides the kernels of this program.
func libraryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "fusion", Value: "on", Usage: "make one kernel of neighbouring elementwise steps on a " +
			"CUDA device: on (if NVRTC is found), off, or the `PATH` of libnvrtc"},
		&cli.StringFlag{Name: "cublas", Usage: "multiply matrices by cuBLAS on a CUDA device: auto (if it is found), " +
			"off, or the `PATH` of libcublas (default: GANGLION_CUBLAS, else auto)"},
		&cli.StringFlag{Name: "kernel-cache", Usage: "`DIR` in which kernels made by fusion are kept (default: " +
			"ganglion/kernels in the user's folder of caches)"},
	}
}

// request opens one device with the libraries that the command asks for.
func request(c *cli.Context, device string) (*run.Device, error) {
	o := engine.DeviceOptions{Compiler: c.String("fusion"), Cache: c.String("kernel-cache"), CUBLAS: c.String("cublas")}
	if o.Compiler == "on" {
		o.Compiler = "auto"
	}
	return run.OpenDeviceWith(device, o)
}

func precisionFlag() cli.Flag {
	return &cli.StringFlag{Name: "precision",
		Usage: "`PRECISION` of products: f32; tf32 or bf16 rounds their operands, for tensor cores (default: f32)"}
}

func storageFlag() cli.Flag {
	return &cli.StringFlag{Name: "storage",
		Usage: "`FORMAT` of values that products read: f32; bf16 keeps them in 16 bits, with --precision bf16 " +
			"(default: f32)"}
}

// openDevice opens the device that the command asks for and says on the log what there is to say about it.
func openDevice(c *cli.Context) (*run.Device, error) {
	d, err := request(c, c.String("device"))
	if err == nil && d.Notice != "" {
		fmt.Fprintln(c.App.ErrWriter, d.Notice)
	}
	return d, err
}

// closing closes a device when the command is done, and adds what goes wrong to how it ended.
func closing(d *run.Device, err *error) {
	switch failed := d.Close(); {
	case failed == nil:
	case *err == nil:
		*err = failed
	default:
		*err = fmt.Errorf("%w; %w", *err, failed)
	}
}

// printDeviceMemory prints what a run will hold on its device; nothing without one.
func printDeviceMemory(out io.Writer, f *run.DeviceForecast) error {
	if f == nil {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', tabwriter.AlignRight)
	for _, l := range []struct {
		what  string
		bytes int
	}{
		{"parameters and states", f.Store}, {"intermediate values", f.Arena},
		{"inputs, constants, scratch memory, reports", f.Plans}, {"network for comparison", f.Baseline},
		{"predicted peak", f.Peak}, {"free now", f.Free},
	} {
		fmt.Fprintf(w, "on %s: %s\t%d\t bytes\n", f.Device, l.what, l.bytes)
	}
	return w.Flush()
}
