package dense

// Kind names a binary operation, or the reduction that repeats it.
type Kind uint8

// The kinds. Binary takes all but Mean; Reduce takes Sum, Mean, Max and Min.
const (
	Add Kind = iota
	Sub
	Mul
	Div
	Pow
	Max // NaN if either is NaN
	Min // NaN if either is NaN
	Lt  // comparisons give 0 or 1 in the type of the operands; every comparison with NaN but Ne gives 0
	Gt
	Lte
	Gte
	Eq
	Ne
	Mean

	Sum = Add
)

var kindNames = [...]string{"add", "sub", "mul", "div", "pow", "max", "min", "lt", "gt", "lte", "gte", "eq", "ne",
	"mean"}

// String is the kind in lower case, as in add.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// comparison reports whether the result is 0 or 1.
func (k Kind) comparison() bool { return k >= Lt && k <= Ne }
