"""The training benchmark in JAX: an epoch is one compiled scan over its steps, members are vmapped.

A variant is a list of choices joined by "+"; what is left out is as in the default of the workload:
  batch | feature              activations are (rows, features) or (features, rows)
  vmapped | wide | unrolled    towers: jax.vmap; first layer as one product, then batched products; a Python loop of 8
  plain | ones                 biases are added, or are a weight of a constant feature (their gradient is then free)
  tree | flat                  Adam on each array, or on one vector of all parameters
  gather | permuted | shuffled   rows are gathered in each step; once per epoch; or the epoch is also shuffled by JAX
  unroll1 | unroll2 | ...      steps per iteration of the scan
"""

import os
import time

import peers_common as common

CHOICES = {
    "layout": ("batch", "feature"),
    "towers": ("wide", "vmapped", "unrolled"),
    "bias": ("plain", "ones"),
    "store": ("tree", "flat"),
    "rows": ("gather", "permuted", "shuffled"),
    "unroll": ("unroll1", "unroll2", "unroll4", "unroll8"),
}

# The fastest as measured on one core. Of bias and rows both choices are equal within the noise.
DEFAULTS = {
    "dense": "feature+ones+flat+gather+unroll1",
    "dense-silu": "feature+ones+flat+gather+unroll1",
    "dense-tanh": "feature+ones+flat+gather+unroll1",
    "sparse-trunk": "feature+ones+flat+gather+unroll1",
    "sparse-towers": "feature+vmapped+plain+flat+gather+unroll1",
    "silu-towers": "feature+vmapped+ones+flat+gather+unroll1",
}


def resolve(workload, variant):
    chosen = {}
    for text in (DEFAULTS[workload], "" if variant == "default" else variant):
        for word in filter(None, text.split("+")):
            kind = next((kind for kind, words in CHOICES.items() if word in words), None)
            if kind is None:
                raise SystemExit(f"unknown variant {word!r}; choices: {CHOICES}")
            chosen[kind] = word
    if not common.WORKLOADS[workload]["towers"]:
        chosen.pop("towers", None)
    chosen = {kind: chosen[kind] for kind in CHOICES if kind in chosen}
    return chosen, "+".join(chosen.values())


