package cuda

import (
	"errors"
	"fmt"

	"ganglion/cuda/cublas"
	"ganglion/cuda/driver"
)

// libraryBytes is the memory that the library may work in.
const libraryBytes = 8 << 20

// UseCUBLAS loads the library for commands of the kind Multiply: "" and "auto" for the one that the dynamic loader
// finds, "off" for none, else a path. The emulator of the tests has none unless a path is given, for the real
// library does not run on it. Errors: cublas.ErrUnavailable; the device can be used all the same.
func (d *Device) UseCUBLAS(path string) error {
	if d.properties.Emulated && (path == "" || path == "auto") {
		return fmt.Errorf("cuda:%d is emulated: %w", d.properties.Index, cublas.ErrUnavailable)
	}
	library, err := cublas.Open(path)
	if err != nil {
		return err
	}
	space, err := d.Alloc(libraryBytes, "memory of cuBLAS")
	if err != nil {
		return err
	}
	err = d.do(func() error {
		if d.library != nil {
			return fmt.Errorf("cuda:%d: has a library already", d.properties.Index)
		}
		h, err := library.NewHandle(uint64(space.ptr), libraryBytes)
		if err != nil {
			return fmt.Errorf("%w: %w", cublas.ErrUnavailable, err)
		}
		d.library = h
		return nil
	})
	if err != nil {
		return errors.Join(err, space.Free())
	}
	return nil
}

// multiply checks a product and prepares its call. It runs on the executor.
func (p *Plan) multiply(c *Command, out *driver.Command) error {
	d := p.device
	if d.library == nil || c.Product == nil {
		return fmt.Errorf("the device has no library, or the product is missing")
	}
	if err := c.Product.Check(); err != nil {
		return err
	}
	size := 4
	if c.Product.Wide {
		size = 8
	}
	q := c.Product
	for _, m := range [...]struct {
		name          string
		at            Address
		rows, columns int
		step          int
	}{{"A", c.Src, q.M, q.K, q.StepA}, {"B", c.Second, q.K, q.N, q.StepB}, {"C", c.Dst, q.M, q.N, q.StepC}} {
		if bytes := ((q.Batch-1)*m.step + m.rows*m.columns) * size; m.step < 0 || !d.memory.holds(m.at, bytes) {
			return fmt.Errorf("matrix %s, %d bytes at %#x, does not lie in one live buffer", m.name, bytes,
				uint64(m.at))
		}
	}
	call := d.library.NewCall(q, uint64(c.Src), uint64(c.Second), uint64(c.Dst), uintptr(out.Stream))
	p.calls = append(p.calls, call)
	out.Op, out.Call, out.Host = driver.Call, call.Function(), call.Data()
	return nil
}
