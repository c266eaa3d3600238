package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
)

// output is a file with its contents.
type output struct {
	name string
	data []byte
}

const notice = "Written by go run ./cuda/driver/gen from syms.txt; do not edit."

var symbolPattern = regexp.MustCompile(`^cu[A-Z]\w*$`)

// readList reads the symbols: one a line, sorted, lines of # are comments.
func readList(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gen: %w", err)
	}
	var out []string
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if !symbolPattern.MatchString(line) || line == "cuInit" {
			return nil, fmt.Errorf("gen: %s:%d: %q is no symbol of the driver that wants a trampoline", path, n, line)
		}
		if len(out) > 0 && out[len(out)-1] >= line {
			return nil, fmt.Errorf("gen: %s:%d: %s does not come after %s", path, n, line, out[len(out)-1])
		}
		out = append(out, line)
	}
	return out, nil
}

func writeList(symbols []string) []byte {
	return []byte(
		"# Symbols of the CUDA driver that have a trampoline: what gorgonia.org/cu calls with the headers of\n" +
			"# CUDA 11.8 to 13.5, and what driver.h declares. cuInit is not among them: tramp.c defines it.\n" +
			strings.Join(symbols, "\n") + "\n",
	)
}

// union merges two lists into a sorted one.
func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

// generate makes all files.
func generate(symbols []string) []output {
	return []output{
		{"tramp_amd64.S", assembly("amd64", amd64, symbols)},
		{"tramp_arm64.S", assembly("arm64", arm64, symbols)},
		{"names.h", names(symbols)},
	}
}

func assembly(arch, text string, symbols []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "//go:build gpu && cgo && linux && %s\n\n// %s\n\n%s\n", arch, notice, strings.TrimSpace(text))
	for i, s := range symbols {
		fmt.Fprintf(&b, "\tTRAMP %s %d\n", s, i)
	}
	b.WriteString("\n\t.section .note.GNU-stack,\"\",%progbits\n")
	return b.Bytes()
}

func names(symbols []string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "// %s\n#define GG_SYMBOLS %d\n\nstatic const char *const gg_cuda_names[GG_SYMBOLS] = {\n", notice,
		len(symbols))
	for _, s := range symbols {
		fmt.Fprintf(&b, "\t%q,\n", s)
	}
	b.WriteString("};\n")
	return b.Bytes()
}

// amd64 saves the six integer registers of arguments and two of floats, which is all that a driver call has.
const amd64 = `
// The first call of a function comes here with the number of its slot pushed. It resolves the slot, with the arguments
// in registers saved, and goes on to the function as if it had been called directly.
	.text
	.hidden gg_cuda_slots
	.hidden gg_cuda_resolve
gg_tramp_slow:
	pushq %rbp
	movq %rsp, %rbp
	andq $-16, %rsp
	subq $96, %rsp
	movq %rdi, 0(%rsp)
	movq %rsi, 8(%rsp)
	movq %rdx, 16(%rsp)
	movq %rcx, 24(%rsp)
	movq %r8, 32(%rsp)
	movq %r9, 40(%rsp)
	movups %xmm0, 48(%rsp)
	movups %xmm1, 64(%rsp)
	movq 8(%rbp), %rdi
	call gg_cuda_resolve
	movq %rax, %r11
	movq 0(%rsp), %rdi
	movq 8(%rsp), %rsi
	movq 16(%rsp), %rdx
	movq 24(%rsp), %rcx
	movq 32(%rsp), %r8
	movq 40(%rsp), %r9
	movups 48(%rsp), %xmm0
	movups 64(%rsp), %xmm1
	leave
	addq $8, %rsp
	jmp *%r11

	.macro TRAMP name idx
	.globl \name
	.type \name, @function
\name:
	movq gg_cuda_slots+8*\idx(%rip), %r11
	testq %r11, %r11
	jz 1f
	jmp *%r11
1:	pushq $\idx
	jmp gg_tramp_slow
	.size \name, .-\name
	.endm
`

// arm64 saves the nine integer registers of arguments and results, and eight of floats.
const arm64 = `
// The first call of a function comes here with the number of its slot in x16. It resolves the slot, with the arguments
// in registers saved, and goes on to the function as if it had been called directly.
	.text
	.hidden gg_cuda_slots
	.hidden gg_cuda_resolve
gg_tramp_slow:
	stp x29, x30, [sp, #-224]!
	mov x29, sp
	stp x0, x1, [sp, #16]
	stp x2, x3, [sp, #32]
	stp x4, x5, [sp, #48]
	stp x6, x7, [sp, #64]
	str x8, [sp, #80]
	stp q0, q1, [sp, #96]
	stp q2, q3, [sp, #128]
	stp q4, q5, [sp, #160]
	stp q6, q7, [sp, #192]
	mov x0, x16
	bl gg_cuda_resolve
	mov x17, x0
	ldp x0, x1, [sp, #16]
	ldp x2, x3, [sp, #32]
	ldp x4, x5, [sp, #48]
	ldp x6, x7, [sp, #64]
	ldr x8, [sp, #80]
	ldp q0, q1, [sp, #96]
	ldp q2, q3, [sp, #128]
	ldp q4, q5, [sp, #160]
	ldp q6, q7, [sp, #192]
	ldp x29, x30, [sp], #224
	br x17

	.macro TRAMP name idx
	.globl \name
	.type \name, %function
\name:
	adrp x17, gg_cuda_slots+8*\idx
	ldr x17, [x17, #:lo12:gg_cuda_slots+8*\idx]
	cbz x17, 1f
	br x17
1:	mov x16, #\idx
	b gg_tramp_slow
	.size \name, .-\name
	.endm
`
