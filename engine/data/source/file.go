package source

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// DefaultMaxBytes is the cap on a file and on what it unpacks to, if Limits does not set one: 4 GiB.
const DefaultMaxBytes = 4 << 30

// A compressed file may unpack to slackBytes + maxRatio × its size: more than that is taken for a bomb. The ratio
// leaves room for tables that are mostly zeros; deflate itself ends at 1032.
const (
	slackBytes = 16 << 20
	maxRatio   = 200
)

// Limits caps what a file may cost. The zero value means the defaults.
type Limits struct {
	MaxBytes int64 // bytes of a file, and of what it unpacks to; 0 is DefaultMaxBytes
}

// Bytes returns the cap in bytes with the default filled in.
func (l Limits) Bytes() int64 {
	if l.MaxBytes > 0 {
		return l.MaxBytes
	}
	return DefaultMaxBytes
}

// unpacked is the cap on what a compressed file of the given size may unpack to.
func (l Limits) unpacked(size int64) int64 {
	return min(l.Bytes(), slackBytes+maxRatio*size)
}

// File is a file's content.
type File struct {
	Name   string // as the user named it
	Data   []byte // its bytes, unpacked if it was a gzip file
	SHA256 string // of the file as it is stored, in hex
}

// Read reads a regular file whole and unpacks it if it is a gzip file. The error is an *Error.
func Read(path string, limits Limits) (*File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, &Error{File: path, Err: cause(err), Remedy: "check the path"}
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{File: path, Want: "a regular file", Got: kindOf(info.Mode()), Remedy: "name the file itself"}
	}
	if info.Size() > limits.Bytes() {
		return nil, tooLarge(path, limits.Bytes())
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{File: path, Err: cause(err), Remedy: "check its permissions"}
	}
	defer f.Close() // only read: nothing to lose
	raw, err := readAll(f, info.Size(), limits.Bytes())
	if err != nil {
		return nil, &Error{File: path, Err: err}
	}
	return New(path, raw, limits)
}

// New makes a File of bytes that are already in memory, and unpacks them if they are a gzip file.
func New(name string, raw []byte, limits Limits) (*File, error) {
	sum := sha256.Sum256(raw)
	f := &File{Name: name, Data: raw, SHA256: hex.EncodeToString(sum[:])}
	if !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		return f, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, badGzip(name, err)
	}
	limit := limits.unpacked(int64(len(raw)))
	f.Data, err = readAll(z, 4*int64(len(raw)), limit)
	if errors.Is(err, errTooLarge) {
		return nil, &Error{File: name, Want: fmt.Sprintf("at most %d bytes when unpacked", limit), Got: "more",
			Remedy: "unpack it yourself if you trust it"}
	}
	if err != nil {
		return nil, badGzip(name, err)
	}
	return f, nil
}

func badGzip(name string, err error) error {
	return &Error{File: name, Want: "a whole gzip file", Got: err.Error(),
		Remedy: "the file is damaged: fetch it again"}
}

func tooLarge(name string, limit int64) error {
	return &Error{File: name, Want: fmt.Sprintf("at most %d bytes", limit), Got: "more",
		Remedy: "cut the file into parts"}
}

var errTooLarge = errors.New("too large")

// readAll reads r to its end, or fails with errTooLarge behind limit bytes. The size expected is a hint that costs at
// most a buffer of 64 MiB; beyond that the buffer grows only as bytes really arrive.
func readAll(r io.Reader, expect, limit int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(expect, limit, 64<<20)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, limit+1))
	if err == nil && n > limit {
		err = errTooLarge
	}
	return b.Bytes(), err
}

// cause strips the path that the os package puts in front: an Error names the file itself.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func kindOf(m os.FileMode) string {
	switch {
	case m.IsDir():
		return "a folder"
	case m&os.ModeNamedPipe != 0:
		return "a named pipe"
	case m&os.ModeDevice != 0:
		return "a device"
	}
	return "a special file"
}
