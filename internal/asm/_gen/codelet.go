package main

// action is what an instruction of a codelet does.
type action uint8

const (
	load      action = iota // row a of x, times a factor if there are factors of inputs
	plus                    // a + b
	minus                   // a − b
	times                   // c·a
	timesUp                 // a + c·b
	timesDown               // a − c·b
	downTimes               // c·b − a
	store                   // a to row b of y, times a factor if there are factors of outputs
)

// instruction is one of a codelet; its value has its number.
type instruction struct {
	action
	a, b int
	c    float64
	neg  bool // a stored value is to be the negative
}

// codelet is a network in the order in which it is computed.
type codelet struct {
	net     *network
	code    []instruction
	uses    []int // of nodes
	partner map[node]int
	value   []int  // of nodes: the instruction that computes it, or −1
	flip    []bool // of nodes: the negative is computed instead
}

// schedule orders what outputs need: depth first, the two results of a butterfly together, so that its inputs are done
// with. Products that one sum uses are part of it.
func schedule(g *network, outputs []term, scaled bool) []instruction {
	n := len(g.nodes)
	c := &codelet{net: g, uses: make([]int, n), partner: map[node]int{}, value: filled(n), flip: make([]bool, n)}
	live := make([]bool, len(g.nodes))
	var mark func(id int)
	mark = func(id int) {
		c.uses[id]++
		if live[id] {
			return
		}
		live[id] = true
		if n := g.nodes[id]; n.step != input {
			mark(n.a)
			if n.step != product {
				mark(n.b)
			}
		}
	}
	for _, t := range outputs {
		mark(t.id)
	}
	for id, n := range g.nodes {
		if live[id] && (n.step == sum || n.step == diff) {
			c.partner[n] = id
		}
	}
	for _, t := range outputs {
		c.flip[t.id] = t.neg && !scaled && c.uses[t.id] == 1 && g.nodes[t.id].step != sum
	}
	for row, t := range outputs {
		v := c.compute(t.id)
		t.neg = t.neg && !c.flip[t.id]
		if t.neg && !scaled {
			c.code = append(c.code, instruction{action: times, a: v, c: -1})
			v, t.neg = len(c.code)-1, false
		}
		c.code = append(c.code, instruction{action: store, a: v, b: row, neg: t.neg})
	}
	return c.code
}

func (c *codelet) emit(id int, i instruction) int {
	c.value[id] = len(c.code)
	c.code = append(c.code, i)
	return c.value[id]
}

// compute returns the value of a node.
func (c *codelet) compute(id int) int {
	if v := c.value[id]; v >= 0 {
		return v
	}
	n := c.net.nodes[id]
	switch n.step {
	case input:
		return c.emit(id, instruction{action: load, a: n.a})
	case product:
		a := c.compute(n.a)
		if c.flip[id] {
			n.c = -n.c
		}
		return c.emit(id, instruction{action: times, a: a, c: n.c})
	}
	v := c.combine(id, n)
	n.step = sum + diff - n.step
	if other, ok := c.partner[n]; ok && c.value[other] < 0 {
		c.combine(other, n)
	}
	return v
}

// combine emits a sum or a difference.
func (c *codelet) combine(id int, n node) int {
	only := func(id int) bool { return c.net.nodes[id].step == product && c.uses[id] == 1 && c.value[id] < 0 }
	switch {
	case only(n.b):
		p := c.net.nodes[n.b]
		a, b := c.compute(n.a), c.compute(p.a)
		do := timesUp
		switch {
		case c.flip[id]:
			do = downTimes
		case n.step == diff:
			do = timesDown
		}
		return c.emit(id, instruction{action: do, a: a, b: b, c: p.c})
	case only(n.a):
		p := c.net.nodes[n.a]
		b, a := c.compute(p.a), c.compute(n.b)
		do := timesUp
		switch {
		case c.flip[id]:
			do = timesDown
		case n.step == diff:
			do = downTimes
		}
		return c.emit(id, instruction{action: do, a: a, b: b, c: p.c})
	}
	a, b := c.compute(n.a), c.compute(n.b)
	do := plus
	if n.step == diff {
		do = minus
	}
	if c.flip[id] {
		a, b = b, a
	}
	return c.emit(id, instruction{action: do, a: a, b: b})
}

// sources are the values that an instruction reads.
func (i instruction) sources() []int {
	switch i.action {
	case load:
		return nil
	case times, store:
		return []int{i.a}
	}
	return []int{i.a, i.b}
}
