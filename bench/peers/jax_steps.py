# SPDX-License-Identifier: MIT
"""JAX's training steps: jit with donated buffers, and lax.scan over steps."""

import functools
import math
import os
import platform

import common

VARIANTS = ["JAX jit", "JAX scan"]


def load(options):
    global jax, jnp, device
    on_gpu = options.device.startswith("cuda")
    os.environ["JAX_PLATFORMS"] = "cuda" if on_gpu else "cpu"
    import jax
    import jax.numpy as jnp

    @functools.cache
    def device():  # asked for late: JAX then begins its threads
        return jax.devices()[int(options.device.partition(":")[2] or 0)]

    versions = {"Python": platform.python_version(), "jax": jax.__version__, "jaxlib": jax.lib.__version__}
    if not on_gpu:
        jax.config.update("jax_cpu_enable_async_dispatch", False)  # quicker for all of these nets
    else:
        versions["JAX's device"] = str(device().device_kind)
    variants = {"JAX jit": lambda row: Training(row, 1), "JAX scan": Training}
    return common.Peer(variants, versions, set_threads)


def set_threads(n):
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={'true' if n > 1 else 'false'}"
    os.environ["NPROC"] = str(n)


# TF32 is JAX's default on a GPU; bf16 is a cast of weights and inputs, as those who want it write it
PRECISIONS = {"strict": "highest", "tf32": "tensorfloat32", "bf16": "default"}


def losses_of(row):
    """loss(weights, x, t) by the row's name and precision."""

    def mse(y, t):
        return jnp.mean(jnp.square(y - t))

    def softmax_cross_entropy(y, t):
        return jnp.mean(jax.nn.logsumexp(y, axis=1) - jnp.take_along_axis(y, t[:, None], axis=1)[:, 0])

    def binary_cross_entropy_from_logits(y, t):
        return jnp.mean(jnp.maximum(y, 0) - y * t + jnp.log1p(jnp.exp(-jnp.abs(y))))

    criterion = locals()[row["loss"]]
    dtype = jnp.bfloat16 if row["precision"] == "bf16" else jnp.float32

    def loss(weights, x, t):
        y = x.astype(dtype)
        for i, (w, b) in enumerate(weights):
            y = y @ w.astype(dtype).T + b.astype(dtype)
            if i + 1 < len(weights):
                y = jax.nn.relu(y)
        return criterion(y.astype(jnp.float32), t)

    return loss


def stepper(row):
    """step(state, x, t): the next state and the loss. The state holds which batch is next, so that nothing
    comes from the host."""
    loss, rate, (b1, b2) = losses_of(row), row["learning_rate"], common.BETAS

    def step(state, x, t):
        weights, first, second, n, k, count = state
        value, gradients = jax.value_and_grad(loss)(weights, x[k], t[k])
        n += 1
        # 1 - b**n by expm1: float32 would lose four digits of it in the first steps
        a, c = -rate / jnp.expm1(n * math.log(b1)), 1 / jnp.sqrt(-jnp.expm1(n * math.log(b2)))
        first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradients)
        second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, second, gradients)
        weights = jax.tree.map(
            lambda w, m, v: w - a * m / (c * jnp.sqrt(v) + common.EPSILON), weights, first, second
        )
        return (weights, first, second, n, (k + 1) % count, count), value

    return step


class Training(common.Training):
    def __init__(self, row, steps=None):
        self.steps = steps or row["compared_batches"] * row["compared_epochs"]
        steps = self.steps
        self.x, self.t = (jax.device_put(a, device()) for a in common.read_batches(row))
        weights = [(jax.device_put(w, device()), jax.device_put(b, device())) for w, b in common.layers(row)]
        zeros = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
        number = jax.device_put(jnp.zeros((), jnp.float32), device())
        self.state = (weights, *zeros, number, None, None)
        self.count = row["compared_batches"]
        step = stepper(row)

        def run(state, x, t):
            if steps == 1:
                return step(state, x, t)
            return jax.lax.scan(lambda s, _: step(s, x, t), state, None, length=steps)

        with jax.default_matmul_precision(PRECISIONS[row["precision"]]):
            self.run = jax.jit(run, donate_argnums=0).lower(self.state, self.x, self.t).compile()

    @property
    def count(self):
        return int(self.state[-1])

    @count.setter
    def count(self, n):
        numbers = (jax.device_put(jnp.asarray(i, jnp.int32), device()) for i in (0, n))
        self.state = (*self.state[:-2], *numbers)

    def __call__(self):
        self.state, losses = self.run(self.state, self.x, self.t)
        self.last = losses
        return losses

    def wait(self):
        jax.block_until_ready((self.state, self.last))


common.run(VARIANTS, load)
