package run

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"ganglion/cuda"
	"ganglion/cuda/driver"
	"ganglion/cuda/nvrtc"
	"ganglion/engine"
)

// The ways in which a run ends that the command tells apart by its exit code.
var (
	ErrInterrupted = errors.New("interrupted")
	ErrMemory      = errors.New("out of the memory budget")
)

// DeviceError says that a requested device cannot be used, and why.
type DeviceError struct{ Device, Why string }

// Error names the device, the reason and the way out.
func (e *DeviceError) Error() string {
	return fmt.Sprintf(
		"device %s is not available: %s; use --device cpu, or auto to take what there is",
		e.Device,
		e.Why,
	)
}

// noGPU is why this program has no CUDA device.
const noGPU = "this program was built without GPU code"

// Device is where programs run: the processor, or a CUDA device that stays open until Close.
type Device struct {
	Name   string         // cpu, cuda:N, or cuda:N (emulated) on the emulator of the tests
	Notice string         // one line for the log, empty when there is nothing to say
	Engine *engine.Device // nil for the processor
}

// Close gives a CUDA device back. It may be called again.
func (d *Device) Close() error {
	if d.Engine == nil {
		return nil
	}
	if err := d.Engine.Close(); err != nil {
		return fmt.Errorf("closing %s: %w", d.Name, err)
	}
	return nil
}

// OpenDevice opens the device for a request. cpu does not look for others. cuda, which is cuda:0, and cuda:N give that
// device or a DeviceError with the reason. auto, or nothing, gives cuda:0 where it can be used, else the processor and
// a notice that says why.
func OpenDevice(request string) (*Device, error) {
	return OpenDeviceWith(request, engine.DeviceOptions{})
}

// OpenDeviceWith is OpenDevice with options for a CUDA device. A library that they name by its path must be there.
func OpenDeviceWith(request string, o engine.DeviceOptions) (*Device, error) {
	index, err := parseDevice(request)
	if err != nil {
		return nil, err
	}
	if request == "cpu" {
		return &Device{Name: "cpu"}, nil
	}
	auto := request == "auto" || request == ""
	d, err := openCUDA(index, o)
	switch {
	case err == nil && auto:
		return &Device{Name: d.Name(), Engine: d, Notice: "device: " + d.Properties().String()}, nil
	case err == nil:
		return &Device{Name: d.Name(), Engine: d}, nil
	case !auto:
		return nil, &DeviceError{Device: request, Why: why(err)}
	case !driver.Built:
		return &Device{Name: "cpu", Notice: "device: cpu, since " + noGPU}, nil
	}
	return &Device{Name: "cpu", Notice: fmt.Sprintf("no GPU (%s); using the CPU", why(err))}, nil
}

// openCUDA opens a CUDA device.
func openCUDA(index int, o engine.DeviceOptions) (*engine.Device, error) {
	d, err := engine.OpenDeviceWith(index, o)
	if err != nil || o.Compiler == "" || o.Compiler == "auto" || o.Compiler == "off" {
		return d, err
	}
	if _, err := nvrtc.Open(o.Compiler); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// parseDevice reads a request and returns the index of the CUDA device, 0 if it names none.
func parseDevice(request string) (int, error) {
	switch kind, number, ok := strings.Cut(request, ":"); {
	case request == "cpu" || request == "auto" || request == "" || request == "cuda":
		return 0, nil
	case kind == "cuda" && ok:
		if index, err := strconv.Atoi(number); err == nil && index >= 0 {
			return index, nil
		}
	}
	return 0, usage(fmt.Errorf("device %q is not one of auto, cpu, cuda, cuda:N", request))
}

// why is the reason, in one line, for which a device could not be opened.
func why(err error) string {
	if !driver.Built {
		return noGPU
	}
	text := err.Error()
	var e *cuda.Error
	if errors.As(err, &e) && errors.Is(e, cuda.ErrUnavailable) && e.Text != "" {
		text = e.Text
	}
	return strings.ReplaceAll(text, "\n", "; ")
}

// precision is that of products as results name it: "" for that of all numbers.
func (c Config) precision() string {
	if p := c.Train.Precision; p != "f32" {
		return p
	}
	return ""
}

// storage is the format of what products read, as results name it: "" for that of all numbers.
func (c Config) storage() string {
	if s := c.Train.Storage; s != "f32" {
		return s
	}
	return ""
}

// deviceName is the device of a configuration as results name it.
func (c Config) deviceName() string {
	if d := c.Train.Device; d != nil {
		return d.Name()
	}
	return "cpu"
}
