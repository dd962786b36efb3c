"""Trains a workload with JAX on the CPU and prints how long a step takes, as one line of JSON.

An epoch is one compiled `lax.scan` over its steps with donated buffers; members are batched.

Variants, from the simplest to the fastest:
  plain          as most people write it: rows x features, a tree of parameters, gradients by
                 jax.grad, towers and members by vmap
  unrolled       the same with the towers one after the other in the compiled step
  feature-major  as plain, but features x rows: the long axis is the one that vectors run along
  flat           as feature-major, with all parameters of a member in one vector
  manual         as flat, with the gradient written by hand: the towers' first layers in one product,
                 and every product in a form that XLA has a fast kernel for
All gather the rows of a step inside the scan; with -epoch behind the name, all rows before it.
"""

import math
import os
import time

import peers_common as common
from peers_common import BATCH, BETA1, BETA2, EPSILON

VARIANTS = ("plain", "unrolled", "feature-major", "flat", "manual")
VARIANTS += tuple(name + "-epoch" for name in VARIANTS)

if __name__ == "__main__":
    # Before JAX is imported: it reads its flags and sizes its pools when loaded.
    arguments = common.parse_arguments(VARIANTS, "manual", "Training with JAX.")
    common.limit_threads(arguments.threads)
    # Full AVX-512 vectors where the processor has them: by default XLA takes half.
    flags = ["--xla_cpu_prefer_vector_width=512", os.environ.get("XLA_FLAGS", "")]
    if arguments.threads == 1:
        # The last is no flag of XLA's and ends the parsing of flags.
        flags += ["--xla_cpu_multi_thread_eigen=false", "intra_op_parallelism_threads=1"]
    os.environ["XLA_FLAGS"] = " ".join(flags)
    os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np
from jax.flatten_util import ravel_pytree


class Trainer:
    """Features and targets are rows x features and rows x targets, float32."""

    def __init__(self, workload, variant, members, features, targets, seed):
        self.workload = workload
        self.gathers_epoch = variant.endswith("-epoch")
        variant = variant.removesuffix("-epoch")
        self.members = members
        self.features = features.shape[1]
        self.data = jnp.asarray(np.concatenate([features, targets], 1))
        self.steps = len(features) // BATCH
        layers, skip = common.initial_weights(
            workload, members, self.features, targets.shape[1], seed
        )
        model = Manual if variant == "manual" else Derived
        self.model = model(workload, variant, members, layers, skip)
        parameters = self.model.parameters
        self.state = (parameters, zeros_like(parameters), zeros_like(parameters), jnp.float32(0))
        self.epoch = jax.jit(self.train, donate_argnums=0)

    def compile(self):
        """Compiles, and warms up by an epoch whose result is thrown away; returns the seconds that
        compiling took."""
        start = time.perf_counter()
        order = np.zeros((self.steps, self.members, BATCH), np.int32)
        self.epoch = self.epoch.lower(self.state, order, self.data).compile()
        seconds = time.perf_counter() - start
        copy = jax.tree.map(jnp.copy, self.state)
        self.epoch(copy, order, self.data)[1].block_until_ready()
        return seconds

    def run(self, order):
        """A step for each row of `order` [steps, members, batch]; returns the steps' losses."""
        self.state, losses = self.epoch(self.state, order, self.data)
        return losses

    def train(self, state, order, data):
        parameters, moment1, moment2, taken = state
        steps = order.shape[0]
        if self.members == 1:
            order = order[:, 0]
        count = taken + jnp.arange(1, steps + 1, dtype=jnp.float32)
        # 1 / (1 - beta^count) without cancellation.
        correction1 = -1 / jnp.expm1(count * math.log(BETA1))
        correction2 = -1 / jnp.expm1(count * math.log(BETA2))

        def step(state, inputs):
            parameters, moment1, moment2 = state
            batch, correction1, correction2 = inputs
            if not self.gathers_epoch:
                batch = self.take(data, batch)
            x, y = jnp.split(batch, [self.features], -1 if self.model.is_batch_major else -2)
            loss, gradient = self.model.loss_and_gradient(parameters, x, y)
            moment1 = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, moment1, gradient)
            moment2 = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, moment2, gradient)

            def update(w, m, v, penalty):
                rate = self.workload.rate / (jnp.sqrt(v * correction2) + EPSILON)
                w = w - rate * (m * correction1)
                if not np.any(penalty):
                    return w
                limit = rate * penalty
                return w - jnp.clip(w, -limit, limit)  # sign(w) max(|w| - limit, 0)

            parameters = jax.tree.map(update, parameters, moment1, moment2, self.model.penalties)
            return (parameters, moment1, moment2), loss

        batches = self.take(data, order) if self.gathers_epoch else order
        state, losses = jax.lax.scan(
            step, (parameters, moment1, moment2), (batches, correction1, correction2)
        )
        return (*state, taken + steps), losses

    def take(self, data, order):
        rows = data.at[order].get(mode="promise_in_bounds")
        return rows if self.model.is_batch_major else transpose(rows)

    def surviving_weights(self):
        counts = jax.tree.map(
            lambda w, is_weight: int(((np.asarray(w) != 0) & is_weight).sum()),
            self.state[0], self.model.is_weight,
        )
        return sum(jax.tree.leaves(counts)) / self.members


