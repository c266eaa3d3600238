package kernels

import "fmt"

// Eval computes the values of nodes by the references of their ops, in plain recursion order: the obvious interpreter
// that tests compare the engine with. given holds the values of input nodes (and of any node that is to be taken as
// known); computed values are added to it. Float values are computed and returned in the type of their nodes.
func Eval(given map[*Node]Tensor, want ...*Node) ([]Tensor, error) {
	out := make([]Tensor, len(want))
	for i, root := range want {
		stack := []*Node{root}
		for len(stack) > 0 {
			n := stack[len(stack)-1]
			if _, ok := given[n]; ok {
				stack = stack[:len(stack)-1]
				continue
			}
			in, missing := known(given, n)
			if len(missing) > 0 {
				stack = append(stack, missing...)
				continue
			}
			op, ok := KernelOf(n)
			if !ok {
				return nil, fmt.Errorf("kernels: Eval: node %v is no op of ours and has no value", n)
			}
			t, err := RunRef(op, in)
			if err != nil {
				return nil, err
			}
			given[n] = t
		}
		out[i] = given[root]
	}
	return out, nil
}

func known(given map[*Node]Tensor, n *Node) (in []Tensor, missing []*Node) {
	for _, c := range Children(n) {
		t, ok := given[c]
		if !ok {
			missing = append(missing, c)
		}
		in = append(in, t)
	}
	return in, missing
}
