"""Message passing: products with sparse matrices, inner products, softmax over edges, and training steps of graph networks.

torch has a product in compressed rows (MKL); the networks are written by hand on it, with the matrix and its transpose made once and
the linear map before the aggregation, and, where it is installed, with torch_geometric and with DGL as their users write them.
"""
import math

import numpy as np

from timing import QUICK, module, report

SIZES = {"cora": dict(nodes=2708, edges=10556, features=1433, hidden=64, words=18, classes=7, skewed=False),
         "fb": dict(nodes=22470, edges=342004, features=128, hidden=64, words=0, classes=4, skewed=True),
         "rmat": dict(nodes=100000, edges=2000000, features=128, hidden=128, words=0, classes=16, skewed=True)}
SHARES = (0.57, 0.76, 0.95)  # of the quarters of R-MAT, added up


def edges(n, count, skewed):
    """Distinct edges without loops, in both directions, by destination and then source: (source, destination)."""
    rng = np.random.default_rng(1)
    half, keys = count // 2, np.empty(0, np.int64)
    while keys.size < half:
        m = 2 * half
        if skewed:
            i, j = np.zeros(m, np.int64), np.zeros(m, np.int64)
            for _ in range((n - 1).bit_length()):
                u = rng.random(m)
                i = 2 * i + (u >= SHARES[1])
                j = 2 * j + ((u >= SHARES[0]) & (u < SHARES[1]) | (u >= SHARES[2]))
        else:
            i, j = rng.integers(0, n, m), rng.integers(0, n, m)
        ok = (i < n) & (j < n) & (i != j)
        keys = np.unique(np.concatenate([keys, (np.minimum(i, j) * n + np.maximum(i, j))[ok]]))
    keys = rng.permutation(keys)[:half]
    label = rng.permutation(n)
    i, j = label[keys // n], label[keys % n]
    src, dst = np.concatenate([i, j]), np.concatenate([j, i])
    order = np.lexsort((src, dst))
    return src[order], dst[order]


def matrix(torch, src, dst, values, n):
    """The matrix with values at [dst, src], in compressed rows."""
    return torch.sparse_coo_tensor(torch.stack([dst, src]), values, (n, n)).coalesce().to_sparse_csr()


def spmm():
    torch, dgl = module("torch"), module("dgl")
    for n, count in [(20, 60)] if QUICK else [(20000, 340000), (100000, 2000000)]:
        for pattern in ("uniform", "rmat"):
            src, dst = (torch.from_numpy(e) for e in edges(n, count, pattern == "rmat"))
            size = lambda op, what, width: {"op": op, "n": n, "nnz": count, what: width, "pattern": pattern}
            if dgl:
                kernels_dgl(torch, dgl, src, dst, n, size)
            else:
                kernels_torch(torch, src, dst, n, count, size)
        if not dgl:
            x, at = torch.randn(n, 64), torch.randint(0, n, (count,))
            out = torch.empty(count, 64)
            report("spmm", "torch.index_select", {"op": "gather", "rows": n, "count": count, "bytes": 256},
                   lambda: lambda: torch.index_select(x, 0, at, out=out))


def kernels_torch(torch, src, dst, n, count, size):
    a = matrix(torch, src, dst, torch.rand(count), n)
    ones = matrix(torch, src, dst, torch.ones(count), n)
    for width in (16, 64, 128):
        x = torch.randn(n, width)
        report("spmm", "torch.sparse", size("spmm", "cols", width), lambda: lambda: a @ x, 2.0 * count * width)
        report("spmm", "torch.sparse", size("spmm-unweighted", "cols", width), lambda: lambda: ones @ x, 2.0 * count * width)
    for width in (16, 64):
        p, q = torch.randn(n, width), torch.randn(n, width).t()
        report("spmm", "torch.sparse", size("sddmm", "cols", width), lambda: lambda: torch.sparse.sampled_addmm(a, p, q, beta=0.0),
               2.0 * count * width)
    e, ptr = torch.randn(count, 8), a.crow_indices()
    pyg = module("torch_geometric")
    if pyg:
        from torch_geometric.utils import softmax
        report("spmm", "pyg", size("edge_softmax", "heads", 8), lambda: lambda: softmax(e, ptr=ptr))


def kernels_dgl(torch, dgl, src, dst, n, size):
    g = dgl.graph((src, dst), num_nodes=n).formats(["csc", "csr", "coo"])
    g.create_formats_()
    for width in (16, 64, 128):
        x, w = torch.randn(n, width), torch.rand(g.num_edges(), 1)
        report("spmm", "dgl", size("spmm-unweighted", "cols", width), lambda: lambda: dgl.ops.copy_u_sum(g, x))
        report("spmm", "dgl", size("spmm", "cols", width), lambda: lambda: dgl.ops.u_mul_e_sum(g, x, w))
    for width in (16, 64):
        p, q = torch.randn(n, width), torch.randn(n, width)
        report("spmm", "dgl", size("sddmm", "cols", width), lambda: lambda: dgl.ops.u_dot_v(g, p, q))
    e = torch.randn(g.num_edges(), 8)
    report("spmm", "dgl", size("edge_softmax", "heads", 8), lambda: lambda: dgl.nn.functional.edge_softmax(g, e))


def products(torch):
    """Autograd functions of products with constant sparse matrices."""
    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a, at, x):
            ctx.at = at
            return a @ x

        @staticmethod
        def backward(ctx, g):
            return None, None, ctx.at @ g.contiguous()
    return Product


