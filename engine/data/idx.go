package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ganglion/engine/data/source"
)

// idxSize is the number of bytes of an element by the third byte of an IDX file, 0 for none.
func idxSize(code byte) int {
	switch code {
	case 0x08, 0x09: // uint8, int8
		return 1
	case 0x0b: // int16
		return 2
	case 0x0c, 0x0d: // int32, float32
		return 4
	case 0x0e: // float64
		return 8
	}
	return 0
}

// isIDX says whether a file begins like an IDX file: two zero bytes, an element type, and the number of dimensions.
func isIDX(b []byte) bool {
	return len(b) >= 4 && b[0] == 0 && b[1] == 0 && idxSize(b[2]) > 0 && b[3] >= 1 && b[3] <= 4
}

// idxArray is the content of an IDX file, big-endian.
type idxArray struct {
	name string
	code byte
	dims []int
	data []byte
}

// openIDX checks the header against the length of the file.
func openIDX(f *source.File) (*idxArray, error) {
	if !isIDX(f.Data) {
		return nil, &Error{File: f.Name, Want: "an IDX file: two zero bytes, a type, the number of dimensions",
			Got: fmt.Sprintf("% x", f.Data[:min(4, len(f.Data))]), Remedy: "check that the file is the right one"}
	}
	a := &idxArray{name: f.Name, code: f.Data[2]}
	rank := int(f.Data[3])
	if len(f.Data) < 4+4*rank {
		return nil, a.truncated(len(f.Data), fmt.Sprintf("%d sizes of 4 bytes", rank))
	}
	want := uint64(idxSize(a.code))
	for i := range rank {
		size := binary.BigEndian.Uint32(f.Data[4+4*i:])
		if size == 0 || size > math.MaxInt32 || want > math.MaxInt64/uint64(size) {
			return nil, &Error{File: f.Name, Byte: int64(4 + 4*i),
				Want: fmt.Sprintf("size %d of %d, from 1", i+1, rank),
				Got:  fmt.Sprint(size), Remedy: "the file is damaged: fetch it again"}
		}
		want *= uint64(size)
		a.dims = append(a.dims, int(size))
	}
	a.data = f.Data[4+4*rank:]
	if uint64(len(a.data)) != want {
		return nil, a.truncated(len(f.Data), fmt.Sprintf("%d bytes for %s elements behind byte %d", want,
			shapeName(a.dims), 4+4*rank))
	}
	return a, nil
}

func (a *idxArray) truncated(have int, want string) error {
	return &Error{File: a.name, Byte: int64(have), Want: want, Got: fmt.Sprintf("a file of %d bytes", have),
		Remedy: "the file is damaged: fetch it again"}
}

// at returns element i.
func (a *idxArray) at(i int) float64 {
	b := a.data[i*idxSize(a.code):]
	switch a.code {
	case 0x08:
		return float64(b[0])
	case 0x09:
		return float64(int8(b[0]))
	case 0x0b:
		return float64(int16(binary.BigEndian.Uint16(b)))
	case 0x0c:
		return float64(int32(binary.BigEndian.Uint32(b)))
	case 0x0d:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b))
}

// loadIDX reads images whose labels lie beside them as training data.
func loadIDX(f *source.File, o Options) (*Table, error) {
	s, err := readImages(f, o)
	if err != nil {
		return nil, err
	}
	return tableOf([]*signals{s}, o)
}

// readImages reads images [n, height, width] or [n, channels, height, width], or series [n, length], and the file of
// labels beside them if there is one.
func readImages(f *source.File, o Options) (*signals, error) {
	images, err := openIDX(f)
	if err != nil {
		return nil, err
	}
	var labels *source.File
	if path := labelsOf(f.Name); path != "" {
		if labels, err = source.Read(path, o.Limits); err != nil {
			return nil, err
		}
	}
	return imagesOf(f, images, labels, o)
}

// labelsOf is the path of the file of labels that belongs to a file of images by its name, or "".
func labelsOf(images string) string {
	dir, base := filepath.Split(images)
	if !strings.Contains(base, "images") {
		return ""
	}
	base = strings.Replace(strings.TrimSuffix(base, ".gz"), "images", "labels", 1)
	base = strings.NewReplacer("idx4", "idx1", "idx3", "idx1", "idx2", "idx1").Replace(base)
	for _, p := range []string{base, base + ".gz"} {
		p = filepath.Join(dir, p)
		if info, err := os.Stat(p); err == nil && info.Mode().IsRegular() {
			return p
		}
	}
	return ""
}

// imagesOf joins images with their labels, which may be nil.
func imagesOf(f *source.File, images *idxArray, labels *source.File, o Options) (*signals, error) {
	if len(images.dims) == 1 {
		return nil, &Error{File: f.Name, Want: "images", Got: "labels", Remedy: "name the file of the images: the " +
			"labels are found beside it"}
	}
	s := &signals{name: f.Name, sum: f.SHA256, n: images.dims[0], shape: append([]int{1}, images.dims[1:]...)}
	if len(images.dims) == 4 {
		s.shape = images.dims[1:]
	}
	table := Table{Source: f.Name, N: s.n, D: s.wide()}
	if s.wide() > maxIndex {
		return nil, &Error{File: f.Name, Want: fmt.Sprintf("samples of at most %d elements", maxIndex),
			Got: shapeName(s.shape), Remedy: "scale the images down"}
	}
	if err := table.allocate(o); err != nil {
		return nil, err
	}
	s.x = table.X
	for i := range s.x {
		if s.x[i] = images.at(i); math.IsInf(s.x[i], 0) {
			return nil, &Error{File: f.Name, Byte: int64(len(f.Data) - len(images.data) + i*idxSize(images.code)),
				Want: "finite values", Got: fmt.Sprint(s.x[i]), Remedy: "mend the file"}
		}
	}
	if labels == nil {
		return s, nil
	}
	a, err := openIDX(labels)
	if err != nil {
		return nil, err
	}
	if len(a.dims) != 1 || a.dims[0] != s.n {
		return nil, &Error{File: labels.Name, Want: fmt.Sprintf("%d labels, one for each sample of %s", s.n, f.Name),
			Got: shapeName(a.dims), Remedy: "take the file that belongs to the images"}
	}
	if a.code == 0x0d || a.code == 0x0e {
		return nil, &Error{File: labels.Name, Want: "whole numbers as labels", Got: "floating-point numbers",
			Remedy: "save them as bytes"}
	}
	for i := range a.dims[0] {
		s.texts = append(s.texts, formatNumber(a.at(i)))
	}
	return s, nil
}
