// Package bench times the engine: it measures what the machine can do, runs workloads that other frameworks can run
// too, and compares with their times. A time is the median of repetitions taken while other processes left the
// processor alone, as far as they did; what share they took stands beside it.
//
// A workload has cases; a case is told by its size, a list of named values. Programs for other frameworks under
// bench/peers print the same sizes, one JSON object a line, which Compare joins with ours.
package bench
