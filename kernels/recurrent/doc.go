// Package recurrent holds recurrent layers over whole sequences as single operators, so that a long sequence is one
// node of a graph.
//
// The part of a layer that does not depend on its own past, x·W_ih^T + b_ih for all steps, is one matrix product
// outside of these operators. What a step leaves behind for the gradient is kept in one packed output; Part takes it
// apart. Gates, their order and their equations are those of PyTorch, so that weights can be exchanged.
package recurrent
