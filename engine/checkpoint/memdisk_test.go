package checkpoint

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"syscall"
)

var (
	errFault = errors.New("injected fault")
	errCrash = errors.New("crashed")
)

// memDisk is a disk in memory that knows what a power cut would leave: the bytes of a file up to its last Sync, and
// the names of a directory as of its last SyncDir. It fails at the call that fault names.
type memDisk struct {
	names   map[string]*memData // what a program sees
	durable map[string]*memData // what a power cut leaves
	dirs    map[string]bool     // true for those that a power cut leaves
	calls   int
	fault   fault
	fired   bool
	crashed bool
	open    int // files that were opened and not closed
	room    int // bytes that still fit, if limited
	limited bool
}

// memData is the content of a file. Bytes are only ever appended, so that copies may share them.
type memData struct{ now, synced []byte }

// fault is what happens at the call of number at, counted from 1.
type fault struct {
	at   int
	kind faultKind
}

type faultKind int

const (
	failBefore  faultKind = iota // an error, nothing is done
	failAfter                    // an error, but it is done
	shortWrite                   // half of a write is done; other calls fail
	crashBefore                  // the process stops before the call
	crashHalf                    // the process stops in the middle of a write, or after another call
	crashAfter                   // the process stops after the call
	faultKinds
)

// cut is what is left of the disk after the process stopped.
type cut int

const (
	killed      cut = iota // only the process is gone: all that was done stays
	powerCut               // what was not forced to the disk is gone
	namesOnly              // the names reached the disk, the bytes did not
	namesHalf              // the names reached the disk, and half of the bytes that were not forced
	bytesOnly              // the bytes reached the disk, the names did not
	cutsPerDisk            // number of the above
)

func newMemDisk(dirs ...string) *memDisk {
	d := &memDisk{names: map[string]*memData{}, durable: map[string]*memData{}, dirs: map[string]bool{}}
	for _, name := range dirs {
		d.dirs[name] = true
	}
	return d
}

// after returns the disk as the next process finds it.
func (d *memDisk) after(c cut) *memDisk {
	n := newMemDisk()
	for dir, durable := range d.dirs {
		if durable || c != powerCut && c != bytesOnly {
			n.dirs[dir] = true
		}
	}
	from := d.names
	if c == powerCut || c == bytesOnly {
		from = d.durable
	}
	for name, data := range from {
		b := data.now
		if !n.dirs[filepath.Dir(name)] {
			continue
		}
		switch c {
		case powerCut, namesOnly:
			b = data.synced
		case namesHalf:
			b = data.now[:(len(data.synced)+len(data.now))/2]
		}
		n.names[name] = &memData{slices.Clip(b), slices.Clip(b)}
		n.durable[name] = n.names[name]
	}
	return n
}

// call counts a call and runs it as the fault wants. half does half of it.
func (d *memDisk) call(do func() error, half func()) error {
	if d.crashed {
		return errCrash
	}
	d.calls++
	if d.calls != d.fault.at {
		return do()
	}
	d.fired = true
	switch d.fault.kind {
	case failBefore:
		return errFault
	case failAfter:
		_ = do()
		return errFault
	case shortWrite:
		half()
		return errFault
	case crashHalf:
		half()
	case crashAfter:
		_ = do()
	}
	d.crashed = true
	return errCrash
}

func (d *memDisk) Create(name string) (file, error) {
	err := d.call(func() error {
		if d.names[name] != nil {
			return fs.ErrExist
		}
		d.names[name] = &memData{}
		return nil
	}, func() {})
	if err == nil {
		d.open++
	}
	return &memFile{d, d.names[name]}, err
}

func (d *memDisk) Open(name string) (file, error) {
	err := d.call(func() error {
		if d.names[name] == nil {
			return fs.ErrNotExist
		}
		return nil
	}, func() {})
	if err == nil {
		d.open++
	}
	return &memFile{d, d.names[name]}, err
}

func (d *memDisk) Rename(from, to string) error {
	return d.call(func() error {
		if d.names[from] == nil {
			return fs.ErrNotExist
		}
		d.names[to] = d.names[from]
		delete(d.names, from)
		return nil
	}, func() {})
}

func (d *memDisk) Remove(name string) error {
	return d.call(func() error {
		if d.names[name] == nil {
			return fs.ErrNotExist
		}
		delete(d.names, name)
		return nil
	}, func() {})
}

func (d *memDisk) Mkdir(name string) error {
	return d.call(func() error {
		if _, ok := d.dirs[name]; !ok {
			d.dirs[name] = false
		}
		return nil
	}, func() {})
}

func (d *memDisk) SyncDir(dir string) error {
	return d.call(func() error {
		for sub := range d.dirs {
			if filepath.Dir(sub) == dir {
				d.dirs[sub] = true
			}
		}
		for name := range d.durable {
			if filepath.Dir(name) == dir {
				delete(d.durable, name)
			}
		}
		for name, data := range d.names {
			if filepath.Dir(name) == dir {
				d.durable[name] = data
			}
		}
		return nil
	}, func() {})
}

func (d *memDisk) ReadDir(dir string) ([]string, error) {
	var names []string
	err := d.call(func() error {
		if _, ok := d.dirs[dir]; !ok {
			return fs.ErrNotExist
		}
		for name := range d.names {
			if filepath.Dir(name) == dir {
				names = append(names, filepath.Base(name))
			}
		}
		slices.Sort(names)
		return nil
	}, func() {})
	return names, err
}

// memFile is an open file of a memDisk.
type memFile struct {
	d    *memDisk
	data *memData
}

func (f *memFile) Write(b []byte) (int, error) {
	n := 0
	add := func(part []byte) error {
		if f.d.limited {
			part = part[:min(len(part), f.d.room)]
			f.d.room -= len(part)
		}
		f.data.now = append(f.data.now, part...)
		if n = len(part); n < len(b) {
			return syscall.ENOSPC
		}
		return nil
	}
	err := f.d.call(func() error { return add(b) }, func() { _ = add(b[:len(b)/2]) })
	if err != nil && f.d.fault.kind == shortWrite && !f.d.limited {
		err = nil // a short write without an error, which a careless caller does not notice
	}
	return n, err
}

func (f *memFile) ReadAt(b []byte, at int64) (int, error) {
	n := 0
	err := f.d.call(func() error {
		if at >= int64(len(f.data.now)) {
			return io.EOF
		}
		if n = copy(b, f.data.now[at:]); n < len(b) {
			return io.EOF
		}
		return nil
	}, func() { n = copy(b[:len(b)/2], f.data.now[at:]) })
	return n, err
}

func (f *memFile) Size() (int64, error) {
	err := f.d.call(func() error { return nil }, func() {})
	return int64(len(f.data.now)), err
}

func (f *memFile) Sync() error {
	return f.d.call(func() error {
		f.data.synced = slices.Clip(f.data.now)
		return nil
	}, func() {
		f.data.synced = slices.Clip(f.data.now[:(len(f.data.synced)+len(f.data.now))/2])
	})
}

func (f *memFile) Close() error {
	f.d.open--
	return f.d.call(func() error { return nil }, func() {})
}
