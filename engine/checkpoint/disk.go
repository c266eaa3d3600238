package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// disk is what a save and a load need of a file system. Tests put one in its place that fails at every call in turn.
type disk interface {
	Create(name string) (file, error) // a new file; one of that name is an error
	Open(name string) (file, error)   // for reading; anything but a regular file is an error
	Rename(from, to string) error
	Remove(name string) error
	Mkdir(name string) error // a directory that is there already is not an error
	SyncDir(name string) error
	ReadDir(name string) ([]string, error) // the names in it, sorted
}

// file is an open file of a disk.
type file interface {
	io.Writer
	io.ReaderAt
	Size() (int64, error)
	Sync() error
	Close() error
}

// writeBuffer is the least that is handed to the disk at once.
const writeBuffer = 1 << 16

// tempSuffix marks a file that is being written. One that is found belongs to a write that was interrupted.
const tempSuffix = ".tmp"

// WriteFile makes name hold exactly what write writes, or leaves it as it was: the bytes go to name.tmp in the same
// directory, are forced to the disk, the file is renamed and the directory forced to the disk. It survives a crash
// or power cut at any moment. Two writers of one name must not run at once.
func WriteFile(name string, write func(io.Writer) error) error {
	return writeFile(osDisk{}, name, write)
}

func writeFile(d disk, name string, write func(io.Writer) error) error {
	temp := name + tempSuffix
	if err := d.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove what an interrupted write left: %w", err)
	}
	if err := writeTemp(d, temp, write); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := d.Rename(temp, name); err != nil {
		return fmt.Errorf("write %s: %w", name, errors.Join(err, discard(d, temp)))
	}
	if err := d.SyncDir(filepath.Dir(name)); err != nil {
		return fmt.Errorf("write %s: force the directory to the disk: %w", name, err)
	}
	return nil
}

// writeTemp writes the new file and forces it to the disk, or removes it.
func writeTemp(d disk, temp string, write func(io.Writer) error) error {
	f, err := d.Create(temp)
	if err != nil {
		return err
	}
	if err = fillFile(f, write); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, discard(d, temp))
	}
	return nil
}

// discard removes a temporary file whose write failed.
func discard(d disk, temp string) error {
	if err := d.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("and the unfinished file is still there: %w", err)
	}
	return nil
}

// osDisk is the operating system's file system.
type osDisk struct{}

func (osDisk) Create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Open(name string) (file, error) {
	info, err := os.Stat(name) // before it is opened: opening a pipe would wait for its writer
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osDisk) Rename(from, to string) error { return os.Rename(from, to) }

func (osDisk) Remove(name string) error { return os.Remove(name) }

func (osDisk) Mkdir(name string) error {
	if err := os.Mkdir(name, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// SyncDir forces the names in a directory to the disk. File systems that cannot do that say so with EINVAL or
// ENOTSUP and keep the names in order themselves; Windows has no such call.
func (osDisk) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

func (osDisk) ReadDir(name string) ([]string, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// osFile is a file of osDisk.
type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