class Peer:
    """A workload compiled for one way of computing it. Import it only after the limits of threads are set."""

    def __init__(self, workload, variant, members, features, targets, layers, skip):
        import jax
        import jax.numpy as jnp
        import numpy as np

        self.jax, self.jnp, self.np = jax, jnp, np
        self.settings = common.WORKLOADS[workload]
        self.choice, self.variant = resolve(workload, variant)
        self.members = members
        self.inputs, self.outputs = features.shape[1], targets.shape[1]
        self.ones = self.choice["bias"] == "ones"
        self.feature_major = self.choice["layout"] == "feature"
        self.activation = {"relu": jax.nn.relu, "silu": jax.nn.silu, "tanh": jnp.tanh}[self.settings["activation"]]
        constant = [np.ones((len(features), 1), np.float32)] if self.ones else []
        self.width = self.inputs + len(constant)
        # Features and targets side by side: one gather fetches both.
        self.table = jnp.asarray(np.concatenate([features, *constant, targets], axis=1))
        self.rows = len(features)
        self.steps = self.rows // common.BATCH
        self.step_count = 0

        parameters = self.arranged(layers, skip)
        leaves, self.structure = jax.tree.flatten(parameters)
        self.shapes = [leaf.shape[1:] for leaf in leaves]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]
        # A mask of the weights, which the penalty applies to: biases are vectors, or the last input of a weight.
        self.masks = [np.broadcast_to(self.weight_mask(path), leaf.shape[1:])
                      for (path, leaf) in jax.tree_util.tree_flatten_with_path(parameters)[0]]
        if self.choice["store"] == "flat":
            leaves = [np.concatenate([leaf.reshape(members, -1) for leaf in leaves], axis=1)]
            self.masks = [np.concatenate([mask.reshape(-1) for mask in self.masks])]
        if members == 1:
            leaves = [leaf[0] for leaf in leaves]
        self.state = tuple(tuple(jnp.array(leaf * scale) for leaf in leaves) for scale in (1, 0, 0))

    # Parameters: {"w0": ..., "b0": ..., "skip": ...}, leading axis members; 8 of them if towers are unrolled.

    def arranged(self, layers, skip):
        np, ones = self.np, self.ones

        def network(part):
            found = {}
            for index, (weights, biases) in enumerate(layers):
                weights, biases = part(weights), part(biases)
                if ones:
                    weights = np.concatenate([weights, biases[..., None, :]], axis=-2)
                else:
                    found[f"b{index}"] = biases
                found[f"w{index}"] = weights.swapaxes(-1, -2) if self.feature_major else weights
            if skip is not None:
                # With a constant feature the skip would repeat the last bias: it sees only the inputs.
                found["skip"] = part(skip).swapaxes(-1, -2) if self.feature_major else part(skip)
            return found

        if not self.settings["towers"]:
            return network(lambda values: values[:, 0])
        if self.choice["towers"] == "unrolled":
            return [network(lambda values, tower=tower: values[:, tower]) for tower in range(self.outputs)]
        found = network(lambda values: values)
        if self.choice["towers"] == "wide":
            # (towers, out, in) -> (towers * out, in), or (towers, in, out) -> (in, towers * out).
            for name in ("w0", "skip"):
                if name in found:
                    values = found[name]
                    found[name] = (values.reshape(values.shape[0], -1, values.shape[-1]) if self.feature_major
                                   else values.swapaxes(1, 2).reshape(values.shape[0], values.shape[2], -1))
        return found

    def weight_mask(self, path):
        name = path[-1].key
        if name.startswith("b"):
            return self.np.float32(0)
        if not self.ones or name == "skip":
            return self.np.float32(1)
        index = int(name[1:])
        mask = self.np.ones((self.inputs, *self.settings["hidden"])[index] + 1, self.np.float32)
        mask[-1] = 0
        return mask if self.feature_major else mask[:, None]

    def tree(self, leaves):
        """The parameters of one member from what is stored."""
        if self.choice["store"] == "flat":
            (flat,) = leaves
            parts, start = [], 0
            for shape, size in zip(self.shapes, self.sizes):
                parts.append(flat[start:start + size].reshape(shape))
                start += size
            leaves = parts
        return self.jax.tree.unflatten(self.structure, leaves)

    # One network, or all towers at once if `towers`: activations are (rows, n) or (n, rows), and with towers
    # (rows, towers, n) or (towers, n, rows).

    def network(self, parameters, x):
        jnp = self.jnp
        count = len(self.settings["hidden"]) + 1
        inputs = x[:, :self.inputs]
        hidden = x.T if self.feature_major else x
        for index in range(count):
            weights = parameters[f"w{index}"]
            hidden = weights @ hidden if self.feature_major else hidden @ weights
            if not self.ones:
                bias = parameters[f"b{index}"]
                hidden = hidden + (bias[:, None] if self.feature_major else bias)
            if index + 1 < count:
                hidden = self.activation(hidden)
                if self.ones:
                    hidden = jnp.pad(hidden, ((0, 1), (0, 0)) if self.feature_major else ((0, 0), (0, 1)),
                                     constant_values=1)
        if "skip" in parameters:
            skip = parameters["skip"]
            hidden = hidden + (skip @ inputs.T if self.feature_major else inputs @ skip)
        return hidden

    def wide(self, parameters, x):
        """All towers: they see the same rows, so their first layers and their skips are one product each."""
        jnp = self.jnp
        count = len(self.settings["hidden"]) + 1
        inputs = x[:, :self.inputs]
        towers = self.outputs
        rows = x.shape[0]
        if self.feature_major:
            hidden = (parameters["w0"] @ x.T).reshape(towers, -1, rows)
        else:
            hidden = (x @ parameters["w0"]).reshape(rows, towers, -1)
        for index in range(count):
            if index > 0:
                if self.ones:
                    pad = [(0, 0)] * 3
                    pad[1 if self.feature_major else 2] = (0, 1)
                    hidden = jnp.pad(hidden, pad, constant_values=1)
                weights = parameters[f"w{index}"]
                if self.feature_major and weights.shape[1] == 1:
                    hidden = (weights[:, 0, :, None] * hidden).sum(1, keepdims=True)
                elif self.feature_major:
                    hidden = weights @ hidden
                elif weights.shape[-1] == 1:
                    hidden = (weights[:, :, 0] * hidden).sum(2, keepdims=True)
                else:
                    hidden = jnp.einsum("btn,tnm->btm", hidden, weights)
            if not self.ones:
                bias = parameters[f"b{index}"]
                hidden = hidden + (bias[:, :, None] if self.feature_major else bias)
            if index + 1 < count:
                hidden = self.activation(hidden)
        output = hidden[:, 0] if self.feature_major else hidden[:, :, 0]
        if "skip" in parameters:
            skip = parameters["skip"]
            output = output + (skip @ inputs.T if self.feature_major else inputs @ skip)
        return output

    def predict(self, parameters, x):
        """Outputs of one member: (outputs, rows) if feature-major, else (rows, outputs)."""
        jnp = self.jnp
        if not self.settings["towers"]:
            return self.network(parameters, x)
        axis = 0 if self.feature_major else 1
        if self.choice["towers"] == "wide":
            return self.wide(parameters, x)
        if self.choice["towers"] == "vmapped":
            output = self.jax.vmap(self.network, in_axes=(0, None))(parameters, x)
            return output[:, 0] if self.feature_major else output[:, :, 0].T
        return jnp.concatenate([self.network(tower, x) for tower in parameters], axis=axis)

    def loss(self, parameters, rows):
        """The mean over the batch; over outputs too for a trunk, the sum of the towers' own losses for towers."""
        targets = rows[:, self.width:]
        error = self.predict(parameters, rows[:, :self.width]) - (targets.T if self.feature_major else targets)
        scale = rows.shape[0] * (1 if self.settings["towers"] else self.outputs)
        return (error * error).sum() / scale

    def update(self, parameters, first, second, rows, rate, root):
        """One Adam step of one member, then the proximal step in Adam's metric."""
        jnp = self.jnp
        gradients = self.jax.tree.leaves(self.jax.grad(self.loss)(self.tree(parameters), rows))
        if self.choice["store"] == "flat":
            gradients = [jnp.concatenate([gradient.reshape(-1) for gradient in gradients])]
        new = ([], [], [])
        for w, m, v, g, mask in zip(parameters, first, second, gradients, self.masks):
            m = common.BETA1 * m + (1 - common.BETA1) * g
            v = common.BETA2 * v + (1 - common.BETA2) * (g * g)
            scale = 1 / (jnp.sqrt(v) * root + common.EPSILON)
            w = w - rate * m * scale
            if self.settings["penalty"] > 0 and mask.any():
                threshold = common.RATE * self.settings["penalty"] * scale
                if not mask.all():
                    threshold = threshold * mask
                w = w - jnp.clip(w, -threshold, threshold)
            for values, value in zip(new, (w, m, v)):
                values.append(value)
        return tuple(tuple(values) for values in new)

    def epoch(self, state, table, order, rates, roots):
        jax = self.jax
        update = self.update if self.members == 1 else jax.vmap(self.update, in_axes=(0, 0, 0, 0, None, None))
        if self.choice["rows"] == "shuffled":
            def shuffled(key):
                return jax.random.permutation(key, self.rows)[:self.steps * common.BATCH].reshape(self.steps, -1)
            order = shuffled(order) if self.members == 1 else jax.vmap(shuffled, out_axes=1)(order)
        gathered = self.choice["rows"] == "gather"
        if not gathered:
            order = table.at[order].get(mode="promise_in_bounds")

        def step(state, values):
            rows, rate, root = values
            if gathered:
                rows = table.at[rows].get(mode="promise_in_bounds")
            return update(*state, rows, rate, root), None

        return jax.lax.scan(step, state, (order, rates, roots), unroll=int(self.choice["unroll"][6:]))[0]

    # Running.

    def orders(self, generator):
        """A fresh order for each member: (steps, batch) or (steps, members, batch)."""
        np = self.np
        if self.choice["rows"] == "shuffled":
            keys = self.jax.random.split(self.jax.random.key(generator.integers(2**31)), self.members)
            return keys[0] if self.members == 1 else keys
        used = self.steps * common.BATCH
        orders = []
        for _ in range(self.members):
            order = np.arange(self.rows, dtype=np.int32)
            generator.shuffle(order)
            orders.append(order[:used].reshape(self.steps, common.BATCH))
        return orders[0] if self.members == 1 else np.stack(orders, axis=1)

    def compile(self, generator):
        start = time.perf_counter()
        order = self.orders(generator)
        rates = common.corrections(0, self.steps)
        self.compiled = self.jax.jit(self.epoch, donate_argnums=0).lower(
            self.state, self.table, order, *rates).compile()
        return time.perf_counter() - start

    def run(self, order):
        rates = common.corrections(self.step_count, self.steps)
        self.state = self.compiled(self.state, self.table, order, *rates)
        self.jax.block_until_ready(self.state)
        self.step_count += self.steps
        return self.steps

    def result(self):
        jax, np = self.jax, self.np
        scale = self.outputs if self.settings["towers"] else 1
        loss = lambda leaves: self.loss(self.tree(leaves), self.table) / scale
        losses = jax.jit(loss if self.members == 1 else jax.vmap(loss))(self.state[0])
        surviving = sum(int((np.asarray(leaf) * mask != 0).sum()) for leaf, mask in zip(self.state[0], self.masks))
        return float(np.mean(losses)), surviving / self.members if self.members > 1 else surviving


def main():
    options = common.arguments(__doc__.split("\n\n", 1)[1], "default")
    common.limit_threads(options.threads, os.environ)
    flags = [os.environ.get("XLA_FLAGS", "")]
    if options.threads == 1:
        flags += ["--xla_cpu_multi_thread_eigen=false", "intra_op_parallelism_threads=1"]
    os.environ["XLA_FLAGS"] = " ".join(filter(None, flags))
    os.environ.setdefault("JAX_PLATFORMS", "cpu")

    import jax
    import numpy as np

    features, targets = common.load_rows(options.data)
    layers, skip = common.first_weights(
        options.workload, options.members, features.shape[1], targets.shape[1], options.seed)
    peer = Peer(options.workload, options.variant, options.members, features, targets, layers, skip)
    generator = np.random.default_rng(options.seed)
    seconds = peer.compile(generator)
    peer.run(peer.orders(generator))  # Warm-up.
    steps, elapsed = common.measure(lambda _: peer.run(peer.orders(generator)), options.seconds)
    loss, surviving = peer.result()
    common.report("jax", jax.__version__, options, peer.variant, steps, elapsed, seconds, loss, surviving)


if __name__ == "__main__":
    main()
