"""Training steps of implicit layers: one dense layer (deq), and a pruned graph as one global system (modules).

Both are solved by fixed-point iteration, forward and for the gradient, which was the fastest of the solvers that these libraries offer.
The learning rate is 0: every repetition solves the same equations.
"""
import math

import numpy as np

from timing import QUICK, module, report

RHO, LIMIT = 0.9, 300


def weights(rng, n):
    """Normal numbers without a diagonal, scaled to the spectral radius RHO."""
    w = rng.standard_normal((n, n))
    np.fill_diagonal(w, 0)
    return (w * (RHO / np.abs(np.linalg.eigvals(w)).max())).astype(np.float32)


def normal(rng, *shape):
    return rng.standard_normal(shape, dtype=np.float32)


def jax_solver(tol, sample):
    """A fixed-point loop; sample: the tolerance holds for every sample (largest norm), else for the batch (Frobenius norm)."""
    import jax.numpy as jnp
    from jax import lax

    def wrong(x, new):
        if sample:
            return jnp.any(jnp.abs(new - x).max(1) > tol * (1 + jnp.abs(new).max(1)))
        return jnp.linalg.norm(new - x) > tol * jnp.linalg.norm(new)

    def solve(f, x):
        def go(s):
            return wrong(s[0], s[1]) & (s[2] < LIMIT)
        return lax.while_loop(go, lambda s: (s[1], f(s[1]), s[2] + 1), (x, f(x), 1))[1]
    return solve


def jax_layer(solve):
    """x = c + tanh(x)·w with the gradient of the implicit function."""
    import jax
    import jax.numpy as jnp

    @jax.custom_vjp
    def layer(c, w):
        return solve(lambda x: c + jnp.tanh(x) @ w, c)

    def forward(c, w):
        x = layer(c, w)
        return x, (x, w)

    def backward(saved, g):
        x, w = saved
        f = jnp.tanh(x)
        lam = solve(lambda l: g + (1 - f * f) * (l @ w.T), g)
        return lam, f.T @ lam
    layer.defvjp(forward, backward)
    return layer


def jax_run(loss, params):
    """A jitted step: loss, gradient, and Adam at rate 0."""
    import jax
    import jax.numpy as jnp

    def update(p, m, v, t):
        g = jax.grad(loss)(p)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        return jax.tree.map(lambda p, m, v: p - 0.0 * m / (jnp.sqrt(v) + 1e-8), p, m, v), m, v, t + 1
    step = jax.jit(update)
    params = jax.tree.map(jnp.asarray, params)
    zeros = jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros, zeros, jnp.ones(()))]

    def run():
        state[0] = step(*state[0])
        jax.block_until_ready(state[0])
    return run


def torch_layer(tol, sample):
    import torch

    def wrong(x, new):
        if sample:
            return bool(((new - x).abs().amax(1) > tol * (1 + new.abs().amax(1))).any())
        return bool((new - x).norm() > tol * new.norm())

    def solve(f, x):
        for _ in range(LIMIT):
            new = f(x)
            if not wrong(x, new):
                return new
            x = new
        return x

    class Layer(torch.autograd.Function):
        @staticmethod
        def forward(ctx, c, w):
            x = solve(lambda x: torch.addmm(c, torch.tanh(x), w), c)
            ctx.save_for_backward(x, w)
            return x

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            f = torch.tanh(x)
            d, wt = 1 - f * f, w.t()
            lam = solve(lambda l: torch.addcmul(g, d, l @ wt), g)
            return lam, f.t() @ lam
    return Layer.apply


def torch_run(loss, params):
    import torch
    adam = torch.optim.Adam(params, lr=0.0, fused=True)

    def run():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return run


def deq_data(width, batch):
    rng = np.random.default_rng(1)
    p = {"w": weights(rng, width), "u": normal(rng, width, width) / np.float32(math.sqrt(width)), "b": np.zeros(width, np.float32)}
    return p, normal(rng, batch, width), normal(rng, batch, width)


