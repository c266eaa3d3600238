"""Times the peers: python peers.py [WORKLOAD…]. Prints JSON lines for ganglion bench --against."""
import sys

import convolution
import dense
import diagrams
import graph
import implicit
import recurrent

WORKLOADS = {"gemm": dense.gemm, "elementwise": dense.elementwise, "mlp": dense.mlp, "modules": implicit.modules,
             "deq": implicit.deq, "conv": convolution.conv, "recurrent": recurrent.recurrent, "spmm": graph.spmm,
             "gnn": graph.gnn, "diagrams": diagrams.diagrams}


def main(names):
    for name in names or WORKLOADS:
        if name not in WORKLOADS:
            sys.exit("peers: workload %r is not one of %s" % (name, ", ".join(WORKLOADS)))
        WORKLOADS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
