package cuda

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ganglion/cuda/driver"
)

// TestNotBuilt: a program without the tag says so.
func TestNotBuilt(t *testing.T) {
	if driver.Built {
		t.Skip("this program has the driver")
	}
	for _, err := range []error{Available(), second(Open(0)), second(Devices())} {
		if !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "tag gpu") {
			t.Errorf("error %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestErrorKinds(t *testing.T) {
	kinds := []error{ErrUnavailable, ErrMemory, ErrFault, ErrClosed}
	for code, want := range map[driver.Result]error{driver.OutOfMemory: ErrMemory, driver.NoDevice: ErrUnavailable,
		driver.InvalidDevice: ErrUnavailable, driver.IllegalAddress: ErrFault, 719: ErrFault,
		driver.InvalidValue: nil} {
		err := fmt.Errorf("deeper: %w", failure(0, "cuCall", code, "what"))
		for _, k := range kinds {
			if errors.Is(err, k) != (k == want) {
				t.Errorf("%v is %v: %v", err, k, k != want)
			}
		}
	}
	text := failure(2, "cuMemAlloc", driver.OutOfMemory, "arena").Error()
	for _, part := range []string{"cuda:2: arena: cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY (2)", "smaller batches"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q lacks %q", text, part)
		}
	}
}

// TestRanges: what lies in a live buffer, to the byte.
func TestRanges(t *testing.T) {
	var m memory
	a, b := &Buffer{ptr: 0x1000, size: 256, label: "a"}, &Buffer{ptr: 0x1100, size: 100, label: "b"}
	m.add(b)
	m.add(a)
	for _, c := range []struct {
		at   Address
		n    int
		want bool
	}{
		{0x1000, 256, true}, {0x1000, 257, false}, {0x1010, 240, true}, {0x1010, 241, false}, {0xfff, 1, false},
		{0x1100, 100, true}, {0x1100, 101, false}, {0x1163, 1, true}, {0x1164, 1, false}, {0x1164, 0, true},
		{0x1000, -1, false}, {0, 0, false}, {1 << 63, 1, false},
	} {
		if got := m.holds(c.at, c.n); got != c.want {
			t.Errorf("%d bytes at %#x: %v", c.n, uint64(c.at), got)
		}
	}
	if s := m.stats; s.Buffers != 2 || s.Bytes != 356 || s.Peak != 356 {
		t.Errorf("%+v", s)
	}
	if !m.remove(a) || m.remove(a) || m.remove(&Buffer{ptr: 0x1100}) || m.holds(0x1000, 1) {
		t.Error("a buffer is removed more or less than once")
	}
	if s := m.stats; s.Buffers != 1 || s.Bytes != 100 || s.Peak != 356 {
		t.Errorf("%+v", s)
	}
}

func TestParameters(t *testing.T) {
	got := parameters([]byte(`.visible .entry none()
{ ret; }
.visible .entry two(
	.param .u64 two_param_0,
	.param .f32 two_param_1
)
.maxntid 256, 1, 1
{ ret; }
.entry packed(.param .u32 packed_param_0, .param .align 4 .b8 packed_param_1[12]) { ret; }
.entry bare
{ ret; }
.entry hinted(.param .u64 .ptr .global .align 16 hinted_param_0) { ret; }
`))
	want := map[string][]int{"none": nil, "two": {1, 1}, "packed": {1, 2}, "bare": nil, "hinted": {1}}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
}
