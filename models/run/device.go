package run

import (
	"errors"
	"fmt"
	"strings"
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

// Device picks the device for a request: auto, cpu, cuda or cuda:N. notice is one line for the log, empty when there is
// nothing to say.
func Device(request string) (device, notice string, err error) {
	switch kind, _, _ := strings.Cut(request, ":"); {
	case request == "cpu":
		return "cpu", "", nil
	case request == "auto" || request == "":
		return "cpu", "device: cpu, since " + noGPU, nil
	case kind == "cuda":
		return "", "", &DeviceError{Device: request, Why: noGPU}
	}
	return "", "", usage(fmt.Errorf("device %q is not one of auto, cpu, cuda, cuda:N", request))
}