class Derived:
    """The model whose gradient jax.grad derives."""

    def __init__(self, workload, variant, members, layers, skip):
        self.workload = workload
        self.members = members
        self.towers = layers[0].weight.shape[1]
        self.unrolls = variant == "unrolled" and workload.towers
        self.is_batch_major = variant in ("plain", "unrolled")

        weights = [layer.weight for layer in layers] + ([] if skip is None else [skip])
        if self.is_batch_major:
            weights = [transpose(weight) for weight in weights]
        tree = {"weights": weights, "biases": [layer.bias for layer in layers]}
        if not workload.towers:
            tree = jax.tree.map(lambda a: a[:, 0], tree)
        elif self.unrolls:
            tree = [jax.tree.map(lambda a: a[:, tower], tree) for tower in range(self.towers)]
        is_weight = jax.tree_util.tree_map_with_path(lambda path, a: "weights" in str(path), tree)

        self.unpack = lambda parameters: parameters
        if variant == "flat":
            first, self.unpack = ravel_pytree(jax.tree.map(lambda a: a[0], tree))
            ravel = lambda tree: ravel_pytree(tree)[0]
            is_weight = np.asarray(ravel(jax.tree.map(
                lambda a, mask: np.full_like(a[0], mask), tree, is_weight))) != 0
            tree = np.asarray(jax.vmap(ravel)(tree))
        if members == 1:
            tree = jax.tree.map(lambda a: a[0], tree)
        self.parameters = jax.tree.map(jnp.asarray, tree)
        self.is_weight = is_weight
        self.penalties = jax.tree.map(
            lambda mask: np.float32(workload.penalty) * mask, is_weight
        )

    def loss_and_gradient(self, parameters, x, y):
        function = jax.value_and_grad(self.loss)
        if self.members > 1:
            function = jax.vmap(function)
        loss, gradient = function(parameters, x, y)
        return jnp.mean(loss) / self.towers, gradient

    def loss(self, parameters, x, y):
        """The sum of the towers' mean squared errors: each has a gradient of its own."""
        parameters = self.unpack(parameters)
        if self.unrolls:
            axis = -1 if self.is_batch_major else -2
            outputs = jnp.concatenate([self.predict(tower, x) for tower in parameters], axis)
        elif self.workload.towers:
            outputs = jax.vmap(self.predict, (0, None))(parameters, x)
            outputs = outputs[:, :, 0].T if self.is_batch_major else outputs[:, 0, :]
        else:
            outputs = self.predict(parameters, x)
        return self.towers * jnp.mean((outputs - y) ** 2)

    def predict(self, network, x):
        affine = lambda weight, x: x @ weight if self.is_batch_major else weight @ x
        activate = getattr(jax.nn, self.workload.activation)
        value = x
        for index, bias in enumerate(network["biases"]):
            value = affine(network["weights"][index], value)
            value = value + (bias if self.is_batch_major else bias[:, None])
            if index < len(self.workload.hidden):
                value = activate(value)
        return value + affine(network["weights"][-1], x) if self.workload.skip else value


