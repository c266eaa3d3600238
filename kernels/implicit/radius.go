package implicit

import (
	"math"

	"ganglion/internal/asm/gemm"
	"ganglion/internal/cpu"
)

// SpectralRadius is the largest |eigenvalue| of the pruned W, for reports: that of the largest over the modules, since
// a node without a kept cycle adds the eigenvalue 0. w is [p, p], l its structure.
//
// Each module's block A is squared repeatedly and scaled to norm 1: ρ = lim ‖A^(2^k)‖^(1/2^k), which needs no gap
// between eigenvalues and no real leading one. Time O(s³) for each of some 20 squarings of a module of s nodes.
func SpectralRadius(w []float64, l Layout) float64 {
	rho := 0.0
	for m := range l.Modules {
		if l.Size(m) > 1 {
			rho = math.Max(rho, moduleRadius(w, l, m))
		}
	}
	return rho
}

// maxSquarings bounds the relative error by 2^-maxSquarings times the logarithm of the condition of the eigenvectors.
const maxSquarings = 40

func moduleRadius(w []float64, l Layout, m int) float64 {
	n, first := l.Size(m), int(l.ModulePtr[m])
	a, b := make([]float64, n*n), make([]float64, n*n)
	path, work := cpu.Best(), make([]byte, gemm.Workspace(n, n, n, 8, 1))
	for k, j := range l.Members(m) {
		for _, i := range l.Out[l.OutMid[j]:l.OutPtr[j+1]] {
			a[k*n+int(l.Position[i])-first] = w[int(j)*l.Nodes+int(i)]
		}
	}
	log, weight, last := 0.0, 1.0, math.Inf(1)
	for range maxSquarings {
		norm := 0.0
		for _, v := range a {
			norm += v * v
		}
		norm = math.Sqrt(norm)
		log += weight * math.Log(norm)
		if norm == 0 || norm != norm || math.Abs(log-last) < 1e-14 {
			break
		}
		last = log
		for i := range a {
			a[i] /= norm
		}
		gemm.Multiply(nil, path, nil, gemm.Args[float64]{M: n, N: n, K: n, A: a, LDA: n, B: a, LDB: n, C: b, LDC: n,
			Work: work})
		a, b = b, a
		weight /= 2
	}
	return math.Exp(log)
}
