package data

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"

	"ganglion/engine/data/source"
)

// The shape of the light gas set, and the sha256 of its features as little-endian float32 in C order: those of the
// origin, bit for bit.
const (
	gasRows    = 6697
	gasColumns = 128
	gasSHA256  = "7c93201c5c360a204bc9ca5d419046b1504fbd7ec22c3b0730a8933860bd434c"
)

func gasLayouts() []Layout {
	return []Layout{{
		Files: []SetFile{
			{"gas/meta.npz", "6d3c60e8b2dc3c075f918b4aab59f8e05719102d276b8df5703b689b18eacfaf"},
			{"gas/x0.npz", "a83e4e423f5c5b16bb17fa82cef3b06d4c29f3b756d22e0cfe15ed732dce0d1c"},
			{"gas/x1.npz", "f46689d0e347af9626b27a7dabc45efbd96c80056bf0218cd452a26910320ac9"},
			{"gas/x2.npz", "f153fdfc228e6620910cd448b35a02e5367d233c38eb49d9807cc74a01cb6399"},
			{"gas/x3.npz", "c21b2364dc68c86b95213ecae30e6b9711481a605f2e30010f45944f52b49ccd"},
		},
		Note: "bytes 0 to 3 of the float32 features, [features, rows] each, and the rest",
		read: readGas,
	}}
}

// readGas puts the features together from their bytes.
func readGas(ctx context.Context, f *setFiles) (*Table, error) {
	archive := func(name string) (*source.Archive, error) {
		file, err := f.read(name)
		if err != nil {
			return nil, err
		}
		return source.OpenArchive(file, f.opts.Limits)
	}
	meta, err := archive("gas/meta.npz")
	if err != nil {
		return nil, err
	}
	words := make([]uint32, gasRows*gasColumns)
	for b := range 4 {
		a, err := archive(fmt.Sprintf("gas/x%d.npz", b))
		if err != nil {
			return nil, err
		}
		if err := mergePlane(words, a, b); err != nil {
			return nil, err
		}
	}
	t := &Table{Source: gasOrigin, N: gasRows, D: gasColumns, X: make([]float64, len(words)),
		FeatureNames: gasFeatures()}
	raw := make([]byte, 0, 4*len(words))
	for i, w := range words {
		raw = binary.LittleEndian.AppendUint32(raw, w)
		t.X[i] = float64(math.Float32frombits(w))
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != gasSHA256 {
		return nil, &Error{File: "gas", Want: "features with sha256 " + gasSHA256, Got: hex.EncodeToString(sum[:]),
			Remedy: "the binary is damaged: install it again"}
	}
	own := f.opts
	if own.Target == concentration {
		own.Task = cmp.Or(own.Task, Regress)
	}
	if err := t.readTarget(meta, own); err != nil {
		return nil, err
	}
	t.nameGases(0)
	if err := t.readSplits(meta); err != nil {
		return nil, err
	}
	return t, t.finish()
}

// mergePlane sets byte b of every word, [rows, columns], from a plane, [columns, rows].
func mergePlane(words []uint32, a *source.Archive, b int) error {
	plane, shape, err := a.Ints("plane")
	if err != nil {
		return err
	}
	if want := []int{gasColumns, gasRows}; !slices.Equal(shape, want) {
		return &Error{File: a.Name, Column: "plane", Want: fmt.Sprintf("shape %v", want), Got: fmt.Sprint(shape),
			Remedy: "the binary is damaged: install it again"}
	}
	for j := range gasColumns {
		for i, v := range plane[j*gasRows : (j+1)*gasRows] {
			words[i*gasColumns+j] |= uint32(uint8(v)) << (8 * b)
		}
	}
	return nil
}

// nameGases gives the classes, numbered from first, the names of the gases.
func (t *Table) nameGases(first int) {
	if t.Task != Classify || len(t.Classes) != len(gasClasses()) || t.Classes[0] != fmt.Sprint(first) {
		return
	}
	t.Classes = gasClasses()
}

func gasFullLayouts() []Layout {
	sums := [10]string{
		0: "740e404a186fe59df809f3fa60f343ebf134103b5d5d3cae96cd23c336ef237c",
		3: "653c8aa422732ae7296f26e3b2c9ac7a750df92056bcdcbc754f7a4d9c568751",
		4: "dda21073b0442b2d6f29a6056ae1268f39be0e8584a6915b69305abf10eb8e30",
		7: "2e49d09aee1d1a9fbdfb39dc6ee684fc0b6bc9944d448aa78b922c10a74c1713",
	}
	l := Layout{Note: "libsvm with label;concentration", read: readGasFull}
	for k, sum := range sums {
		l.Files = append(l.Files, SetFile{fmt.Sprintf("batch%d.dat.gz", k+1), sum})
	}
	return []Layout{l}
}

// readGasFull reads the ten original text files one behind another.
func readGasFull(ctx context.Context, f *setFiles) (*Table, error) {
	t := &Table{Source: gasOrigin, D: gasColumns, FeatureNames: gasFeatures()}
	var label, ppmv []float64
	var batch []int64
	for k, file := range f.layout.Files {
		raw, err := f.read(file.Name)
		if err != nil {
			return nil, err
		}
		s, err := openLibSVM(ctx, raw)
		if err != nil {
			return nil, err
		}
		s.lo = 1
		part := &Table{Source: raw.Name, N: s.rows, D: gasColumns}
		if err := part.allocate(f.opts); err != nil {
			return nil, err
		}
		first, second, err := s.fill(ctx, part)
		if err != nil {
			return nil, err
		}
		t.N += part.N
		t.X = append(t.X, part.X...)
		label, ppmv = append(label, first...), append(ppmv, second...)
		for range part.N {
			batch = append(batch, int64(k+1))
		}
	}
	t.Splits = []StoredSplit{{Name: "batch", Part: leaveOut(batch)}}
	var err error
	if f.opts.Target == concentration {
		err = t.setTarget(ppmv, concentration, cmp.Or(f.opts.Task, Regress))
	} else {
		err = t.setTarget(label, "label", f.opts.Task)
	}
	if err != nil {
		return nil, err
	}
	t.nameGases(1)
	return t, t.finish()
}
