// Philox4x32-10 on the device, with the numbers of internal/philox.
#pragma once
#include "include/ganglion.cuh"

struct Words {
	u32 w[4];
};

inline __device__ Words philox(u32 k0, u32 k1, u32 c0, u32 c1, u32 c2, u32 c3) {
#pragma unroll
	for (int round = 0; round < 10; round++) {
		u32 hi0 = __umulhi(0xD2511F53u, c0), lo0 = 0xD2511F53u * c0;
		u32 hi1 = __umulhi(0xCD9E8D57u, c2), lo1 = 0xCD9E8D57u * c2;
		c0 = hi1 ^ c1 ^ k0;
		c1 = lo1;
		c2 = hi0 ^ c3 ^ k1;
		c3 = lo0;
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	return {{c0, c1, c2, c3}};
}

// words returns the numbers of elements 4b … 4b+3 of a stream; key is seed low and high, step low and high.
inline __device__ Words words(const int *key, u32 stream, i64 b) {
	return philox(key[0], key[1], (u32)b, stream, key[2], key[3]);
}

// unit is the number in [0, 1) that a word stands for.
inline __device__ double unit(u32 w) { return (w >> 8) * (1.0 / (1 << 24)); }
