package safetensors

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
)

const (
	lengthBytes = 8 // the header's length, before the header
	metadataKey = "__metadata__"
	sumsKey     = "ganglion.crc32c"
	sumDigits   = 8 // hexadecimal digits of one CRC32C
)

// File is an open safetensors file whose header has been checked.
type File struct {
	r       io.ReaderAt
	start   int64   // offset of the data in the file
	entries []Entry // in the order of their data
	byName  []int32 // indices of entries, in the order of their names
	meta    map[string]string
	sums    string // the tensors' checksums in the order of entries, each preceded by a space; empty if there are none
}

// Open reads and checks the header of a file of the given size. It takes memory for the header only, and only after
// its length has been compared with size. The errors wrap ErrFormat or ErrChecksum, or are those of r.
func Open(r io.ReaderAt, size int64) (*File, error) {
	var length [lengthBytes]byte
	if size < lengthBytes+2 {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrFormat, size)
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, fmt.Errorf("read header length: %w", err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || n > uint64(size-lengthBytes) {
		return nil, fmt.Errorf("%w: byte 0: header of %d bytes in a file of %d (at most %d)", ErrFormat, n, size,
			maxHeader)
	}
	head := make([]byte, lengthBytes+int(n))
	if err := readAt(r, head, 0); err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	p := parser{b: head[lengthBytes:], meta: map[string]string{}}
	if err := p.header(); err != nil {
		return nil, err
	}
	f := &File{r: r, start: lengthBytes + int64(n), entries: p.entries, meta: p.meta}
	if err := f.layout(size - f.start); err != nil {
		return nil, err
	}
	if p.sums > 0 {
		return f, f.verifyHeader(head, lengthBytes+p.sums)
	}
	return f, nil
}

// layout sorts the entries by offset and by name and checks that they fill size bytes without hole, overlap or
// repeated name.
func (f *File) layout(size int64) error {
	slices.SortStableFunc(f.entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End))
	})
	end := int64(0)
	for _, e := range f.entries {
		if e.Begin != end {
			return fmt.Errorf("%w: tensor %q begins at data byte %d, not at %d", ErrFormat, e.Name, e.Begin, end)
		}
		end = e.End
	}
	if end != size {
		return fmt.Errorf("%w: the tensors end at data byte %d, the file at %d", ErrFormat, end, size)
	}
	if len(f.entries) > math.MaxInt32 {
		return fmt.Errorf("%w: %d tensors are too many", ErrFormat, len(f.entries))
	}
	f.byName = make([]int32, len(f.entries))
	for i := range f.byName {
		f.byName[i] = int32(i)
	}
	slices.SortFunc(f.byName, func(a, b int32) int { return strings.Compare(f.entries[a].Name, f.entries[b].Name) })
	for i := 1; i < len(f.byName); i++ {
		if name := f.entries[f.byName[i]].Name; name == f.entries[f.byName[i-1]].Name {
			return fmt.Errorf("%w: tensor %q appears twice", ErrFormat, name)
		}
	}
	return nil
}

// verifyHeader checks the header's CRC32C, whose digits stand at offset at of head, and keeps those of the tensors.
func (f *File) verifyHeader(head []byte, at int) error {
	sums := f.meta[sumsKey]
	if len(sums) != sumDigits+(1+sumDigits)*len(f.entries) || string(head[at:at+len(sums)]) != sums {
		return fmt.Errorf("%w: %d tensors do not fit the list of checksums", ErrChecksum, len(f.entries))
	}
	if got := headerSum(head, at); got != sums[:sumDigits] {
		return fmt.Errorf("%w: header has %s, wanted %s (damaged, or changed by a program that kept the key %q)",
			ErrChecksum, got, sums[:sumDigits], sumsKey)
	}
	f.sums = sums[sumDigits:]
	return nil
}

// headerSum returns the digits of the CRC32C of length and header, taken with zeros in place of the digits at
// offset at.
func headerSum(head []byte, at int) string {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, head[:at])
	sum = crc32.Update(sum, table, []byte(strings.Repeat("0", sumDigits)))
	return digits(crc32.Update(sum, table, head[at+sumDigits:]))
}

// dataSum returns the digits of the CRC32C of b.
func dataSum(b []byte) string { return digits(crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))) }

// digits prints a checksum.
func digits(sum uint32) string { return fmt.Sprintf("%0*x", sumDigits, sum) }

// Entries returns the tensors in the order of their data.
func (f *File) Entries() []Entry { return slices.Clone(f.entries) }

// Metadata returns the strings under __metadata__, without the checksums.
func (f *File) Metadata() map[string]string {
	m := maps.Clone(f.meta)
	delete(m, sumsKey)
	return m
}

// HasChecksums reports whether the file carries checksums: if so, the header has been verified and each tensor is
// when it is read.
func (f *File) HasChecksums() bool { return f.meta[sumsKey] != "" }

// Read returns one tensor in memory of its own, after verifying its checksum where the file has one.
func (f *File) Read(name string) (Tensor, error) {
	i, ok := slices.BinarySearchFunc(f.byName, name, func(i int32, name string) int {
		return strings.Compare(f.entries[i].Name, name)
	})
	if !ok {
		return Tensor{}, fmt.Errorf("no tensor %q among %d", name, len(f.entries))
	}
	return f.read(int(f.byName[i]))
}

// ReadAll returns all tensors in the order of their data.
func (f *File) ReadAll() ([]Tensor, error) {
	ts := make([]Tensor, len(f.entries))
	for i := range ts {
		var err error
		if ts[i], err = f.read(i); err != nil {
			return nil, err
		}
	}
	return ts, nil
}

// read returns entry i.
func (f *File) read(i int) (Tensor, error) {
	e := f.entries[i]
	if e.End-e.Begin > math.MaxInt {
		return Tensor{}, fmt.Errorf("tensor %q: %d bytes do not fit this machine's memory", e.Name, e.End-e.Begin)
	}
	t := Tensor{Name: e.Name, DType: e.DType, Shape: slices.Clone(e.Shape), Data: make([]byte, e.End-e.Begin)}
	if err := readAt(f.r, t.Data, f.start+e.Begin); err != nil {
		return Tensor{}, fmt.Errorf("read tensor %q: %w", e.Name, err)
	}
	if f.sums == "" {
		return t, nil
	}
	want := f.sums[i*(1+sumDigits):][:1+sumDigits]
	if got := " " + dataSum(t.Data); got != want {
		return Tensor{}, fmt.Errorf("%w: tensor %q at byte %d has%s, wanted%s", ErrChecksum, e.Name,
			f.start+e.Begin, got, want)
	}
	return t, nil
}

// readAt fills b from offset at; a file shorter than expected is an error.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || err == io.EOF {
		return fmt.Errorf("byte %d: %w", at+int64(n), io.ErrUnexpectedEOF)
	}
	return err
}
