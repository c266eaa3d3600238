package exec

import (
	"ganglion/engine/plan"
	"ganglion/kernels"
)

const reportBytes = 4 * kernels.ReportWords

// deviceAlign is the alignment of what shares a buffer, in bytes.
const deviceAlign = 256

func deviceAligned(n int) int { return (n + deviceAlign - 1) &^ (deviceAlign - 1) }

// deviceLayout is what a plan takes on a device besides arena and store, in bytes.
type deviceLayout struct {
	constants []int        // nodes
	feeds     []deviceFeed // by slot, without addresses
	inputs    int          // of all feeds
	reports   int
	scratch   int // of the step that needs most
}

// layOut lays out a plan. library says that the device has one for products.
func layOut(p *plan.Plan, t kernels.Target, library bool) deviceLayout {
	l := deviceLayout{feeds: make([]deviceFeed, p.Inputs())}
	seen := map[int]bool{}
	for _, at := range p.Places {
		if at.Space == plan.Fixed && !seen[at.Index] {
			seen[at.Index] = true
			l.constants = append(l.constants, at.Index)
		}
	}
	for i := range p.Graph.Nodes {
		n := &p.Graph.Nodes[i]
		if n.Kind != plan.Input || l.feeds[n.Slot].used {
			continue
		}
		size := p.Specs[i].Bytes()
		l.feeds[n.Slot] = deviceFeed{used: true, from: l.inputs, size: size}
		l.inputs += deviceAligned(size)
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if list, err := OnDevice(p, s, t); err == nil && s.Run != plan.Nothing && reports(list) {
			l.reports += reportBytes
		}
		n := &p.Graph.Nodes[s.Node]
		if o, ok := n.Op.(kernels.CUDAScratcher); ok {
			l.scratch = max(l.scratch, o.CUDAWorkspace(t, inputSpecs(p, n), p.Specs[s.Node]))
		}
		if product, rest, ok := Product(p, s, t); ok && library && len(rest) > 0 {
			l.scratch = max(l.scratch, product.Bytes())
		}
	}
	return l
}

// reports tells whether any launch writes a report.
func reports(list []kernels.Launch) bool {
	for _, l := range list {
		for _, a := range l.Args {
			if a.Kind == kernels.ArgReport {
				return true
			}
		}
	}
	return false
}

// DeviceBytes is the memory of a device that CUDA takes for a plan, besides arena and store.
func DeviceBytes(p *plan.Plan, t kernels.Target, library bool) int {
	l := layOut(p, t, library)
	sum := l.inputs + l.reports + l.scratch
	for _, id := range l.constants {
		sum += len(p.Graph.Nodes[id].Value.Memory())
	}
	return sum
}
