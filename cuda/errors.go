package cuda

import (
	"errors"
	"fmt"
	"strings"

	"ganglion/cuda/driver"
)

// The kinds of errors, for errors.Is.
var (
	ErrUnavailable = errors.New("no CUDA device")
	ErrMemory      = errors.New("out of device memory")
	ErrFault       = errors.New("a kernel failed, the device's context is lost")
	ErrClosed      = errors.New("closed")
)

// Error is a call of the driver that failed.
type Error struct {
	Device int    // index, -1 if none is concerned
	Call   string // of the driver
	Code   int    // CUresult
	Text   string // the driver's description of the code, or a log
	What   string // what it was for: buffer, kernel, plan
	Remedy string // what to do
}

// Error reads like: cuda:0: dense/unary unary_f32: cuLaunchKernel: CUDA_ERROR_INVALID_VALUE (1): invalid argument.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cuda")
	if e.Device >= 0 {
		fmt.Fprintf(&b, ":%d", e.Device)
	}
	for _, s := range []string{e.What, e.Call} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	fmt.Fprintf(&b, ": %s (%d)", driver.Result(e.Code).Name(), e.Code)
	for _, s := range []string{e.Text, e.Remedy} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	return b.String()
}

// Is sorts the codes into kinds.
func (e *Error) Is(target error) bool {
	r := driver.Result(e.Code)
	switch target {
	case ErrUnavailable:
		return r == driver.NoDevice || r == driver.InvalidDevice
	case ErrMemory:
		return r == driver.OutOfMemory
	case ErrFault:
		return r.Sticky()
	}
	return false
}

// failure makes the error of a call.
func failure(device int, call string, r driver.Result, what string) *Error {
	text := r.Text()
	if s := driver.EmulatorFault(); s != "" {
		text = s
	}
	return &Error{Device: device, Call: call, Code: int(r), Text: text, What: what, Remedy: remedy(r)}
}

// remedy says what to do about a result.
func remedy(r driver.Result) string {
	switch {
	case r == driver.OutOfMemory:
		return "use smaller batches, or end other programs that use the device"
	case r == driver.NoBinary || r == driver.InvalidPTX:
		return "the device or its driver cannot run this kernel: need compute capability 7.0 and driver R525 or newer"
	case r == driver.UnsupportedPTX:
		return "the kernel was compiled by a newer CUDA than the driver knows: update the driver"
	case r == driver.NotSupported:
		return "the driver lacks this call: update the driver"
	case r.Sticky():
		return "the device must be opened again; Profile on a fresh device names the command"
	}
	return ""
}
