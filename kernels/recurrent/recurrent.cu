// One step of a layer is one launch forward and two back. A block of 16 × 16 threads takes 32 samples and 32 units, a
// thread 2 × 2 of them with all their gates.
#include "act/act.cuh"

const int TILE = 32, DEEP = 16;

struct Sizes {
	i64 steps, batch, hidden;
};

// products adds to acc[g] the products of GATES blocks of rows of w with samples of past.
template <int GATES, class T>
__device__ void products(const Sizes &q, i64 s0, i64 j0, const T *past, const T *w, T (*acc)[2][2]) {
	__shared__ T xs[DEEP][TILE + 1], ws[GATES][DEEP][TILE + 1];
	int t = threadIdx.x, tx = t % 16, ty = t / 16;
	for (i64 k0 = 0; k0 < q.hidden; k0 += DEEP) {
		i64 k = k0 + tx;
		for (int e = 0; e < 2; e++) {
			i64 s = s0 + ty + e * 16, j = j0 + ty + e * 16;
			xs[tx][ty + e * 16] = s < q.batch && k < q.hidden ? past[s * q.hidden + k] : T(0);
			for (int g = 0; g < GATES; g++)
				ws[g][tx][ty + e * 16] = j < q.hidden && k < q.hidden ? w[(g * q.hidden + j) * q.hidden + k] : T(0);
		}
		__syncthreads();
		for (int p = 0; p < DEEP; p++) {
			for (int g = 0; g < GATES; g++) {
				for (int a = 0; a < 2; a++) {
					for (int b = 0; b < 2; b++) acc[g][a][b] += xs[p][ty + a * 16] * ws[g][p][tx + b * 16];
				}
			}
		}
		__syncthreads();
	}
}

template <class T>
__device__ void gru(const Sizes &q, i64 t, const T *gx, const T *h0, const T *w, const T *bias, T *out) {
	i64 H = q.hidden, part = q.steps * q.batch * H, s0 = (i64)blockIdx.y * TILE, j0 = (i64)blockIdx.x * TILE;
	const T *past = t > 0 ? out + (t - 1) * q.batch * H : h0;
	T acc[3][2][2] = {};
	products<3>(q, s0, j0, past, w, acc);
	for (int a = 0; a < 2; a++) {
		for (int b = 0; b < 2; b++) {
			i64 s = s0 + threadIdx.x / 16 + a * 16, j = j0 + threadIdx.x % 16 + b * 16;
			if (s >= q.batch || j >= H) continue;
			const T *x = gx + (t * q.batch + s) * 3 * H + j;
			T *y = out + (t * q.batch + s) * H + j;
			T r = act::sigmoid(acc[0][a][b] + bias[j] + x[0]), z = act::sigmoid(acc[1][a][b] + bias[H + j] + x[H]);
			T inner = acc[2][a][b] + bias[3 * H + j], n = tanh_(x[2 * H] + bias[2 * H + j] + r * inner);
			y[0] = (1 - z) * n + z * past[s * H + j];
			y[part] = r;
			y[2 * part] = z;
			y[3 * part] = n;
			y[4 * part] = inner;
		}
	}
}
BOTH(gru, (Sizes q, i64 t, const T *gx, const T *h0, const T *w, const T *bias, T *out), (q, t, gx, h0, w, bias, out))

template <class T>
__device__ void lstm(const Sizes &q, i64 t, const T *gx, const T *h0, const T *c0, const T *w, const T *bias, T *out) {
	i64 H = q.hidden, part = q.steps * q.batch * H, s0 = (i64)blockIdx.y * TILE, j0 = (i64)blockIdx.x * TILE;
	const T *past = t > 0 ? out + (t - 1) * q.batch * H : h0, *cell = t > 0 ? out + part + (t - 1) * q.batch * H : c0;
	T acc[4][2][2] = {};
	products<4>(q, s0, j0, past, w, acc);
	for (int a = 0; a < 2; a++) {
		for (int b = 0; b < 2; b++) {
			i64 s = s0 + threadIdx.x / 16 + a * 16, j = j0 + threadIdx.x % 16 + b * 16;
			if (s >= q.batch || j >= H) continue;
			const T *x = gx + (t * q.batch + s) * 4 * H + j;
			T *y = out + (t * q.batch + s) * H + j, v[4];
			for (int g = 0; g < 4; g++) v[g] = acc[g][a][b] + bias[g * H + j] + x[g * H];
			T i = act::sigmoid(v[0]), f = act::sigmoid(v[1]), n = tanh_(v[2]), o = act::sigmoid(v[3]);
			T c = f * cell[s * H + j] + i * n;
			y[0] = o * tanh_(c);
			y[part] = c;
			y[2 * part] = i;
			y[3 * part] = f;
			y[4 * part] = n;
			y[5 * part] = o;
		}
	}
}
BOTH(lstm, (Sizes q, i64 t, const T *gx, const T *h0, const T *c0, const T *w, const T *bias, T *out),
     (q, t, gx, h0, c0, w, bias, out))

