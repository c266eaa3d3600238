package run

import (
	"errors"
	"testing"

	"ganglion/cuda/driver"
)

// TestDevice: what each request gives on a program without GPU code.
func TestDevice(t *testing.T) {
	if driver.Built {
		t.Skip("this program was built with GPU code")
	}
	for request, want := range map[string]string{"": "cpu", "auto": "cpu", "cpu": "cpu"} {
		d, err := OpenDevice(request)
		if err != nil || d.Name != want || d.Engine != nil || (d.Notice == "") != (request == "cpu") || d.Close() != nil {
			t.Errorf("%q gives %+v, %v", request, d, err)
		}
	}
	for _, request := range []string{"cuda", "cuda:0", "cuda:1"} {
		_, err := OpenDevice(request)
		var e *DeviceError
		if !errors.As(err, &e) || e.Device != request || e.Why != noGPU {
			t.Errorf("%q: %v", request, err)
		}
	}
	for _, request := range []string{"tpu", "cuda:", "cuda:x", "cuda:-1", "cuda0", "cpu:1"} {
		_, err := OpenDevice(request)
		wantError(t, request, err, true, "auto, cpu, cuda")
	}
}
