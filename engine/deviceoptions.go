package engine

import (
	"errors"
	"os"

	"ganglion/cuda"
	"ganglion/cuda/cublas"
)

// DeviceOptions are the options of OpenDeviceWith. The zero value is what OpenDevice takes.
type DeviceOptions struct {
	// Compiler is the path of the run-time compiler libnvrtc, which makes one kernel of neighbouring elementwise steps:
	// "" or "auto" for the library that the dynamic loader finds, "off" for none.
	Compiler string
	// Cache is the folder in which such kernels are kept, "" for ganglion/kernels in the user's folder of caches.
	Cache string
	// CUBLAS is the path of the library libcublas, which multiplies matrices instead of the engine's kernels:
	// "auto" for the one that the dynamic loader finds, "off" for none, "" for what the environment variable
	// GANGLION_CUBLAS says, which is auto if it is not set. On the emulator auto finds none. A path that cannot be
	// loaded is an error.
	CUBLAS string
}

// useCUBLAS tells whether the device has the library. Only one that was named must be there.
func useCUBLAS(d *cuda.Device, setting string) (bool, error) {
	if setting == "" {
		setting = os.Getenv("GANGLION_CUBLAS")
	}
	err := d.UseCUBLAS(setting)
	named := setting != "" && setting != "auto" && setting != "off"
	if err != nil && (named || !errors.Is(err, cublas.ErrUnavailable)) {
		return false, err
	}
	return err == nil, nil
}