def by_hand(torch, kind, n, src, dst, x, words, hidden, classes):
    f, product = torch.nn.functional, products(torch)
    count = src.numel()
    if kind == "gcn":
        loop = torch.arange(n)
        src, dst = torch.cat([src, loop]), torch.cat([dst, loop])
        root = torch.bincount(dst, minlength=n).float().rsqrt()
        w = root[src] * root[dst]
    elif kind == "sage":
        w = 1 / torch.bincount(dst, minlength=n).clamp(min=1).float()[dst]
    else:
        w = torch.ones(count)
    a, at = matrix(torch, src, dst, w, n), matrix(torch, dst, src, w, n)
    if words:
        xs, xt = x.to_sparse_csr(), x.t().contiguous().to_sparse_csr()
    draw = lambda i, o: torch.nn.Parameter(torch.randn(i, o) / math.sqrt(i))
    zero = lambda o: torch.nn.Parameter(torch.zeros(o))
    wide = hidden if kind == "gin" else classes
    p = [draw(x.shape[1], hidden), zero(hidden), draw(hidden, wide), zero(wide)]
    if kind == "sage":
        p += [draw(x.shape[1], hidden), draw(hidden, classes)]
    if kind == "gin":
        p += [draw(hidden, hidden), zero(hidden), draw(hidden, classes), zero(classes)]
    first = lambda w: product.apply(xs, xt, w) if words else x @ w
    mix = lambda h: product.apply(a, at, h)

    def net():
        if kind == "gcn":
            return mix(torch.relu(mix(first(p[0])) + p[1]) @ p[2]) + p[3]
        if kind == "sage":
            h = torch.relu(mix(first(p[0])) + first(p[4]) + p[1])
            return mix(h @ p[2]) + h @ p[5] + p[3]
        z = first(p[0])
        h = torch.relu(torch.addmm(p[5], torch.relu(z + mix(z) + p[1]), p[4]))
        z = h @ p[2]
        return torch.addmm(p[7], torch.relu(z + mix(z) + p[3]), p[6])
    return p, net


