"""The training benchmark in PyTorch.

Variants:
  eager     the loop that most people write: nn.Sequential, autograd, torch.optim.Adam
  foreach   the same with Adam(foreach=True)
  fused     the same with Adam(fused=True)
  batched   members and towers stacked, hand-written gradients into buffers made once, fused Adam on one vector
  batched-hand   the same with Adam written in tensor operations
  compiled  a whole step with autograd, Adam on one vector, compiled by torch.compile
"""

import os
import time

import peers_common as common


class Eager:
    """Members and towers are modules of their own; one optimiser has all their parameters."""

    def __init__(self, torch, workload, variant, members, features, targets, layers, skip):
        self.torch, self.members = torch, members
        self.settings = common.WORKLOADS[workload]
        self.features, self.targets = torch.from_numpy(features), torch.from_numpy(targets)
        self.batch = common.BATCH
        activation = {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}[self.settings["activation"]]
        self.networks, self.optimisers = [], []

        class WithSkip(torch.nn.Module):
            def __init__(self, body, skip):
                super().__init__()
                self.body, self.skip = body, skip

            def forward(self, x):
                return self.body(x) + self.skip(x)

        def linear(weights, biases=None):
            module = torch.nn.Linear(*weights.shape, bias=biases is not None)
            module.weight.data.copy_(torch.from_numpy(weights.T.copy()))
            if biases is not None:
                module.bias.data.copy_(torch.from_numpy(biases))
            return module

        for member in range(members):
            networks = []
            for tower in range(layers[0][0].shape[1]):
                modules = []
                for weights, biases in layers:
                    modules += [linear(weights[member, tower], biases[member, tower]), activation()]
                network = torch.nn.Sequential(*modules[:-1])
                if skip is not None:
                    network = WithSkip(network, linear(skip[member, tower]))
                networks.append(network)
            parameters = [parameter for network in networks for parameter in network.parameters()]
            kind = {"foreach": dict(foreach=True), "fused": dict(fused=True)}.get(variant, {})
            self.networks.append(networks)
            self.optimisers.append(torch.optim.Adam(
                parameters, lr=common.RATE, betas=(common.BETA1, common.BETA2), eps=common.EPSILON, **kind))
        self.weights = [[parameter for network in networks for parameter in network.parameters()
                         if parameter.dim() == 2] for networks in self.networks]

    def order(self, generator):
        return [self.torch.from_numpy(generator.permutation(len(self.features))) for _ in range(self.members)]

    def loss(self, member, x, y):
        networks = self.networks[member]
        if not self.settings["towers"]:
            return self.torch.nn.functional.mse_loss(networks[0](x), y)
        # The sum of the towers' losses: each tower gets the gradient of its own.
        error = self.torch.cat([network(x) for network in networks], dim=1) - y
        return (error * error).mean(0).sum()

    def step(self, order, k):
        for member, optimiser in enumerate(self.optimisers):
            rows = order[member][k * self.batch:(k + 1) * self.batch]
            loss = self.loss(member, self.features[rows], self.targets[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            if self.settings["penalty"] > 0:
                self.shrink(optimiser, self.weights[member])

    def shrink(self, optimiser, weights):
        """The proximal step in Adam's metric, on all weights at once."""
        torch = self.torch
        with torch.no_grad():
            states = [optimiser.state[weight] for weight in weights]
            correction = (1 - common.BETA2 ** float(states[0]["step"])) ** 0.5
            scale = torch._foreach_sqrt([state["exp_avg_sq"] for state in states])
            torch._foreach_div_(scale, correction)
            torch._foreach_add_(scale, common.EPSILON)
            torch._foreach_reciprocal_(scale)
            torch._foreach_mul_(scale, common.RATE * self.settings["penalty"])
            size = torch._foreach_abs(weights)
            torch._foreach_sub_(size, scale)
            torch._foreach_clamp_min_(size, 0)
            torch._foreach_mul_(size, torch._foreach_sign(weights))
            torch._foreach_copy_(weights, size)

    def result(self):
        with self.torch.no_grad():
            losses = [float(self.loss(member, self.features, self.targets)) for member in range(self.members)]
            surviving = sum(int(weight.count_nonzero()) for weights in self.weights for weight in weights)
        if self.settings["towers"]:
            losses = [loss / self.targets.shape[1] for loss in losses]
        return sum(losses) / self.members, surviving


class Stacked:
    """Every member and tower at once. Activations are (networks, n, rows): the features come before the rows.

    A bias is the weight of a last feature that is always one, so its gradient comes with that of the weights.
    Parameters, gradients and moments are one vector each; all networks of a layer lie together.
    """

    def __init__(self, torch, workload, variant, members, features, targets, layers, skip):
        import numpy as np

        self.torch, self.np, self.members = torch, np, members
        self.settings = common.WORKLOADS[workload]
        self.hand = variant == "batched-hand"
        self.inputs, self.outputs = features.shape[1], targets.shape[1]
        self.towers = layers[0][0].shape[1]
        self.batch = common.BATCH
        self.table = torch.from_numpy(
            np.concatenate([features, np.ones((len(features), 1), np.float32), targets], axis=1))
        self.step_count = 0

        parts, masks, self.shapes = [], [], []
        for weights, biases in layers:
            values = np.concatenate([weights, biases[:, :, None]], axis=2).swapaxes(2, 3)
            mask = np.ones_like(values)
            mask[..., -1] = 0
            parts.append(values)
            masks.append(mask)
        if skip is not None:
            parts.append(skip.swapaxes(2, 3))
            masks.append(np.ones_like(parts[-1]))
        self.shapes = [part.shape for part in parts]
        join = lambda arrays: torch.from_numpy(np.concatenate([array.reshape(-1) for array in arrays]))
        self.flat, self.mask = join(parts), join(masks)
        self.gradient, self.first, self.second, self.scale, self.other = (
            torch.zeros_like(self.flat) for _ in range(5))
        self.threshold = self.mask * (common.RATE * self.settings["penalty"])
        self.count = torch.zeros(())
        self.skip = skip is not None
        self.prepare()

    def views(self, flat):
        """The arrays of the layers in the vector: (members, towers, out, in + 1), then the skip."""
        sizes = [int(self.np.prod(shape)) for shape in self.shapes]
        return [part.view(shape) for part, shape in zip(flat.split(sizes), self.shapes)]

    def stack(self, array, together):
        """First layer and skip: (members, towers * out, in), as all towers see the same rows. Others: one by one.
        Without members a plain matrix, which has the cheaper product."""
        members, towers, rows, columns = array.shape
        array = array.view(members, towers * rows, columns) if together else array.view(-1, rows, columns)
        return array[0] if array.shape[0] == 1 else array

    def prepare(self):
        """All buffers and views that a step needs."""
        torch, members, towers, batch = self.torch, self.members, self.towers, self.batch
        networks = members * towers
        weights, gradients = self.views(self.flat), self.views(self.gradient)
        self.depth = len(self.settings["hidden"]) + 1
        self.rows = torch.empty(members * batch, self.table.shape[1])
        rows = self.rows.view(members, batch, -1)
        squeeze = lambda array: array[0] if array.shape[0] == 1 else array
        self.x, self.xt = squeeze(rows[..., :self.inputs + 1]), squeeze(rows[..., :self.inputs + 1].transpose(1, 2))
        self.plain, self.plain_t = squeeze(rows[..., :self.inputs]), squeeze(rows[..., :self.inputs].transpose(1, 2))
        self.target = rows[..., self.inputs + 1:].transpose(1, 2)  # (members, outputs, batch)
        self.weights = [self.stack(array, index in (0, self.depth)) for index, array in enumerate(weights)]
        self.gradients = [self.stack(array, index in (0, self.depth)) for index, array in enumerate(gradients)]
        self.transposed = [None] + [self.stack(array[..., :-1], False).transpose(-1, -2)
                                    for array in weights[1:self.depth]]
        widths = self.settings["hidden"]
        # z: before the activation; full: after it, with the ones; inner: without them; d: gradient of z.
        self.z = [squeeze(torch.empty(networks, width, batch)) for width in widths]
        full = [torch.ones(networks, width + 1, batch) for width in widths]
        self.full = [squeeze(array) for array in full]
        self.full_t = [array.transpose(-1, -2) for array in self.full]
        self.inner = [squeeze(array[:, :-1]) for array in full]
        self.d = [squeeze(torch.empty(networks, width, batch)) for width in widths]
        # With one member the first layer is a matrix product for all towers.
        self.z0, self.d0 = (squeeze(array.view(members, -1, batch)) for array in (self.z[0], self.d[0]))
        self.out = squeeze(torch.empty(networks, self.outputs // towers, batch))
        self.out_members = self.out.view(members, self.outputs, batch)
        self.out_together = squeeze(self.out_members)
        self.factor = 2 / (batch * (1 if self.settings["towers"] else self.outputs))

    def order(self, generator):
        steps = len(self.table) // self.batch
        orders = self.np.stack([generator.permutation(len(self.table))[:steps * self.batch].reshape(steps, -1)
                                for _ in range(self.members)], axis=1)
        return self.torch.from_numpy(orders.reshape(steps, -1))

    def step(self, order, k):
        torch = self.torch
        torch.index_select(self.table, 0, order[k], out=self.rows)
        self.differentiate()
        self.adam()

    def product(self, a, b, out):
        (self.torch.mm if a.dim() == 2 else self.torch.bmm)(a, b, out=out)

    def differentiate(self):
        """Forward and backward; nothing is allocated."""
        torch, settings, last = self.torch, self.settings, self.depth - 1
        activation = settings["activation"]
        for index in range(last):
            if index == 0:
                self.product(self.weights[0], self.xt, self.z0)
            else:
                self.product(self.weights[index], self.full[index - 1], self.z[index])
            if activation == "relu":
                torch.clamp_min(self.z[index], 0, out=self.inner[index])
            elif activation == "tanh":
                torch.tanh(self.z[index], out=self.inner[index])
            else:
                torch.ops.aten.silu.out(self.z[index], out=self.inner[index])
        self.product(self.weights[last], self.full[last - 1], self.out)
        if self.skip:
            if self.out_together.dim() == 2:
                self.out_together.addmm_(self.weights[-1], self.plain_t)
            else:
                self.out_together.baddbmm_(self.weights[-1], self.plain_t)
        d = self.out
        self.out_members.sub_(self.target).mul_(self.factor)
        if self.skip:
            self.product(self.out_together, self.plain, self.gradients[-1])
        for index in range(last, 0, -1):
            self.product(d, self.full_t[index - 1], self.gradients[index])
            below = self.d[index - 1]
            self.product(self.transposed[index], d, below)
            if activation == "relu":
                torch.ops.aten.threshold_backward.grad_input(below, self.z[index - 1], 0, grad_input=below)
            elif activation == "tanh":
                torch.ops.aten.tanh_backward.grad_input(below, self.inner[index - 1], grad_input=below)
            else:
                torch.ops.aten.silu_backward.grad_input(below, self.z[index - 1], grad_input=below)
            d = below
        self.product(self.d0, self.x, self.gradients[0])

    def adam(self):
        """Adam on the one vector, then the proximal step in its metric."""
        torch = self.torch
        self.step_count += 1
        root = (1 - common.BETA2**self.step_count) ** -0.5
        rate = common.RATE / (1 - common.BETA1**self.step_count)
        if self.hand:
            self.first.lerp_(self.gradient, 1 - common.BETA1)
            self.second.mul_(common.BETA2).addcmul_(self.gradient, self.gradient, value=1 - common.BETA2)
        else:
            self.count += 1
            torch._fused_adam_(
                [self.flat], [self.gradient], [self.first], [self.second], [], [self.count], lr=common.RATE,
                beta1=common.BETA1, beta2=common.BETA2, weight_decay=0.0, eps=common.EPSILON, amsgrad=False,
                maximize=False)
        penalty = self.settings["penalty"] > 0
        if self.hand or penalty:
            torch.sqrt(self.second, out=self.scale)
            self.scale.mul_(root).add_(common.EPSILON)
        if self.hand:
            self.flat.addcdiv_(self.first, self.scale, value=-rate)
        if penalty:
            torch.div(self.threshold, self.scale, out=self.scale)
            torch.neg(self.scale, out=self.other)
            torch.clamp(self.flat, self.other, self.scale, out=self.other)
            self.flat.sub_(self.other)

    def predict(self, weights, xt):
        """(members, outputs, rows) by plain operations: for autograd and for the final loss."""
        torch = self.torch
        activation = {"relu": torch.relu, "tanh": torch.tanh,
                      "silu": torch.nn.functional.silu}[self.settings["activation"]]
        for index in range(self.depth):
            members, towers, rows, columns = weights[index].shape
            if index == 0:
                hidden = weights[0].view(members, towers * rows, columns) @ xt
                hidden = hidden.view(members * towers, rows, -1)
            else:
                array = weights[index].view(members * towers, rows, columns)
                hidden = torch.baddbmm(array[..., -1:], array[..., :-1], hidden)
            if index < self.depth - 1:
                hidden = activation(hidden)
        output = hidden.reshape(self.members, self.outputs, -1)
        if self.skip:
            array = weights[-1]
            output = output + array.view(array.shape[0], -1, self.inputs) @ xt[..., :self.inputs, :]
        return output

    def result(self):
        with self.torch.no_grad():
            xt = self.table[:, :self.inputs + 1].T
            error = self.predict(self.views(self.flat), xt) - self.table[:, self.inputs + 1:].T
            return float((error * error).mean()), int((self.flat * self.mask).count_nonzero())


class Compiled(Stacked):
    """Forward, autograd, Adam and the proximal step in one compiled function."""

    def prepare(self):
        torch = self.torch
        self.depth = len(self.settings["hidden"]) + 1
        scale = self.batch * (1 if self.settings["towers"] else self.outputs)
        penalty = self.settings["penalty"] > 0
        inputs, members, batch = self.inputs, self.members, self.batch

        def loss(flat, rows):
            error = (self.predict(self.views(flat), rows[..., :inputs + 1].transpose(1, 2))
                     - rows[..., inputs + 1:].transpose(1, 2))
            return (error * error).sum() / scale

        derivative = torch.func.grad(loss)

        def update(flat, first, second, table, order, rates):
            rows = table[order].view(members, batch, -1)
            gradient = derivative(flat, rows)
            first.mul_(common.BETA1).add_(gradient, alpha=1 - common.BETA1)
            second.mul_(common.BETA2).addcmul_(gradient, gradient, value=1 - common.BETA2)
            scale = 1 / (second.sqrt() * rates[1] + common.EPSILON)
            flat.sub_(rates[0] * first * scale)
            if penalty:
                limit = self.threshold * scale
                flat.sub_(torch.clamp(flat, -limit, limit))

        self.update = torch.compile(update, dynamic=False)

    def step(self, order, k):
        if k == 0:
            rates = self.np.stack(common.corrections(self.step_count, len(order)), axis=1)
            self.rates = self.torch.from_numpy(rates)
        self.step_count += 1
        self.update(self.flat, self.first, self.second, self.table, order[k], self.rates[k])


def make(torch, workload, variant, *rest):
    kinds = {"eager": Eager, "foreach": Eager, "fused": Eager, "batched": Stacked, "batched-hand": Stacked,
             "compiled": Compiled}
    if variant not in kinds:
        raise SystemExit(f"unknown variant {variant!r}; variants: {', '.join(kinds)}")
    return kinds[variant](torch, workload, variant, *rest)


def main():
    options = common.arguments(__doc__.split("\n\n", 1)[1], "eager")
    common.limit_threads(options.threads, os.environ)

    import numpy as np
    import torch

    torch.set_num_threads(options.threads)
    # Moments of weights that are gone decay into denormal numbers, which are slow; XLA flushes them too.
    torch.set_flush_denormal(True)
    features, targets = common.load_rows(options.data)
    layers, skip = common.first_weights(
        options.workload, options.members, features.shape[1], targets.shape[1], options.seed)
    peer = make(torch, options.workload, options.variant, options.members, features, targets, layers, skip)
    generator = np.random.default_rng(options.seed)
    steps = len(features) // common.BATCH
    gradients_by_hand = options.variant.startswith("batched")

    def run(deadline, limit=steps):
        order = peer.order(generator)
        with torch.inference_mode(gradients_by_hand):
            for k in range(limit):
                peer.step(order, k)
                if k % 16 == 15 and time.perf_counter() >= deadline:
                    return k + 1
        return limit

    start = time.perf_counter()
    run(float("inf"), 1)  # Compiles, if anything is compiled.
    seconds = time.perf_counter() - start
    run(time.perf_counter() + 0.5)  # Warm-up.
    steps_done, elapsed = common.measure(run, options.seconds)
    loss, surviving = peer.result()
    if options.members > 1:
        surviving /= options.members
    common.report("pytorch", torch.__version__, options, options.variant, steps_done, elapsed,
                  seconds if options.variant == "compiled" else 0.0, loss, surviving)


if __name__ == "__main__":
    main()