class Manual:
    """The model with a gradient by hand, features x rows, a vector of parameters per member.

    Leading axes, where there is more than one: members, towers."""

    is_batch_major = False

    def __init__(self, workload, variant, members, layers, skip):
        self.workload = workload
        self.members = members
        self.towers = layers[0].weight.shape[1]
        self.lead = () if members == 1 else (members,)
        self.network = () if self.towers == 1 else (self.towers,)
        self.depth = len(workload.hidden)
        self.outputs = self.towers * layers[-1].bias.shape[2]

        # All towers read the same inputs: their first layers are one matrix, and so are the skips.
        features = layers[0].weight.shape[3]
        stacked = lambda weight: weight.reshape(members, -1, features)
        weights = [stacked(layers[0].weight)]
        weights += [self.without_towers(layer.weight) for layer in layers[1:]]
        weights += [] if skip is None else [stacked(skip)]
        biases = [self.without_towers(layer.bias) for layer in layers[:-1]]
        biases += [layers[-1].bias.reshape(members, -1)]
        self.shapes = [array.shape[1:] for array in weights + biases]
        vector = np.concatenate([array.reshape(members, -1) for array in weights + biases], 1)
        self.is_weight = np.arange(vector.shape[1]) < sum(weight[0].size for weight in weights)
        self.penalties = np.float32(workload.penalty) * self.is_weight
        self.parameters = jnp.asarray(vector.reshape(*self.lead, -1))

    def without_towers(self, array):
        return array if self.network else array[:, 0]

    def unpack(self, vector):
        parts, start = [], 0
        for shape in self.shapes:
            end = start + math.prod(shape)
            parts.append(vector[..., start:end].reshape(*self.lead, *shape))
            start = end
        return parts

    def loss_and_gradient(self, vector, x, y):
        workload, depth = self.workload, self.depth
        parts = self.unpack(vector)
        weights, skip, biases = parts[: depth + 1], parts[depth + 1 : -depth - 1], parts[-depth - 1 :]
        by_tower = (*self.lead, *self.network, -1, BATCH)
        together = (*self.lead, -1, BATCH)

        z = (weights[0] @ x).reshape(by_tower) + biases[0][..., None]
        values, slopes = [], []
        for index in range(depth):
            value, slope = activation(workload.activation, z)
            values.append(value)
            slopes.append(slope)
            z = weights[index + 1] @ value
            if index + 1 < depth:
                z = z + biases[index + 1][..., None]
        output = z.reshape(together) + biases[depth][..., None]
        if workload.skip:
            output = output + skip[0] @ x
        error = output - y
        loss = jnp.mean(error * error)

        delta = error * (2 * self.towers / (self.outputs * BATCH))
        skip_gradients = [transpose(x @ transpose(delta))] if workload.skip else []
        weight_gradients = []
        bias_gradients = [self.sum_of_rows(delta)]
        delta = delta.reshape(by_tower)
        for index in range(depth, 0, -1):
            weight_gradients.append(transpose(values[index - 1] @ transpose(delta)))
            # The barriers keep XLA from folding the transposition into the product, for which it
            # has a slower kernel.
            delta = jax.lax.optimization_barrier(transpose(weights[index])) @ delta
            delta = slopes[index - 1](delta)
            bias_gradients.append(self.sum_of_rows(delta))
        weight_gradients.append(transpose(x @ transpose(delta.reshape(together))))
        gradients = weight_gradients[::-1] + skip_gradients + bias_gradients[::-1]
        return loss, jnp.concatenate([g.reshape(*self.lead, -1) for g in gradients], -1)

    def sum_of_rows(self, delta):
        if self.members > 1:
            return delta.sum(-1)
        # The quicker kernel for few rows.
        return (delta @ jnp.ones((BATCH, 1), delta.dtype))[..., 0]


def activation(name, z):
    """The value at z, and what multiplies a gradient by the slope there."""
    if name == "relu":
        value = jax.nn.relu(z)
        return value, lambda delta: jnp.where(value > 0, delta, 0)
    if name == "tanh":
        value = jnp.tanh(z)
        return value, lambda delta: delta * (1 - value * value)
    sigmoid = jax.nn.sigmoid(z)
    return z * sigmoid, lambda delta: delta * (sigmoid * (1 + z * (1 - sigmoid)))


def transpose(array):
    return array.swapaxes(-1, -2)


def zeros_like(tree):
    return jax.tree.map(jnp.zeros_like, tree)


def main():
    features, targets = common.read_rows(arguments.data)
    workload = common.WORKLOADS[arguments.workload]
    trainer = Trainer(
        workload, arguments.variant, arguments.members, features, targets, arguments.seed
    )
    compile_seconds = trainer.compile()
    random = np.random.Generator(np.random.SFC64(arguments.seed))

    def run_epoch():
        # Much faster than jax.random.permutation, which sorts.
        used = trainer.steps * BATCH
        order = np.empty((trainer.steps, arguments.members, BATCH), np.int32)
        for member in range(arguments.members):
            order[:, member] = random.permutation(len(features))[:used].reshape(-1, BATCH)
        return float(trainer.run(order).mean())

    measured = common.measure(run_epoch, arguments, trainer.steps)
    common.report("jax", jax.__version__, arguments, *measured[:2], compile_seconds, measured[2],
                  trainer.surviving_weights())


if __name__ == "__main__":
    main()