def geometric(torch, kind, n, src, dst, x, hidden, classes, sparse):
    from torch_geometric.nn import GATConv, GCNConv, GINConv, SAGEConv
    mlp = lambda i, h, o: torch.nn.Sequential(torch.nn.Linear(i, h), torch.nn.ReLU(), torch.nn.Linear(h, o))
    make = {"gcn": lambda i, o, _: GCNConv(i, o, cached=True), "sage": lambda i, o, _: SAGEConv(i, o),
            "gin": lambda i, o, _: GINConv(mlp(i, hidden, o)),
            "gat": lambda i, o, heads: GATConv(i, o // heads, heads=heads)}[kind]
    layers = torch.nn.ModuleList([make(x.shape[1], hidden, 8), make(hidden, classes, 1)])
    adj = matrix(torch, src, dst, torch.ones(src.numel()), n) if sparse else torch.stack([src, dst])
    act = torch.nn.functional.elu if kind == "gat" else torch.relu
    return list(layers.parameters()), lambda: layers[1](act(layers[0](x, adj)), adj)


def dgl_net(torch, dgl, kind, n, src, dst, x, hidden, classes):
    from dgl.nn import GATConv, GINConv, GraphConv, SAGEConv
    g = dgl.graph((src, dst), num_nodes=n)
    if kind in ("gcn", "gat"):
        g = dgl.add_self_loop(g)
    g = g.formats(["csc", "csr", "coo"])
    g.create_formats_()
    mlp = lambda i, h, o: torch.nn.Sequential(torch.nn.Linear(i, h), torch.nn.ReLU(), torch.nn.Linear(h, o))
    make = {"gcn": lambda i, o, _: GraphConv(i, o), "sage": lambda i, o, _: SAGEConv(i, o, "mean"),
            "gin": lambda i, o, _: GINConv(mlp(i, hidden, o), "sum"),
            "gat": lambda i, o, heads: GATConv(i, o // heads, heads)}[kind]
    layers = torch.nn.ModuleList([make(x.shape[1], hidden, 8), make(hidden, classes, 1)])
    act = torch.nn.functional.elu if kind == "gat" else torch.relu
    return list(layers.parameters()), lambda: layers[1](g, act(layers[0](g, x)).flatten(1)).flatten(1)


def gnn():
    torch, pyg, dgl = module("torch"), module("torch_geometric"), module("dgl")
    for name, s in SIZES.items():
        n, count, hidden, classes = (20, 60, 8, 3) if QUICK else (s["nodes"], s["edges"], s["hidden"], s["classes"])
        features, words = (11 if s["words"] else 5, s["words"] and 3) if QUICK else (s["features"], s["words"])
        src, dst = (torch.from_numpy(e) for e in edges(n, count, s["skewed"]))
        rng = np.random.default_rng(2)
        if words:
            x = (rng.random((n, features)) < words / features).astype(np.float32)
            x /= np.maximum(x.sum(1, keepdims=True), 1)
        else:
            x = rng.standard_normal((n, features), dtype=np.float32)
        x, y = torch.from_numpy(x), torch.from_numpy(rng.integers(0, classes, n))
        for kind in ("gcn", "sage", "gin", "gat"):
            size = {"op": kind + "-step", "graph": name, "nodes": n, "edges": count, "features": features, "hidden": hidden}

            def step(parts):
                params, net = parts
                adam = torch.optim.Adam(params, lr=0.01, fused=dgl is None)

                def run():
                    adam.zero_grad(set_to_none=True)
                    torch.nn.functional.cross_entropy(net(), y).backward()
                    adam.step()
                return run
            if dgl:
                report("gnn", "dgl", size, lambda: step(dgl_net(torch, dgl, kind, n, src, dst, x, hidden, classes)))
                continue
            if kind != "gat":
                report("gnn", "torch", size, lambda: step(by_hand(torch, kind, n, src, dst, x, words, hidden, classes)))
            if pyg:
                report("gnn", "pyg", size, lambda: step(geometric(torch, kind, n, src, dst, x, hidden, classes, False)))
                if kind != "gat":
                    report("gnn", "pyg csr", size, lambda: step(geometric(torch, kind, n, src, dst, x, hidden, classes, True)))
