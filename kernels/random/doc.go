// Package random holds the random operators and the initial values of parameters.
//
// Random numbers are a pure function of where they are used: element i of an operator with the attribute Stream is made
// of word i mod 4 of the Philox4x32-10 block with
//
//	key     (seed low, seed high)
//	counter (i div 4, Stream, step low, step high)
//
// where seed and step come in as the input key int32 [4] = (seed low, seed high, step low, step high). So they do not
// depend on the number of workers or on the device, and are the same after a resume. Initial values use step 0;
// training counts steps from 1.
//
// A word w becomes u = (w div 2⁸)·2⁻²⁴, uniform on [0, 1) and exact in float32. Normal numbers are made of two words by
// the method of Box and Muller, in float64: with r = √(−2·ln((w₀+½)·2⁻³²)) and φ = 2π·w₁·2⁻³², elements 0 and 1 of the
// block are r·cos φ and r·sin φ, elements 2 and 3 the same of w₂ and w₃.
package random