// gruback writes the gradients of gx and q of step t. d is the gradient of all parts of st, or of the first if alone.
// carry is the gradient of h from later steps, 0 at the last one, and becomes that of the step before but for the
// products with the weights.
template <class T>
__device__ void gruback(const Sizes &q, i64 t, int alone, const T *st, const T *d, const T *h0, T *carry, T *out) {
	i64 H = q.hidden, n = q.batch * H, part = q.steps * n, at = t * n;
	const T *past = t > 0 ? st + at - n : h0;
	EACH(u, n) {
		const T *x = st + at + u, *g = d + at + u;
		T *y = out + (t * q.batch + u / H) * 3 * H + u % H;
		T r = x[part], z = x[2 * part], v = x[3 * part], inner = x[4 * part];
		T dr = 0, dz = 0, dn = 0, dq = 0;
		if (!alone) dr = g[part], dz = g[2 * part], dn = g[3 * part], dq = g[4 * part];
		T dh = g[0] + (t + 1 < q.steps ? carry[u] : T(0));
		T a = (dh * (1 - z) + dn) * (1 - v * v);
		y[0] = (a * inner + dr) * r * (1 - r);
		y[H] = (dh * (past[u] - v) + dz) * z * (1 - z);
		y[2 * H] = a;
		out[3 * part + at + u] = a * r + dq;
		carry[u] = dh * z;
	}
}
BOTH(gruback, (Sizes q, i64 t, int alone, const T *st, const T *d, const T *h0, T *carry, T *out),
     (q, t, alone, st, d, h0, carry, out))

// lstmback is the same for LSTM; cells is the gradient of c from later steps, and carry is set to 0.
template <class T>
__device__ void lstmback(const Sizes &q, i64 t, int alone, const T *st, const T *d, const T *c0, T *carry, T *cells,
                         T *out) {
	i64 H = q.hidden, n = q.batch * H, part = q.steps * n, at = t * n;
	const T *cell = t > 0 ? st + part + at - n : c0;
	EACH(u, n) {
		const T *x = st + at + u, *g = d + at + u;
		T *y = out + (t * q.batch + u / H) * 4 * H + u % H;
		bool last = t + 1 == q.steps;
		T c = tanh_(x[part]), i = x[2 * part], f = x[3 * part], v = x[4 * part], o = x[5 * part];
		T dc = 0, di = 0, df = 0, dv = 0, dy = 0;
		if (!alone) dc = g[part], di = g[2 * part], df = g[3 * part], dv = g[4 * part], dy = g[5 * part];
		T gh = g[0] + (last ? T(0) : carry[u]), gc = dc + (last ? T(0) : cells[u]) + gh * o * (1 - c * c);
		y[0] = (gc * v + di) * i * (1 - i);
		y[H] = (gc * cell[u] + df) * f * (1 - f);
		y[2 * H] = (gc * i + dv) * (1 - v * v);
		y[3 * H] = (gh * c + dy) * o * (1 - o);
		if (t == 0) out[4 * part + n + u] = gc * f;
		cells[u] = gc * f;
		carry[u] = 0;
	}
}
BOTH(lstmback, (Sizes q, i64 t, int alone, const T *st, const T *d, const T *c0, T *carry, T *cells, T *out),
     (q, t, alone, st, d, c0, carry, cells, out))

// gate is where the gradients of gate g of all steps begin, ld elements from row to row. Those of gx come first in the
// output, [steps, batch, gates·hidden]; for the products, the third gate of a GRU is q, which is behind them.
template <class T>
__device__ const T *gate(const Sizes &q, int gates, int g, const T *out, i64 &ld) {
	ld = gates == 3 && g == 2 ? q.hidden : gates * q.hidden;
	return gates == 3 && g == 2 ? out + 3 * q.steps * q.batch * q.hidden : out + g * q.hidden;
}

