// Package calculus holds the diagrams of group equivariant maps between tensor power spaces, and what can be computed
// with them: partition diagrams for the symmetric group S_n, Brauer diagrams for O(n) and Sp(n), and Brauer and
// (l+k)\n diagrams for SO(n) (E. Pearce-Crump, arXiv 2304.14144).
//
// A diagram from k to l has l top vertices, the axes of the output, and k bottom vertices, the axes of the input, and a
// partition of them all into blocks. It stands for a matrix of n^l rows and n^k columns:
//
//	E  1 where the labels of the axes are equal within every block, else 0
//	F  for pairs: δ between the rows, the form ε of Sp(n) within one of them, read from left to right
//	H  for pairs and n single vertices: sgn of the single ones' labels, top then bottom, times δ for every pair
//
// The basis of Sp(n), n = 2m, is ordered 1, 1', 2, 2', …, m, m'; ε is +1 at (i, i') and -1 at (i', i).
package calculus

import (
	"errors"
	"fmt"
	"strings"
)

// Group is a group that acts on every axis of a tensor.
type Group uint8

// The groups: permutations, orthogonal and special orthogonal matrices, and symplectic ones.
const (
	S Group = iota
	O
	SO
	Sp
)

var groupNames = [...]string{"S", "O", "SO", "Sp"}

// String is the group's name: S, O, SO or Sp.
func (g Group) String() string {
	if int(g) < len(groupNames) {
		return groupNames[g]
	}
	return fmt.Sprintf("Group(%d)", uint8(g))
}

// ParseGroup reads a group's name.
func ParseGroup(name string) (Group, error) {
	for i, s := range groupNames {
		if strings.EqualFold(s, name) {
			return Group(i), nil
		}
	}
	return 0, fmt.Errorf("group %q is not one of %s", name, strings.Join(groupNames[:], ", "))
}

// Kind says which matrix a diagram stands for.
type Kind uint8

// The kinds (package comment).
const (
	E Kind = iota
	F
	H
)

// String is the kind's letter.
func (k Kind) String() string { return string("EFH?"[min(int(k), 3)]) }

// The errors of this package wrap one of these.
var (
	// ErrDiagram: not a diagram of its kind, or diagrams that do not fit together.
	ErrDiagram = errors.New("not a diagram")
	// ErrSize: more diagrams, or a larger matrix, than are listed or filled.
	ErrSize = errors.New("too large")
)

// MaxVertices is the largest number of vertices of a diagram.
const MaxVertices = 20

// Diagram is a diagram from K to L. Labels holds the block of each vertex, top from left to right, then bottom; blocks
// are numbered by first occurrence. A diagram is not changed after it was made.
type Diagram struct {
	Kind   Kind
	L, K   int
	Labels []uint8
}

// New makes a diagram of l top and k bottom vertices with equal labels in a block; the labels may be any numbers. F
// wants blocks of two, H blocks of two and single vertices.
func New(kind Kind, l, k int, labels ...int) (Diagram, error) {
	if l < 0 || k < 0 || l+k > MaxVertices || len(labels) != l+k {
		return Diagram{}, fmt.Errorf("%w: %d labels for %d top and %d bottom vertices, at most %d", ErrDiagram,
			len(labels), l, k, MaxVertices)
	}
	d := Diagram{Kind: kind, L: l, K: k, Labels: make([]uint8, l+k)}
	first := map[int]uint8{}
	for i, v := range labels {
		if _, known := first[v]; !known {
			first[v] = uint8(len(first))
		}
		d.Labels[i] = first[v]
	}
	for b, size := range d.sizes() {
		if kind == F && size != 2 || kind == H && size > 2 || kind > H {
			return Diagram{}, fmt.Errorf("%w: block %d of %v has %d vertices, kind %s", ErrDiagram, b, d.Labels, size,
				kind)
		}
	}
	return d, nil
}

// Blocks is the number of blocks.
func (d Diagram) Blocks() int {
	n := 0
	for _, b := range d.Labels {
		n = max(n, int(b)+1)
	}
	return n
}

// sizes are the numbers of vertices of the blocks.
func (d Diagram) sizes() []int {
	n := make([]int, d.Blocks())
	for _, b := range d.Labels {
		n[b]++
	}
	return n
}

// Shape counts the blocks: cross ones with vertices in both rows, those in the bottom row and in the top row alone, and
// for kind H the free vertices, which are counted apart, of bottom and top row.
func (d Diagram) Shape() (cross, bottom, top, freeBottom, freeTop int) {
	sizes := d.sizes()
	rows := make([]int, len(sizes)) // 1 top, 2 bottom
	for i, b := range d.Labels {
		if i < d.L {
			rows[b] |= 1
		} else {
			rows[b] |= 2
		}
	}
	for b, r := range rows {
		free := d.Kind == H && sizes[b] == 1
		switch {
		case r == 3:
			cross++
		case r == 1 && free:
			freeTop++
		case r == 1:
			top++
		case free:
			freeBottom++
		default:
			bottom++
		}
	}
	return cross, bottom, top, freeBottom, freeTop
}

// Equal reports whether both are the same diagram.
func (d Diagram) Equal(e Diagram) bool {
	return d.Kind == e.Kind && d.L == e.L && d.K == e.K && string(d.Labels) == string(e.Labels)
}

// String writes kind and labels, as in E(0,1|0,2).
func (d Diagram) String() string {
	var b strings.Builder
	b.WriteString(d.Kind.String() + "(")
	for i, v := range d.Labels {
		switch {
		case i == d.L:
			b.WriteString("|")
		case i > 0:
			b.WriteString(",")
		}
		fmt.Fprint(&b, v)
	}
	if d.K == 0 {
		b.WriteString("|")
	}
	return b.String() + ")"
}

// Flip exchanges the rows and keeps the order within them: matrix(d)ᵀ = sign · matrix(flip). The sign is that of
// (−1)^{s(n−s)} for kind H with s free vertices in the top row, else 1.
func (d Diagram) Flip() (flip Diagram, sign int) {
	labels := make([]int, 0, len(d.Labels))
	for i := range d.Labels {
		labels = append(labels, int(d.Labels[(d.L+i)%len(d.Labels)]))
	}
	flip, _ = New(d.Kind, d.K, d.L, labels...) // of the blocks of a diagram
	sign = 1
	if _, _, _, bottom, top := d.Shape(); bottom*top%2 == 1 {
		sign = -1
	}
	return flip, sign
}

// Tensor puts b to the right of a: its matrix is the Kronecker product of theirs. Diagrams of kind H have none of their
// kind, since n free vertices would become 2n.
func Tensor(a, b Diagram) (Diagram, error) {
	if a.Kind != b.Kind || a.Kind == H {
		return Diagram{}, fmt.Errorf("%w: the tensor product of kinds %s and %s is no diagram of one kind", ErrDiagram,
			a.Kind, b.Kind)
	}
	shift := a.Blocks()
	var labels []int
	add := func(part []uint8, by int) {
		for _, v := range part {
			labels = append(labels, int(v)+by)
		}
	}
	add(a.Labels[:a.L], 0)
	add(b.Labels[:b.L], shift)
	add(a.Labels[a.L:], 0)
	add(b.Labels[b.L:], shift)
	return New(a.Kind, a.L+b.L, a.K+b.K, labels...)
}
