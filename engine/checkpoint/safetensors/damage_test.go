package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// sized64K returns a file of 64 KiB.
func sized64K(t testing.TB) []byte {
	r := rand.New(rand.NewPCG(2, 2))
	w, v := make([]float32, 8000), make([]float64, 3950)
	for i := range w {
		w[i] = r.Float32()
	}
	for i := range v {
		v[i] = r.NormFloat64()
	}
	ts := append(sample(), Of("block/w", []int{80, 100}, w), Of("block/v", []int{3950}, v))
	b := encode(t, ts, map[string]string{"state": `{"step":12}`})
	fill := make([]uint8, 1<<16-len(b)-80)
	for i := range fill {
		fill[i] = uint8(r.Uint32())
	}
	b = encode(t, append(ts, Of("fill", []int{len(fill)}, fill)), map[string]string{"state": `{"step":12}`})
	if len(b) > 1<<16 || len(b) < 1<<16-80 {
		t.Fatalf("the file has %d bytes", len(b))
	}
	return b
}

func TestTruncationIsAnError(t *testing.T) {
	b := sized64K(t)
	stride := 1
	if testing.Short() {
		stride = 37
	}
	for n := 0; n < len(b); n += stride {
		if _, err := decode(b[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were read", n, len(b))
		}
	}
	if _, err := decode(append(b, 0)); err == nil {
		t.Fatal("a file with a byte too many was read")
	}
}

// TestShrunkFileIsAnError cuts the file after its size was taken.
func TestShrunkFileIsAnError(t *testing.T) {
	b := sized64K(t)
	for n := 0; n < len(b); n += 61 {
		f, err := Open(bytes.NewReader(b[:n]), int64(len(b)))
		if err == nil {
			_, err = f.ReadAll()
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%d bytes of a file of %d: error %v", n, len(b), err)
		}
	}
}

func TestBitFlipsAreDetected(t *testing.T) {
	b := sized64K(t)
	head := lengthBytes + int(binary.LittleEndian.Uint64(b))
	r := rand.New(rand.NewPCG(3, 3))
	for i := range 10_000 {
		in := len(b)
		if i%2 == 0 {
			in = head // the header is a small part of the file: half of the flips go there
		}
		flips := map[int]byte{}
		for range 1 + i%5 {
			flips[r.IntN(in)] ^= 1 << r.IntN(8)
		}
		old := bytes.Clone(b)
		for at, bit := range flips {
			b[at] ^= bit
		}
		if !bytes.Equal(old, b) {
			if ts, err := decode(b); err == nil && !foreign(b) {
				t.Fatalf("flips %v: %d tensors were read", flips, len(ts))
			}
		}
		copy(b, old)
	}
}

// foreign reports whether a flip in the key of the checksums has made b a file without them, which a checkpoint
// refuses.
func foreign(b []byte) bool {
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	return err == nil && !f.HasChecksums()
}

func TestEveryHeaderBitIsCovered(t *testing.T) {
	b := encode(t, sample(), map[string]string{"state": `{"step":12}`})
	key := strings.Index(string(b), sumsKey)
	for at := range b {
		for bit := range 8 {
			b[at] ^= 1 << bit
			_, err := decode(b)
			if err == nil && (at < key || at >= key+len(sumsKey)) {
				t.Fatalf("bit %d of byte %d: not noticed", bit, at)
			}
			b[at] ^= 1 << bit
		}
	}
}
