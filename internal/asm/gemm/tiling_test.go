package gemm

import (
	"slices"
	"testing"

	"ganglion/internal/cpu"
)

// testLimits holds the kernels to the limits by which Workspace is computed.
func testLimits[T float](t *testing.T, path cpu.Path) {
	k := kernelsOf[T](path)
	if k.mr > maxMR || k.nr > maxNR || k.kc > maxKC || k.mc > maxMC || k.nc > maxNC {
		t.Errorf("mr=%d nr=%d kc=%d mc=%d nc=%d exceed the limits", k.mr, k.nr, k.kc, k.mc, k.nc)
	}
	if k.mc%k.mr != 0 || k.nc%k.nr != 0 || maxNR%k.nr != 0 || k.mr < fewRows || k.kc%4 != 0 {
		t.Errorf("mr=%d nr=%d kc=%d mc=%d nc=%d do not fit each other", k.mr, k.nr, k.kc, k.mc, k.nc)
	}
	if k.kc < leastKC || k.mc < leastBlock || k.nc < leastBlock {
		t.Errorf("kc=%d mc=%d nc=%d: one block does not take what one buffer is for", k.kc, k.mc, k.nc)
	}
	if n := len(k.heights); k.heights[0] != k.mr || k.heights[n-1] != 1 {
		t.Errorf("heights %v of tiles of %d rows", k.heights, k.mr)
	}
	if n := len(k.loose); k.loose[0] > maxMR || k.loose[n-1] != 1 || k.nr%k.lanes != 0 {
		t.Errorf("heights %v of tiles on B as it is, %d columns by %d", k.loose, k.nr, k.lanes)
	}
}

func TestKernelLimits(t *testing.T) { paths(t, testLimits[float32], testLimits[float64]) }

// TestTiles cuts every number of rows, and looks for gaps.
func TestTiles(t *testing.T) {
	for _, heights := range [][]int{{14, 8, 4, 2, 1}, {9, 8, 4, 2, 1}, {6, 4, 2, 1}, {4, 2, 1}} {
		for rows := range 200 {
			x, next := tile(rows, heights), 0
			for i := range x.count {
				row, h := x.at(i)
				if row != next || !slices.Contains(heights, h) {
					t.Fatalf("%d rows: tile %d of %d begins at %d, want %d, and has %d", rows, i, x.count, row, next, h)
				}
				next += h
			}
			if end, h := x.at(x.count); next != rows || end != rows || h != 0 {
				t.Fatalf("%d rows: %d tiles end at %d, and %d, %d", rows, x.count, next, end, h)
			}
		}
	}
	for rows, want := range map[int][2]int{5: {0, 2}, 32: {0, 4}, 128: {12, 15}, 256: {28, 29}, 1024: {112, 114}} {
		if x := tile(rows, []int{9, 8, 4, 2, 1}); x.full != want[0] || x.count != want[1] {
			t.Errorf("%d rows are %d full tiles of %d, want %d of %d", rows, x.full, x.count, want[0], want[1])
		}
	}
	if x := tile(128, []int{14, 8, 4, 2, 1}); x.full != 8 || x.count != 10 {
		t.Errorf("128 rows are %d tiles of 14 and %d others, want 8 and 2", x.full, x.count-x.full)
	}
}
