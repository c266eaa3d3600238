package safetensors

import (
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Write writes the tensors, the metadata (which may be nil) and their checksums. Tensors are laid out by falling
// element size, then by name, so each is aligned and equal input gives equal bytes. Nothing is written if the input
// is not valid.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	ts := slices.Clone(tensors)
	slices.SortStableFunc(ts, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.DType.Size(), a.DType.Size()), strings.Compare(a.Name, b.Name))
	})
	if err := checkNames(ts, metadata); err != nil {
		return err
	}
	head, err := encodeHeader(ts, metadata)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return fmt.Errorf("write header: %w", err)
	}
	for _, t := range ts {
		if _, err := w.Write(t.Data); err != nil {
			return fmt.Errorf("write tensor %q: %w", t.Name, err)
		}
	}
	return nil
}

// checkNames checks tensors and metadata before anything is written.
func checkNames(ts []Tensor, metadata map[string]string) error {
	seen := make(map[string]bool, len(ts))
	for _, t := range ts {
		if t.Name == metadataKey || !utf8.ValidString(t.Name) {
			return fmt.Errorf("tensor %q: the name is reserved or not UTF-8", t.Name)
		}
		if seen[t.Name] {
			return fmt.Errorf("tensor %q appears twice", t.Name)
		}
		seen[t.Name] = true
		if err := t.check(); err != nil {
			return err
		}
	}
	if len(metadata) >= maxMetadata {
		return fmt.Errorf("%d metadata keys, at most %d are possible", len(metadata), maxMetadata-1)
	}
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		if key == sumsKey || !utf8.ValidString(key) || !utf8.ValidString(metadata[key]) {
			return fmt.Errorf("metadata %q: the key is reserved, or key or value is not UTF-8", key)
		}
	}
	return nil
}

// encodeHeader returns length and header. The checksums come first in it, so that the header's own stands at a
// fixed offset.
func encodeHeader(ts []Tensor, metadata map[string]string) ([]byte, error) {
	head := make([]byte, lengthBytes, 4096)
	head = append(head, `{"`+metadataKey+`":{"`+sumsKey+`":"`...)
	at := len(head)
	head = append(head, strings.Repeat("0", sumDigits)...)
	for _, t := range ts {
		head = append(head, ' ')
		head = append(head, dataSum(t.Data)...)
	}
	head = append(head, '"')
	for _, key := range slices.Sorted(maps.Keys(metadata)) {
		head = append(head, ',')
		head = appendText(head, key)
		head = append(head, ':')
		head = appendText(head, metadata[key])
	}
	head = append(head, '}')
	begin := 0
	for _, t := range ts {
		head = append(head, ',')
		head = appendText(head, t.Name)
		head = fmt.Appendf(head, `:{"dtype":"%s","shape":[`, t.DType)
		for i, dim := range t.Shape {
			if i > 0 {
				head = append(head, ',')
			}
			head = fmt.Append(head, dim)
		}
		head = fmt.Appendf(head, `],"data_offsets":[%d,%d]}`, begin, begin+len(t.Data))
		begin += len(t.Data)
	}
	head = append(head, '}')
	for len(head)%8 != 0 {
		head = append(head, ' ')
	}
	if len(head)-lengthBytes > maxHeader {
		return nil, fmt.Errorf("header of %d bytes is above %d: save fewer tensors or less metadata", len(head),
			maxHeader)
	}
	binary.LittleEndian.PutUint64(head, uint64(len(head)-lengthBytes))
	copy(head[at:], headerSum(head, at))
	return head, nil
}

// appendText appends s as a JSON string.
func appendText(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		panic("safetensors: a string did not encode: " + err.Error())
	}
	return append(b, quoted...)
}
