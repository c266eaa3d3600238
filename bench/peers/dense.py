"""Products of matrices, elementwise functions, and a training step of dense layers."""
import math

import numpy as np

from timing import QUICK, module, report

WIDTHS = [12, 8, 3] if QUICK else [784, 512, 256, 10]
RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8


def kernel():
    """The kernel that numpy's BLAS runs on this processor."""
    from threadpoolctl import threadpool_info
    return ", ".join("%s %s %s" % (i["internal_api"], i["version"], i.get("architecture", "")) for i in threadpool_info()
                     if i["user_api"] == "blas")


def gemm():
    torch = module("torch")
    square = [33] if QUICK else [256, 512, 1024, 2048]
    cases = [({"op": "sgemm", "n": n}, n, n, n) for n in square]
    if not QUICK:
        cases += [({"op": "sgemm", "m": m, "k": k, "n": n}, m, k, n)
                  for m, k, n in [(128, 784, 512), (784, 128, 512), (128, 512, 784)]]
    rng = np.random.default_rng(1)
    for size, m, k, n in cases:
        a, b = rng.standard_normal((m, k), dtype=np.float32), rng.standard_normal((k, n), dtype=np.float32)
        c, flops = np.empty((m, n), np.float32), 2.0 * m * k * n
        report("gemm", "numpy", size, lambda: lambda: np.matmul(a, b, out=c), flops, kernel=kernel())
        if torch:
            ta, tb, tc = torch.from_numpy(a), torch.from_numpy(b), torch.empty(m, n)
            report("gemm", "torch", size, lambda: lambda: torch.mm(ta, tb, out=tc), flops)


def elementwise():
    torch = module("torch")
    import scipy.special
    for op in ["tanh", "exp", "sigmoid", "gelu"]:
        for n in [67] if QUICK else [10000, 1000000]:
            x = np.random.default_rng(1).standard_normal(n, dtype=np.float32)
            y, size = np.empty_like(x), {"op": op, "n": n}
            fn = {"tanh": np.tanh, "exp": np.exp, "sigmoid": scipy.special.expit}.get(op)
            if fn:
                report("elementwise", "numpy", size, lambda: lambda: fn(x, out=y))
            if torch:
                tx, ty = torch.from_numpy(x), torch.empty(n)
                if op == "gelu":
                    report("elementwise", "torch", size, lambda: lambda: torch.nn.functional.gelu(tx))
                else:
                    report("elementwise", "torch", size, lambda: lambda: getattr(torch, op)(tx, out=ty))


def layers(rng):
    return [(rng.standard_normal((i, o), dtype=np.float32) / math.sqrt(i), np.zeros(o, np.float32))
            for i, o in zip(WIDTHS[:-1], WIDTHS[1:])]


def jax_step(batch):
    import jax
    import jax.numpy as jnp
    rng = np.random.default_rng(1)
    params = jax.tree.map(jnp.asarray, layers(rng))
    x = jnp.asarray(rng.standard_normal((batch, WIDTHS[0]), dtype=np.float32))
    y = jnp.asarray(rng.integers(0, WIDTHS[-1], batch))

    def loss(params):
        h = x
        for i, (w, b) in enumerate(params):
            h = h @ w + b
            h = jax.nn.relu(h) if i + 1 < len(params) else h
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1))

    def update(state):
        p, m, v, t = state
        g, t = jax.grad(loss)(p), t + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        rate, root = RATE / (1 - BETA1 ** t), jnp.sqrt(1 - BETA2 ** t)
        return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPS), p, m, v), m, v, t

    step = jax.jit(update, donate_argnums=0)
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)  # each moment has memory of its own, since it is donated
    state = [(params, zeros(), zeros(), jnp.zeros(()))]

    def run():
        state[0] = step(state[0])
        jax.block_until_ready(state[0])
    return run


def torch_step(batch, compiled):
    import torch
    rng = np.random.default_rng(1)
    stack = []
    for w, b in layers(rng):
        linear = torch.nn.Linear(*w.shape)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(w.T))
            linear.bias.copy_(torch.from_numpy(b))
        stack += [linear, torch.nn.ReLU()]
    net = torch.nn.Sequential(*stack[:-1])
    x = torch.from_numpy(rng.standard_normal((batch, WIDTHS[0]), dtype=np.float32))
    y = torch.from_numpy(rng.integers(0, WIDTHS[-1], batch))
    adam = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    loss = lambda: torch.nn.functional.cross_entropy(net(x), y)
    if compiled:
        loss = torch.compile(loss)

    def run():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return run


def mlp():
    torch, jax = module("torch"), module("jax")
    products = [2 * i * o for i, o in zip(WIDTHS[:-1], WIDTHS[1:])]
    for batch in [5] if QUICK else [32, 128, 1024]:
        size = {"net": "-".join(map(str, WIDTHS)), "batch": batch}
        flops = float(batch * (3 * sum(products) - products[0]))
        if jax:
            report("mlp", "jax.jit", size, lambda: jax_step(batch), flops)
        if torch:
            report("mlp", "torch", size, lambda: torch_step(batch, False), flops)
            report("mlp", "torch.compile", size, lambda: torch_step(batch, True), flops)
