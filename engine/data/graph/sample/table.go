package sample

import "math/bits"

// table maps keys to numbers, with open addressing.
type table struct {
	keys []uint64 // key + 1; 0 is an empty place
	vals []int32
	used int
}

func (t *table) clear() {
	clear(t.keys)
	t.used = 0
}

// slot is where the key is, or is to go. There is always an empty place.
func (t *table) slot(key uint64) int {
	mask := len(t.keys) - 1
	hi, lo := bits.Mul64(key+1, 0x9e3779b97f4a7c15)
	at := int(hi^lo) & mask
	for t.keys[at] != 0 && t.keys[at] != key+1 {
		at = (at + 1) & mask
	}
	return at
}

// add returns the number of the key and true, or gives it the number v and returns v and false.
func (t *table) add(key uint64, v int32) (int32, bool) {
	if 2*t.used >= len(t.keys) {
		t.grow()
	}
	at := t.slot(key)
	if t.keys[at] != 0 {
		return t.vals[at], true
	}
	t.keys[at], t.vals[at] = key+1, v
	t.used++
	return v, false
}

// find returns the number of the key, if it has one.
func (t *table) find(key uint64) (int32, bool) {
	if t.used == 0 {
		return 0, false
	}
	at := t.slot(key)
	return t.vals[at], t.keys[at] != 0
}

func (t *table) grow() {
	keys, vals := t.keys, t.vals
	n := max(1024, 2*len(keys))
	t.keys, t.vals = make([]uint64, n), make([]int32, n)
	for k, key := range keys {
		if key != 0 {
			at := t.slot(key - 1)
			t.keys[at], t.vals[at] = key, vals[k]
		}
	}
}
