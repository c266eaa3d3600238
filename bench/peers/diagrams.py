"""Equivariant maps of S_n between tensor powers: forward, and with the gradients to input and weights.

The peers share work as we do: every contraction of the input is made once, one product for each number of shared blocks mixes
them, and every pattern of the output is added once. In torch diagonals are views with summed strides and the sums are written as
an autograd function, whose backward pass is the addition to the same views; jax has one expression with masks of the diagonals.
"""
import itertools

import numpy as np

from timing import QUICK, module, report

AXES = "pqrstu"


def partitions(points):
    """Block of every point, blocks numbered by first occurrence."""
    found = [()]
    for _ in range(points):
        found = [p + (b,) for p in found for b in range(max(p, default=-1) + 2)]
    return found


def patterns(order, most):
    """By the number of blocks kept: (partition, blocks kept)."""
    found = [[] for _ in range(most + 1)]
    for p in partitions(order):
        blocks = len(set(p))
        for kept in range(min(blocks, most) + 1):
            found[kept] += [(p, c) for c in itertools.combinations(range(blocks), kept)]
    return found


def cases():
    for k, l in [(1, 1), (2, 1), (2, 2), (3, 2), (3, 3)]:
        for n in [4] if QUICK else [10, 20, 30]:
            for channels in (1, 8):
                yield k, l, n, channels, 2 if QUICK else 32


def setting(k, l, n, channels, batch):
    most = min(k, l)
    ins, outs = patterns(k, most), patterns(l, most)
    orders = [list(itertools.permutations(range(d))) for d in range(most + 1)]
    rng = np.random.default_rng(1)
    draw = lambda *shape: rng.standard_normal(shape).astype(np.float32)
    weights = [draw(len(outs[d]) * channels, len(orders[d]) * len(ins[d]) * channels) / 50 for d in range(most + 1)]
    return ins, outs, orders, weights, draw(batch, channels, *[n] * k), draw(batch, channels, *[n] * l)


def torch_map(torch, k, l, n, channels, batch):
    ins, outs, orders, weights, x, dz = setting(k, l, n, channels, batch)

    def diagonal(t, p):
        strides = [0] * len(set(p))
        for axis, block in enumerate(p):
            strides[block] += t.stride(2 + axis)
        return t.as_strided((*t.shape[:2], *[n] * len(strides)), (*t.stride()[:2], *strides))

    def contract(t, wanted):
        def one(p, kept):
            v = diagonal(t, p)
            gone = [2 + b for b in range(v.dim() - 2) if b not in kept]
            return v.sum(gone) if gone else v
        return tuple(torch.stack([one(p, kept) for p, kept in w], 1) for w in wanted)

    def embed(parts, wanted, order):
        t = torch.zeros(batch, channels, *[n] * order)
        for part, w in zip(parts, wanted):
            for i, (p, kept) in enumerate(w):
                v = diagonal(t, p)
                v += part[(slice(None), i, slice(None), *[slice(None) if b in kept else None for b in range(v.dim() - 2)])]
        return t

    class Contract(torch.autograd.Function):
        @staticmethod
        def forward(ctx, t):
            return contract(t.contiguous(), ins)

        @staticmethod
        def backward(ctx, *grads):
            return embed(grads, ins, k)

    class Embed(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *parts):
            return embed(parts, outs, l)

        @staticmethod
        def backward(ctx, grad):
            return contract(grad.contiguous(), outs)

    weights, x, dz = [torch.tensor(w, requires_grad=True) for w in weights], torch.tensor(x), torch.tensor(dz)
    grown = x.clone().requires_grad_()

    def apply(t):
        mixed = []
        for d, part in enumerate(Contract.apply(t)):
            if d > 1:
                part = torch.cat([part.permute(0, 1, 2, *[3 + a for a in o]) for o in orders[d]], 1)
            mixed.append((weights[d] @ part.reshape(batch, -1, n**d)).reshape(batch, len(outs[d]), channels, *[n] * d))
        return Embed.apply(*mixed)

    def forward():
        with torch.no_grad():
            apply(x)

    def both():
        return torch.autograd.grad(apply(grown), [grown, *weights], dz)

    return forward, both


def jax_map(jax, k, l, n, channels, batch):
    import jax.numpy as jnp
    ins, outs, orders, weights, x, dz = setting(k, l, n, channels, batch)
    weights, x, dz = [jnp.asarray(w) for w in weights], jnp.asarray(x), jnp.asarray(dz)
    name = lambda blocks: "".join(AXES[b] for b in blocks)

    def apply(ws, t):
        z = jnp.zeros((batch, channels) + (n,) * l)
        for d, w in enumerate(ws):
            part = jnp.stack([jnp.einsum("ab%s->ab%s" % (name(p), name(kept)), t) for p, kept in ins[d]], 1)
            part = jnp.concatenate([part.transpose(0, 1, 2, *[3 + a for a in o]) for o in orders[d]], 1)
            mixed = (w @ part.reshape(batch, -1, n**d)).reshape(batch, len(outs[d]), channels, *[n] * d)
            for i, (p, kept) in enumerate(outs[d]):
                first = [p.index(b) for b in p]  # of the axis's block
                term = mixed[:, i].reshape((batch, channels) + tuple(n if first[a] == a and p[a] in kept else 1 for a in range(l)))
                for a in range(l):
                    if first[a] != a:
                        term = term * jnp.eye(n).reshape([n if axis in (a, first[a]) else 1 for axis in range(l)])
                z = z + term
        return z

    forward = jax.jit(apply)
    both = jax.jit(lambda ws, t, g: jax.vjp(apply, ws, t)[1](g))
    return lambda: forward(weights, x).block_until_ready(), lambda: jax.block_until_ready(both(weights, x, dz))


def diagrams():
    for peer, make in [("torch", torch_map), ("jax", jax_map)]:
        library = module(peer)
        if library is None:
            continue
        for k, l, n, channels, batch in cases():
            for i, op in enumerate(["forward", "forward+backward"]):
                size = {"group": "S", "k": k, "l": l, "n": n, "batch": batch, "channels": channels, "op": op}
                report("diagrams", peer, size, lambda: make(library, k, l, n, channels, batch)[i])