def deq_jax(width, batch, tol):
    import jax.numpy as jnp
    p, x, y = deq_data(width, batch)
    layer = jax_layer(jax_solver(tol, False))
    return jax_run(lambda p: jnp.mean((jnp.tanh(layer(x @ p["u"] + p["b"], p["w"])) - y) ** 2), p)


def deq_torch(width, batch, tol):
    import torch
    data, x, y = deq_data(width, batch)
    p = {k: torch.nn.Parameter(torch.from_numpy(v)) for k, v in data.items()}
    x, y, layer = torch.from_numpy(x), torch.from_numpy(y), torch_layer(tol, False)
    loss = lambda: torch.nn.functional.mse_loss(torch.tanh(layer(torch.addmm(p["b"], x, p["u"]), p["w"])), y)
    return torch_run(loss, list(p.values()))


def deq():
    jax, torch = module("jax"), module("torch")
    batch, tol = (5 if QUICK else 64), 1e-4
    for width in [11] if QUICK else [256, 1024]:
        size = {"op": "deq-step", "batch": batch, "width": width, "tol": tol}
        if jax:
            report("deq", "jax.jit", size, lambda: deq_jax(width, batch, tol))
        if torch:
            report("deq", "torch", size, lambda: deq_torch(width, batch, tol))


def graph_data(p, n0, outputs, batch):
    rng = np.random.default_rng(1)
    params = {"w": weights(rng, p), "b": np.zeros(p, np.float32), "w1": normal(rng, n0, p) / np.float32(math.sqrt(n0)),
              "wm": normal(rng, p, outputs) / np.float32(math.sqrt(p)), "bo": np.zeros(outputs, np.float32)}
    return params, normal(rng, batch, n0), rng.integers(0, outputs, batch)


def modules_jax(p, n0, outputs, batch, edges, tol):
    import jax
    import jax.numpy as jnp
    params, x, y = graph_data(p, n0, outputs, batch)
    layer, off = jax_layer(jax_solver(tol, True)), 1 - jnp.eye(p)

    def loss(q):
        size = jnp.abs(q["w"]) * off
        least = jax.lax.stop_gradient(jax.lax.top_k(size.reshape(-1), edges)[0][-1])
        w = q["w"] - jax.lax.stop_gradient(q["w"] * (size < least))  # pruned, but all edges have a gradient
        z = jnp.tanh(layer(x @ q["w1"] + q["b"], w)) @ q["wm"] + q["bo"]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], 1))
    return jax_run(loss, params)


def modules_torch(p, n0, outputs, batch, edges, tol):
    import torch
    data, x, y = graph_data(p, n0, outputs, batch)
    q = {k: torch.nn.Parameter(torch.from_numpy(v)) for k, v in data.items()}
    x, y, layer = torch.from_numpy(x), torch.from_numpy(y), torch_layer(tol, True)

    def loss():
        with torch.no_grad():
            size = q["w"].abs().fill_diagonal_(0)
            pruned = torch.where(size < torch.topk(size.view(-1), edges).values[-1], q["w"], 0.0)
        z = torch.addmm(q["bo"], torch.tanh(layer(torch.addmm(q["b"], x, q["w1"]), q["w"] - pruned)), q["wm"])
        return torch.nn.functional.cross_entropy(z, y)
    return torch_run(loss, list(q.values()))


def modules():
    jax, torch = module("jax"), module("torch")
    cases = [(100, 128, 6, 64, 0.03, None), (100, 128, 4, 32, 0.3, 1e-6), (300, 128, 4, 32, 0.3, 1e-6)]
    for p, n0, outputs, batch, keep, tol in [(9, 4, 3, 5, 0.3, 1e-5)] if QUICK else cases:
        size = {"op": "neural-modules-step", "p": p, "n0": n0, "outputs": outputs, "batch": batch, "keep": keep}
        if tol:
            size["tol"] = tol
        args = p, n0, outputs, batch, round(keep * p * (p - 1)), tol or 2e-6
        if jax:
            report("modules", "jax.jit", size, lambda: modules_jax(*args))
        if torch:
            report("modules", "torch", size, lambda: modules_torch(*args))
