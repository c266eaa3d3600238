package cuda

// Arena is one buffer that grows, for plans that place all their values themselves.
type Arena struct {
	device *Device
	buffer *Buffer
	label  string
}

// NewArena returns an empty arena. The label stands in errors.
func (d *Device) NewArena(label string) *Arena { return &Arena{device: d, label: label} }

// Reserve makes the arena at least size bytes long. If it must grow, it moves and loses its contents, and the result is
// true: what was compiled for the old addresses must be compiled again. When there is no memory it is empty.
func (a *Arena) Reserve(size int) (moved bool, err error) {
	if a.buffer != nil && a.buffer.size >= size {
		return false, nil
	}
	if err := a.Free(); err != nil {
		return true, err
	}
	b, err := a.device.Alloc(size, a.label)
	if err != nil {
		return true, err
	}
	a.buffer = b
	return true, nil
}

// Address is where the arena begins, 0 if it is empty.
func (a *Arena) Address() Address {
	if a.buffer == nil {
		return 0
	}
	return a.buffer.Address()
}

// Size is the number of bytes.
func (a *Arena) Size() int {
	if a.buffer == nil {
		return 0
	}
	return a.buffer.size
}

// Free gives the memory back; the arena is empty then and may be used again.
func (a *Arena) Free() error {
	b := a.buffer
	a.buffer = nil
	if b == nil {
		return nil
	}
	return b.Free()
}
