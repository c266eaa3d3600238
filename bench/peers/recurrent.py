"""Training steps of recurrent layers: a layer over a whole sequence, a linear layer on its last state, cross-entropy and Adam.

The input comes time first, as the libraries like it best. torch.compile is given the steps as a loop, since it leaves torch.nn.GRU and
torch.nn.LSTM to the eager mode; jax has the product of the inputs outside of the scan.
"""
import math

import numpy as np

from timing import QUICK, module, report

GATES = {"gru": 3, "lstm": 4}
CLASSES, RATE, BETA1, BETA2, EPS = 10, 1e-3, 0.9, 0.999, 1e-8


def cases():
    """(steps, batch, inputs, hidden)"""
    return [(3, 5, 4, 7)] if QUICK else [(64, 128, 256, 256), (64, 32, 128, 256)]


def data(kind, steps, batch, inputs, hidden):
    rng = np.random.default_rng(1)
    draw = lambda *shape: rng.uniform(-1 / math.sqrt(hidden), 1 / math.sqrt(hidden), shape).astype(np.float32)
    g = GATES[kind] * hidden
    params = {"wx": draw(g, inputs), "wh": draw(g, hidden), "bx": draw(g), "bh": draw(g), "wo": draw(CLASSES, hidden), "bo": draw(CLASSES)}
    return params, rng.standard_normal((steps, batch, inputs), dtype=np.float32), rng.integers(0, CLASSES, batch)


def jax_step(kind, sizes, unroll):
    import jax
    import jax.numpy as jnp
    params, x, y = data(kind, *sizes)
    params = jax.tree.map(jnp.asarray, params)
    x, y = jnp.asarray(x), jnp.asarray(y)
    zeros = jnp.zeros((sizes[1], sizes[3]), jnp.float32)

    def gru(p, h, gx):
        xr, xz, xn = jnp.split(gx, 3, 1)
        hr, hz, hn = jnp.split(h @ p["wh"].T + p["bh"], 3, 1)
        r, z = jax.nn.sigmoid(xr + hr), jax.nn.sigmoid(xz + hz)
        n = jnp.tanh(xn + r * hn)
        return (1 - z) * n + z * h

    def lstm(p, state, gx):
        h, c = state
        i, f, g, o = jnp.split(gx + h @ p["wh"].T + p["bh"], 4, 1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return jax.nn.sigmoid(o) * jnp.tanh(c), c

    def loss(p):
        gx = x @ p["wx"].T + p["bx"]
        cell, start = (gru, zeros) if kind == "gru" else (lstm, (zeros, zeros))
        last = jax.lax.scan(lambda s, g: (cell(p, s, g), None), start, gx, unroll=unroll)[0]
        out = (last if kind == "gru" else last[0]) @ p["wo"].T + p["bo"]
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(out), y[:, None], 1))

    def update(state):
        p, m, v, t = state
        g, t = jax.grad(loss)(p), t + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        rate, root = RATE / (1 - BETA1 ** t), jnp.sqrt(1 - BETA2 ** t)
        return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPS), p, m, v), m, v, t

    step = jax.jit(update, donate_argnums=0)
    blank = lambda: jax.tree.map(jnp.zeros_like, params)
    state = [(params, blank(), blank(), jnp.zeros(()))]

    def run():
        state[0] = step(state[0])
        jax.block_until_ready(state[0])
    return run


def torch_loop(kind, net, x):
    """The layer step by step, for the compiler; the last hidden state."""
    import torch
    wx, wh, bx, bh = net.weight_ih_l0, net.weight_hh_l0, net.bias_ih_l0, net.bias_hh_l0
    gx = torch.nn.functional.linear(x, wx, bx)
    h = c = torch.zeros(x.shape[1], net.hidden_size)
    for t in range(x.shape[0]):
        a = torch.nn.functional.linear(h, wh, bh)
        if kind == "gru":
            xr, xz, xn = gx[t].chunk(3, 1)
            hr, hz, hn = a.chunk(3, 1)
            z, n = torch.sigmoid(xz + hz), torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
            h = (1 - z) * n + z * h
        else:
            i, f, g, o = (gx[t] + a).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
    return h


def torch_step(kind, sizes, compiled):
    import torch
    params, x, y = data(kind, *sizes)
    x, y = torch.from_numpy(x), torch.from_numpy(y)
    net = (torch.nn.GRU if kind == "gru" else torch.nn.LSTM)(sizes[2], sizes[3])
    head = torch.nn.Linear(sizes[3], CLASSES)
    with torch.no_grad():
        for to, name in [(net.weight_ih_l0, "wx"), (net.weight_hh_l0, "wh"), (net.bias_ih_l0, "bx"), (net.bias_hh_l0, "bh"),
                         (head.weight, "wo"), (head.bias, "bo")]:
            to.copy_(torch.from_numpy(params[name]))
    adam = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=RATE, fused=True)
    last = (lambda: torch_loop(kind, net, x)) if compiled else (lambda: net(x)[0][-1])
    loss = lambda: torch.nn.functional.cross_entropy(head(last()), y)
    if compiled:
        loss = torch.compile(loss)

    def run():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return run


def recurrent():
    torch, jax = module("torch"), module("jax")
    for kind in GATES:
        for sizes in cases():
            steps, batch, inputs, hidden = sizes
            size = {"op": kind + "-step", "steps": steps, "batch": batch, "inputs": inputs, "hidden": hidden}
            # Five products a step, three of them of the hidden units; the inputs need no gradient.
            flops = 2.0 * steps * batch * GATES[kind] * hidden * (2 * inputs + 3 * hidden)
            if jax:
                report("recurrent", "jax.jit", size, lambda: jax_step(kind, sizes, 1), flops)
                report("recurrent", "jax.jit unroll=8", size, lambda: jax_step(kind, sizes, 8), flops)
            if torch:
                report("recurrent", "torch", size, lambda: torch_step(kind, sizes, False), flops)
                report("recurrent", "torch.compile", size, lambda: torch_step(kind, sizes, True), flops)
