package gemm

import (
	"strings"
	"testing"

	"ganglion/internal/cpu"
)

func TestSelfCheckPasses(t *testing.T) {
	for _, path := range cpu.Paths() {
		if err := SelfCheck(path); err != nil {
			t.Error(err)
		}
	}
}

// testSelfCheckFails breaks one kernel at a time: the self-check must reach it.
func testSelfCheckFails[T float](t *testing.T, path cpu.Path) {
	good := kernelsOf[T](path)
	breaks := map[string]func(k *kernels[T]){
		"tile": func(k *kernels[T]) {
			k.tile = func(rows, n, depth int, a []T, rsa, csa int, b []T, ldb int, c []T, ldc int, acc bool) {
				good.tile(rows, n, depth, a, rsa, csa, b, ldb, c, ldc, acc)
				c[n-1]++
			}
		},
		"full": func(k *kernels[T]) {
			k.full = func(cols, depth int, a, b, c []T, ldc int, acc bool, next []T) {
				good.full(cols, depth, a, b, c, ldc, acc, next)
				c[(good.mr-1)*ldc]++
			}
		},
		"dot": func(k *kernels[T]) {
			k.dot = func(m, n, depth int, a []T, lda int, b []T, ldb int, c []T, ldc int, acc bool) {
				good.dot(m, n, depth, a, lda, b, ldb, c, ldc, acc)
				c[(m-1)*ldc+n-1]++
			}
		},
		"transpose": func(k *kernels[T]) {
			k.transpose = func(rows, cols int, src []T, lds int, dst []T, ldd int) {
				good.transpose(rows, cols, src, lds, dst, ldd)
				dst[0]++
			}
		},
		"packA": func(k *kernels[T]) {
			k.packA = func(rows, panels int, src []T, lds int, dst []T) {
				good.packA(rows, panels, src, lds, dst)
				dst[rows*panels*good.mr-1]++
			}
		},
		"packB": func(k *kernels[T]) {
			k.packB = func(rows, panels int, src []T, lds int, dst []T) {
				good.packB(rows, panels, src, lds, dst)
				dst[rows*good.nr-1]++
			}
		},
	}
	for name, spoil := range breaks {
		k := *good
		spoil(&k)
		err := selfCheck(&k, kernelsOf[T](cpu.Go))
		if err == nil || !strings.Contains(err.Error(), "want") {
			t.Errorf("a wrong %s kernel passes the self-check: %v", name, err)
		}
	}
}

func TestSelfCheckFails(t *testing.T) {
	paths(t, testSelfCheckFails[float32], testSelfCheckFails[float64])
}

func BenchmarkSelfCheck(b *testing.B) {
	for b.Loop() {
		if err := SelfCheck(cpu.Best()); err != nil {
			b.Fatal(err)
		}
	}
}
