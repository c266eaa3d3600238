// Package optim holds the operators of a training step behind the gradients: the update rules of optimisers, checks and
// limits of gradients. None of them has a gradient of its own, for nothing is differentiated through an update.
//
// An update rule works on one block z = [θ | slot 1 | slot 2 …]: all parameters, then the optimiser's state, each part
// as long as the gradient g. The number of slots belongs to the rule. Its inputs are
//
//	z      float [(1+slots)·n]
//	g      float [n], ∂L/∂θ, of z's type
//	hyper  float32 or float64 [2 or more]: the learning rate, the number of the step (from 1 on); others are ignored
//	ok     float [1], of z's type: where it is not above 0, the block is returned as it was
//
// and the output is the new block, in place over z where the plan allows.
package optim