// carried adds Σ_g gate_g·w_g to carry: the gradient of h of the step before; that of step 0 goes behind the first
// 4·steps·batch·hidden elements of the output.
template <class T>
__device__ void carried(const Sizes &q, i64 t, int gates, const T *w, T *carry, T *out) {
	__shared__ T xs[DEEP][TILE + 1], ws[DEEP][TILE];
	i64 H = q.hidden, part = q.steps * q.batch * H, s0 = (i64)blockIdx.y * TILE, j0 = (i64)blockIdx.x * TILE;
	int tx = threadIdx.x % 16, ty = threadIdx.x / 16;
	T *to = t > 0 ? carry : out + 4 * part, acc[2][2] = {};
	for (int g = 0; g < gates; g++) {
		i64 ld;
		const T *x = gate(q, gates, g, out, ld) + t * q.batch * ld, *wg = w + g * H * H;
		for (i64 k0 = 0; k0 < H; k0 += DEEP) {
			for (int e = 0; e < 2; e++) {
				i64 s = s0 + ty + e * 16, k = k0 + tx, row = k0 + ty, j = j0 + tx + e * 16;
				xs[tx][ty + e * 16] = s < q.batch && k < H ? x[s * ld + k] : T(0);
				ws[ty][tx + e * 16] = row < H && j < H ? wg[row * H + j] : T(0);
			}
			__syncthreads();
			for (int p = 0; p < DEEP; p++) {
				for (int a = 0; a < 2; a++) {
					for (int b = 0; b < 2; b++) acc[a][b] += xs[p][ty + a * 16] * ws[p][tx + b * 16];
				}
			}
			__syncthreads();
		}
	}
	for (int a = 0; a < 2; a++) {
		for (int b = 0; b < 2; b++) {
			i64 s = s0 + ty + a * 16, j = j0 + tx + b * 16;
			if (s < q.batch && j < H) to[s * H + j] = carry[s * H + j] + acc[a][b];
		}
	}
}
BOTH(carried, (Sizes q, i64 t, int gates, const T *w, T *carry, T *out), (q, t, gates, w, carry, out))

// biases sums the gradients of the 4·hidden biases over all samples of all steps, to the end of the output. A block
// takes 32 of them, a thread every eighth sample.
template <class T>
__device__ void biases(const Sizes &q, int gates, T *out) {
	__shared__ T part[8][32];
	i64 H = q.hidden, rows = q.steps * q.batch, states = (gates - 2) * q.batch * H;
	i64 c = (i64)blockIdx.x * 32 + threadIdx.x % 32;
	int slice = threadIdx.x / 32;
	T sum = 0;
	if (c < 4 * H) {
		i64 ld = gates == 3 && c >= 3 * H ? H : gates * H;
		const T *x = gates == 3 && c >= 3 * H ? out + 3 * rows * H + c - 3 * H : out + c;
		for (i64 r = slice; r < rows; r += 8) sum += x[r * ld];
	}
	part[slice][threadIdx.x % 32] = sum;
	__syncthreads();
	if (slice > 0 || c >= 4 * H) return;
	for (int i = 1; i < 8; i++) sum += part[i][threadIdx.x];
	out[4 * rows * H + states + c] = sum;
}
BOTH(biases, (Sizes q, int gates, T *out), (q, gates, out))

// weights is the gradient of the weights: a block of 32 rows and 32 columns, of gate blockIdx.z, summed over all
// samples of all steps. d is what the ways back wrote, h the hidden states.
template <class T>
__device__ void weights(const Sizes &q, int gates, const T *d, const T *h, const T *h0, T *out) {
	__shared__ T ds[DEEP][TILE], hs[DEEP][TILE];
	i64 H = q.hidden, rows = q.steps * q.batch, i0 = (i64)blockIdx.y * TILE, j0 = (i64)blockIdx.x * TILE, ld;
	int tx = threadIdx.x % 16, ty = threadIdx.x / 16, g = blockIdx.z;
	const T *x = gate(q, gates, g, d, ld);
	T acc[2][2] = {};
	for (i64 r0 = 0; r0 < rows; r0 += DEEP) {
		i64 r = r0 + ty;
		const T *past = r < q.batch ? h0 + r * H : h + (r - q.batch) * H;
		for (int e = 0; e < 2; e++) {
			i64 i = i0 + tx + e * 16, j = j0 + tx + e * 16;
			ds[ty][tx + e * 16] = r < rows && i < H ? x[r * ld + i] : T(0);
			hs[ty][tx + e * 16] = r < rows && j < H ? past[j] : T(0);
		}
		__syncthreads();
		for (int p = 0; p < DEEP; p++) {
			for (int a = 0; a < 2; a++) {
				for (int b = 0; b < 2; b++) acc[a][b] += ds[p][ty + a * 16] * hs[p][tx + b * 16];
			}
		}
		__syncthreads();
	}
	for (int a = 0; a < 2; a++) {
		for (int b = 0; b < 2; b++) {
			i64 i = i0 + ty + a * 16, j = j0 + tx + b * 16;
			if (i < H && j < H) out[(g * H + i) * H + j] = acc[a][b];
		}
	}
}
BOTH(weights, (Sizes q, int gates, const T *d, const T *h, const T *h0, T *out), (q, gates, d, h, h0, out))
