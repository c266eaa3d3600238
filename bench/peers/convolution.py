"""Convolutions with their gradients, and training steps of small networks for images."""
import numpy as np

from timing import QUICK, module, report

RATE, BETA1, BETA2, EPS = 1e-3, 0.9, 0.999, 1e-8

# Side of an image, taps and padding of the kernels, channels, hidden dense layers, classes.
NETWORKS = {"lenet": (10, 3, 0, [2, 3], [5], 3)} if QUICK else \
    {"lenet": (28, 5, 0, [6, 16], [120, 84], 10), "3x3": (28, 3, 1, [32, 64], [128], 10)}


def shapes(name):
    """The kernels of the convolutions, the matrices of the dense layers, and the operations for an image."""
    side, taps, pad, channels, hidden, classes = NETWORKS[name]
    kernels, matrices, flops, width = [], [], 0.0, 1
    for i, n in enumerate(channels):
        side += 2 * pad - taps + 1
        kernels.append((n, width, taps, taps))
        flops += (2 if i == 0 else 3) * 2.0 * side * side * n * width * taps * taps
        side, width = side // 2, n
    width *= side * side
    for n in hidden + [classes]:
        matrices.append((width, n))
        flops += 3 * 2.0 * width * n
        width = n
    return kernels, matrices, flops


def draw(name, batch):
    kernels, matrices, _ = shapes(name)
    rng = np.random.default_rng(1)
    weights = [(rng.standard_normal(s, dtype=np.float32) / np.float32(np.sqrt(np.prod(s[1:]))), np.zeros(s[0], np.float32))
               for s in kernels]
    weights += [(rng.standard_normal(s, dtype=np.float32) / np.float32(np.sqrt(s[0])), np.zeros(s[1], np.float32))
                for s in matrices]
    side, classes = NETWORKS[name][0], NETWORKS[name][-1]
    return weights, rng.standard_normal((batch, 1, side, side), dtype=np.float32), rng.integers(0, classes, batch)


def jax_step(name, batch, channels_last):
    import jax
    import jax.numpy as jnp
    from jax import lax
    weights, x, y = draw(name, batch)
    count, pad = len(NETWORKS[name][3]), NETWORKS[name][2]
    layout, window = ("NCHW", "OIHW", "NCHW"), (1, 1, 2, 2)
    if channels_last:
        layout, window = ("NHWC", "HWIO", "NHWC"), (1, 2, 2, 1)
        x = x.transpose(0, 2, 3, 1)
        weights = [(w.transpose(2, 3, 1, 0) if w.ndim == 4 else w, b) for w, b in weights]
    params, x, y = jax.tree.map(jnp.asarray, weights), jnp.asarray(x), jnp.asarray(y)

    def loss(params):
        h = x
        for w, b in params[:count]:
            h = lax.conv_general_dilated(h, w, (1, 1), [(pad, pad)] * 2, dimension_numbers=layout)
            h = jax.nn.relu(h + (b if channels_last else b[:, None, None]))
            h = lax.reduce_window(h, -jnp.inf, lax.max, window, window, "VALID")
        h = h.reshape(batch, -1)
        for i, (w, b) in enumerate(params[count:]):
            h = h @ w + b
            h = jax.nn.relu(h) if i + 1 < len(params) - count else h
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(h), y[:, None], 1))

    def update(state):
        p, m, v, t = state
        g, t = jax.grad(loss)(p), t + 1
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, g)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, g)
        rate, root = RATE / (1 - BETA1 ** t), jnp.sqrt(1 - BETA2 ** t)
        return jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + EPS), p, m, v), m, v, t

    step = jax.jit(update, donate_argnums=0)
    zeros = lambda: jax.tree.map(jnp.zeros_like, params)
    state = [(params, zeros(), zeros(), jnp.zeros(()))]

    def run():
        state[0] = step(state[0])
        jax.block_until_ready(state[0])
    return run


def torch_step(name, batch, compiled, channels_last=False):
    import torch
    from torch import nn
    weights, x, y = draw(name, batch)
    stack, last = [], len(weights) - 1
    for i, (w, b) in enumerate(weights):
        if w.ndim == 4:
            linear = nn.Conv2d(w.shape[1], w.shape[0], w.shape[2:], padding=NETWORKS[name][2])
            stack += [linear, nn.ReLU(), nn.MaxPool2d(2)]
        else:
            linear, w = nn.Linear(*w.shape), w.T
            stack += [nn.Flatten()] if len(stack) and isinstance(stack[-1], nn.MaxPool2d) else []
            stack += [linear, nn.ReLU()] if i < last else [linear]
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.ascontiguousarray(w)))
            linear.bias.copy_(torch.from_numpy(b))
    net, x, y = nn.Sequential(*stack), torch.from_numpy(x), torch.from_numpy(y)
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    adam = torch.optim.Adam(net.parameters(), lr=RATE, fused=True)
    loss = lambda: nn.functional.cross_entropy(net(x), y)
    if compiled:
        loss = torch.compile(loss)

    def run():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        adam.step()
    return run


def steps():
    torch, jax = module("torch"), module("jax")
    batch = 3 if QUICK else 64
    for name in NETWORKS:
        size, flops = {"op": "step", "net": name, "batch": batch}, batch * shapes(name)[2]
        if jax:
            report("conv", "jax.jit", size, lambda: jax_step(name, batch, False), flops)
            report("conv", "jax.jit NHWC", size, lambda: jax_step(name, batch, True), flops)
        if torch:
            report("conv", "torch", size, lambda: torch_step(name, batch, False), flops)
            report("conv", "torch NHWC", size, lambda: torch_step(name, batch, False, True), flops)
            report("conv", "torch.compile", size, lambda: torch_step(name, batch, True), flops)


def layers():
    torch = module("torch")
    if not torch:
        return
    batch, channels, image, series = (2, 3, 5, 9) if QUICK else (32, 64, 32, 1024)
    rng = np.random.default_rng(1)
    for name, extent, taps in [("conv1d", [series], 5), ("conv2d", [image, image], 3)]:
        draw = lambda *shape: torch.from_numpy(rng.standard_normal(shape, dtype=np.float32))
        x, dy = draw(batch, channels, *extent), draw(batch, channels, *extent)
        w = draw(channels, channels, *[taps] * len(extent))
        flops = 2.0 * x.numel() / channels * w.numel()
        f = getattr(torch.nn.functional, name)
        backward = torch.ops.aten.convolution_backward

        def grad(which):
            n = len(extent)
            return backward(dy, x, w, None, [1] * n, [taps // 2] * n, [1] * n, False, [0] * n, 1, which)
        for op, step in [(name, lambda: f(x, w, padding=taps // 2)), (name + "-grad-x", lambda: grad([True, False, False])),
                         (name + "-grad-w", lambda: grad([False, True, False]))]:
            size = {"op": op, "batch": batch, "channels": channels, "extent": extent[0], "taps": taps}
            report("conv", "torch", size, lambda: step, flops)


def conv():
    layers()
    steps()
