//go:build gpu && cgo && linux && (amd64 || arm64)

package driver

/*
#include <stdlib.h>
#include "driver.h"
*/
import "C"

import "unsafe"

// Program is a sequence of commands in memory of C, performed by one call without allocations. It is not safe for use
// by several goroutines. The zero value is empty.
type Program struct {
	commands *C.gg_command
	n        int
	args     *C.uint64_t
	nargs    int
	params   *unsafe.Pointer
}

// NewProgram copies commands.
func NewProgram(list []Command) *Program {
	p := &Program{n: len(list)}
	for i := range list {
		p.nargs += len(list[i].Args)
	}
	if p.n == 0 {
		return p
	}
	p.commands = (*C.gg_command)(C.calloc(C.size_t(p.n), C.sizeof_gg_command))
	if p.nargs > 0 {
		p.args = (*C.uint64_t)(C.calloc(C.size_t(p.nargs), 8))
		p.params = (*unsafe.Pointer)(C.calloc(C.size_t(p.nargs), C.size_t(unsafe.Sizeof(uintptr(0)))))
	}
	args, params := unsafe.Slice(p.args, p.nargs), unsafe.Slice(p.params, p.nargs)
	at := 0
	for i, c := range unsafe.Slice(p.commands, p.n) {
		from := &list[i]
		c.kind = C.int(from.Op)
		for k := range 3 {
			c.grid[k], c.block[k] = C.uint(from.Grid[k]), C.uint(from.Block[k])
		}
		c.shared, c.value = C.uint(from.Shared), C.uint(from.Value)
		c.stream, c.function = C.gg_handle(from.Stream), C.gg_handle(from.Function)
		if from.Op == Record || from.Op == Wait {
			c.function = C.gg_handle(from.Event)
		}
		c.call = (*[0]byte)(from.Call)
		c.dst, c.src, c.host, c.n = C.gg_handle(from.Dst), C.gg_handle(from.Src), from.Host, C.size_t(from.Bytes)
		if from.Op == Set32 {
			c.n /= 4
		}
		if len(from.Args) > 0 {
			c.params = &params[at]
		}
		first := at
		for k, v := range from.Args {
			args[first+k] = C.uint64_t(v)
		}
		for k, words := range from.Params {
			params[first+k] = unsafe.Pointer(&args[at])
			at += words
		}
		unsafe.Slice(p.commands, p.n)[i] = c
	}
	return p
}

// SetArg replaces one argument, counted through all launches.
func (p *Program) SetArg(i int, bits uint64) { unsafe.Slice(p.args, p.nargs)[i] = C.uint64_t(bits) }

// Run puts all commands into their streams. If one fails its number is returned.
func (p *Program) Run() (failed int, r Result) {
	v := uint64(C.gg_run(p.commands, C.int(p.n)))
	return int(v >> 32), Result(uint32(v))
}

// RunOne puts command i into its stream.
func (p *Program) RunOne(i int) Result {
	return Result(uint32(C.gg_run(&unsafe.Slice(p.commands, p.n)[i], 1)))
}

// Stream is that of command i.
func (p *Program) Stream(i int) Stream { return Stream(unsafe.Slice(p.commands, p.n)[i].stream) }

// Free frees the memory of C. The program is empty then.
func (p *Program) Free() {
	C.free(unsafe.Pointer(p.commands))
	C.free(unsafe.Pointer(p.args))
	C.free(unsafe.Pointer(p.params))
	*p = Program{}
}
