"""Trains a workload with PyTorch on the CPU and prints how long a step takes, as one line of JSON.

Variants:
  eager     the loop that most people write: torch.nn modules, autograd, torch.optim.Adam; members
            one after the other
  foreach   the same with Adam(foreach=True)
  fused     the same with Adam(fused=True)
  batched   written by hand: members and towers stacked, the gradient without autograd, everything in
            buffers that are kept, Adam on one vector of all parameters
  compiled  the same step in plain tensor operations, compiled by torch.compile
"""

import math
import time

import peers_common as common
from peers_common import BATCH, BETA1, BETA2, EPSILON

VARIANTS = ("eager", "foreach", "fused", "batched", "compiled")

if __name__ == "__main__":
    # Before PyTorch is imported: it sizes its pools when loaded.
    arguments = common.parse_arguments(VARIANTS, "eager", "Training with PyTorch.")
    common.limit_threads(arguments.threads)

import torch


class Network(torch.nn.Module):
    """A network, or one per target side by side."""

    def __init__(self, workload, layers, skip, member):
        super().__init__()
        activation = {"relu": torch.nn.ReLU, "silu": torch.nn.SiLU, "tanh": torch.nn.Tanh}
        self.towers = torch.nn.ModuleList()
        self.skips = torch.nn.ModuleList()
        for tower in range(layers[0].weight.shape[1]):
            modules = []
            for layer in layers:
                modules += [linear(layer.weight[member, tower], layer.bias[member, tower])]
                modules += [activation[workload.activation]()]
            self.towers.append(torch.nn.Sequential(*modules[:-1]))
            if skip is not None:
                self.skips.append(linear(skip[member, tower]))

    def forward(self, x):
        outputs = [tower(x) for tower in self.towers]
        if self.skips:
            outputs = [output + skip(x) for output, skip in zip(outputs, self.skips)]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, 1)


def linear(weight, bias=None):
    module = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight))
        if bias is not None:
            module.bias.copy_(torch.from_numpy(bias))
    return module


class Eager:
    """Features and targets are rows x features and rows x targets, float32."""

    def __init__(self, workload, variant, members, features, targets, seed):
        self.workload = workload
        self.features = torch.from_numpy(features)
        self.targets = torch.from_numpy(targets)
        layers, skip = common.initial_weights(
            workload, members, features.shape[1], targets.shape[1], seed
        )
        self.models = [Network(workload, layers, skip, member) for member in range(members)]
        # Without either argument Adam loops over the parameters.
        choice = {} if variant == "eager" else {variant: True}
        self.optimizers = [
            torch.optim.Adam(
                model.parameters(), lr=workload.rate, betas=(BETA1, BETA2), eps=EPSILON, **choice
            )
            for model in self.models
        ]

    def run(self, order):
        """A step for each row of `order` [steps, members, batch]; returns the steps' losses."""
        losses = torch.zeros(len(order))
        for index, (model, optimizer) in enumerate(zip(self.models, self.optimizers)):
            for step, rows in enumerate(order[:, index]):
                x, y = self.features[rows], self.targets[rows]
                optimizer.zero_grad()
                loss = torch.nn.functional.mse_loss(model(x), y)
                # Towers: the sum of their errors, so that each has a gradient of its own.
                (loss * y.shape[1] if self.workload.towers else loss).backward()
                optimizer.step()
                if self.workload.penalty > 0:
                    self.shrink(model, optimizer)
                losses[step] += loss.detach()
        return losses / len(self.models)

    @torch.no_grad()
    def shrink(self, model, optimizer):
        """The proximal step in Adam's metric: w becomes sign(w) max(|w| - limit, 0)."""
        weights = [weight for weight in model.parameters() if weight.ndim == 2]
        states = [optimizer.state[weight] for weight in weights]
        correction = 1 - BETA2 ** states[0]["step"].item()
        limits = torch._foreach_div([state["exp_avg_sq"] for state in states], correction)
        torch._foreach_sqrt_(limits)
        torch._foreach_add_(limits, EPSILON)
        torch._foreach_reciprocal_(limits)
        torch._foreach_mul_(limits, self.workload.rate * self.workload.penalty)
        excess = torch._foreach_minimum(weights, limits)
        torch._foreach_maximum_(excess, torch._foreach_neg(limits))
        torch._foreach_sub_(weights, excess)

    def surviving_weights(self):
        weights = [w for model in self.models for w in model.parameters() if w.ndim == 2]
        return sum(int((w != 0).sum()) for w in weights) / len(self.models)


class Stacked:
    """All networks of all members in one vector of parameters, features x rows. All towers read the
    same inputs: their first layers are one matrix, and so are the skips.

    Leading axes, where there is more than one: members, or networks (towers of all members)."""

    def __init__(self, workload, members, features, targets, seed):
        self.workload = workload
        self.members = members
        self.features = features.shape[1]
        self.targets = targets.shape[1]
        self.depth = len(workload.hidden)
        # The ones are a feature whose weight is the bias.
        ones = torch.ones(len(features), 1)
        self.data = torch.cat([torch.from_numpy(features), ones, torch.from_numpy(targets)], 1)
        layers, skip = common.initial_weights(
            workload, members, self.features, self.targets, seed
        )
        self.towers = layers[0].weight.shape[1]
        self.networks = members * self.towers
        self.weights = [torch.from_numpy(layer.weight) for layer in layers]
        self.biases = [torch.from_numpy(layer.bias) for layer in layers]
        self.skips = [] if skip is None else [torch.from_numpy(skip)]
        self.taken = 0

    def pack(self, blocks, shapes, masks):
        """Lays out the parameters; the masks are one for a weight and zero for a bias."""
        self.shapes = shapes
        self.sizes = [block.numel() for block in blocks]
        self.parameters = torch.cat([block.reshape(-1) for block in blocks])
        self.is_weight = torch.cat([mask.reshape(-1) for mask in masks])
        self.moment1 = torch.zeros_like(self.parameters)
        self.moment2 = torch.zeros_like(self.parameters)

    def unpack(self, vector):
        return [part.view(shape) for part, shape in zip(vector.split(self.sizes), self.shapes)]

    def surviving_weights(self):
        return int(((self.parameters != 0) & (self.is_weight != 0)).sum()) / self.members


class Batched(Stacked):
    """Biases are a column of the weights, met by a unit that is always one: a product less each way."""

    def __init__(self, workload, variant, members, features, targets, seed):
        super().__init__(workload, members, features, targets, seed)
        blocks = [torch.cat([w, b[..., None]], -1) for w, b in zip(self.weights, self.biases)]
        masks = [
            torch.cat([torch.ones_like(w), torch.zeros_like(b[..., None])], -1)
            for w, b in zip(self.weights, self.biases)
        ]
        shapes = [leading(members, -1, self.features + 1)]
        shapes += [leading(self.networks, -1, block.shape[-1]) for block in blocks[1:]]
        shapes += [leading(members, -1, self.features) for _ in self.skips]
        self.pack(blocks + self.skips, shapes, masks + [torch.ones_like(w) for w in self.skips])
        self.gradient = torch.zeros_like(self.parameters)
        self.scratch = torch.zeros_like(self.parameters)
        self.limit = torch.zeros_like(self.parameters)
        self.strength = self.is_weight * (workload.rate * workload.penalty)
        self.count = torch.zeros(())
        self.make_buffers()

    def make_buffers(self):
        """Buffers, and all views of them that a step needs: making a view takes time too."""
        members, networks, hidden = self.members, self.networks, self.workload.hidden
        weights, gradients = self.unpack(self.parameters), self.unpack(self.gradient)
        by_member = leading(members, -1, BATCH)
        by_network = leading(networks, -1, BATCH)
        self.batch = torch.zeros(members * BATCH, self.data.shape[1])
        batch = self.batch.view(leading(members, BATCH, -1))
        rows, self.y = batch[..., : self.features + 1], batch[..., self.features + 1 :].mT
        products = [torch.zeros(leading(networks, units, BATCH)) for units in hidden]
        values = [torch.ones(leading(networks, units + 1, BATCH)) for units in hidden]
        deltas = [torch.zeros_like(product) for product in products]
        self.output = torch.zeros(leading(members, self.targets, BATCH))
        self.error = torch.zeros_like(self.output)

        # Triples are a product: factors and where it goes.
        self.first = weights[0], rows.mT, products[0].view(by_member)
        self.first_gradient = deltas[0].view(by_member), rows, gradients[0]
        outputs = products[1:] + [self.output.view(by_network)]
        output_deltas = deltas[1:] + [self.error.view(by_network)]
        self.layers = []
        for k, units in enumerate(hidden):
            forward = weights[k + 1], values[k], outputs[k]
            gradient = output_deltas[k], values[k].mT, gradients[k + 1]
            backward = weights[k + 1][..., :units].mT, output_deltas[k], deltas[k]
            value = values[k].narrow(-2, 0, units)
            self.layers.append((products[k], value, forward, gradient, backward))
        if self.skips:
            inputs = rows[..., : self.features]
            self.skip = weights[-1], inputs.mT
            self.skip_gradient = self.error, inputs, gradients[-1]

    def run(self, order):
        """A step for each row of `order` [steps, members, batch]; returns the steps' losses."""
        losses = torch.empty(len(order))
        with torch.inference_mode():
            for rows, loss in zip(order.reshape(len(order), -1).unbind(), losses.unbind()):
                torch.index_select(self.data, 0, rows, out=self.batch)
                self.compute_gradient(loss)
                self.take_step()
        return losses / self.error.numel()

    def compute_gradient(self, loss):
        by_member = torch.mm if self.members == 1 else torch.bmm
        by_network = torch.mm if self.networks == 1 else torch.bmm
        activate, derive = ACTIVATIONS[self.workload.activation]
        a, b, out = self.first
        by_member(a, b, out=out)
        for product, value, (a, b, out), _, _ in self.layers:
            activate(product, out=value)
            by_network(a, b, out=out)
        if self.skips:
            (self.output.addmm_ if self.members == 1 else self.output.baddbmm_)(*self.skip)
        error = torch.sub(self.output, self.y, out=self.error)
        flat = error.view(-1)
        torch.dot(flat, flat, out=loss)
        error.mul_(2 * self.towers / (self.targets * BATCH))
        if self.skips:
            a, b, out = self.skip_gradient
            by_member(a, b, out=out)
        for product, value, _, (a, b, out), (c, d, delta) in reversed(self.layers):
            by_network(a, b, out=out)
            by_network(c, d, out=delta)
            derive(delta, product, value)
        a, b, out = self.first_gradient
        by_member(a, b, out=out)

    def take_step(self):
        self.taken += 1
        self.count.add_(1)
        torch._fused_adam_(
            [self.parameters], [self.gradient], [self.moment1], [self.moment2], [], [self.count],
            lr=self.workload.rate, beta1=BETA1, beta2=BETA2, eps=EPSILON, weight_decay=0,
            amsgrad=False, maximize=False,
        )
        if self.workload.penalty > 0:
            # With both sides times root: limit = root strength / (sqrt(v) + root epsilon).
            root = math.sqrt(1 - BETA2**self.taken)
            scratch, limit = self.scratch, self.limit
            torch.sqrt(self.moment2, out=scratch).add_(EPSILON * root)
            torch.div(self.strength, scratch, out=limit).mul_(root)
            torch.neg(limit, out=scratch)
            torch.clamp(self.parameters, scratch, limit, out=scratch)
            self.parameters.sub_(scratch)  # sign(w) max(|w| - limit, 0)


class Compiled(Stacked):
    """Several steps are one compiled function: calling it takes as long as a step."""

    def __init__(self, workload, variant, members, features, targets, seed):
        super().__init__(workload, members, features, targets, seed)
        shapes = [leading(members, -1, self.features)]
        shapes += [leading(self.networks, -1, w.shape[-1]) for w in self.weights[1:]]
        shapes += [leading(members, -1, self.features) for _ in self.skips]
        shapes += [leading(self.networks, -1, 1) for _ in self.biases[:-1]]
        shapes += [leading(members, -1, 1)]
        weights = self.weights + self.skips
        masks = [torch.ones_like(w) for w in weights] + [torch.zeros_like(b) for b in self.biases]
        self.pack(weights + self.biases, shapes, masks)
        self.weight_count = sum(w.numel() for w in weights)
        # Calls from C++ rather than Python; compiled afresh in every process, so that its time tells.
        torch._inductor.config.cpp_wrapper = True
        torch._inductor.config.compile_threads = 1
        torch._inductor.config.force_disable_caches = True
        self.compiled = torch.compile(self.take_steps, fullgraph=True, dynamic=False)

    def run(self, order):
        """A step for each row of `order` [steps, members, batch]; returns the steps' losses."""
        steps = len(order)
        block = max(size for size in range(1, 11) if steps % size == 0)
        counts = torch.arange(self.taken + 1, self.taken + steps + 1, dtype=torch.float64)
        root = (1 - BETA2**counts).sqrt()
        correction1 = 1 / (1 - BETA1**counts)
        rates = torch.stack([self.workload.rate * root, EPSILON * root, correction1], 1).float()
        self.taken += steps
        losses = torch.empty(steps)
        blocks = zip(
            order.reshape(-1, block, self.members * BATCH), rates.view(-1, block, 3),
            losses.view(-1, block),
        )
        with torch.inference_mode():
            for rows, rates, loss in blocks:
                self.compiled(
                    self.parameters, self.moment1, self.moment2, self.data, rows, rates, loss
                )
        return losses

    def take_steps(self, parameters, moment1, moment2, data, rows, rates, losses):
        p, m, v = parameters, moment1, moment2
        for k in range(len(rows)):
            loss, gradient = self.loss_and_gradient(p, data[rows[k]])
            m = BETA1 * m + (1 - BETA1) * gradient
            v = BETA2 * v + (1 - BETA2) * gradient * gradient
            rate = rates[k, 0] / (v.sqrt() + rates[k, 1])
            p = p - rate * (m * rates[k, 2])
            if self.workload.penalty > 0:
                weights, biases = p[: self.weight_count], p[self.weight_count :]
                limit = rate[: self.weight_count] * self.workload.penalty
                # sign(w) max(|w| - limit, 0)
                p = torch.cat([weights - torch.clamp(weights, -limit, limit), biases])
            losses[k] = loss
        parameters.copy_(p)
        moment1.copy_(m)
        moment2.copy_(v)

    def loss_and_gradient(self, vector, batch):
        depth, activation = self.depth, self.workload.activation
        by_member = leading(self.members, -1, BATCH)
        by_network = leading(self.networks, -1, BATCH)
        parts = self.unpack(vector)
        weights, biases = parts[: depth + 1], parts[-depth - 1 :]
        batch = batch.view(leading(self.members, BATCH, -1))
        x, y = batch[..., : self.features].mT, batch[..., self.features + 1 :].mT

        z = (weights[0] @ x).view(by_network) + biases[0]
        values, slopes = [], []
        for k in range(depth):
            if activation == "relu":
                values.append(torch.relu(z))
                slopes.append((z > 0).float())
            elif activation == "tanh":
                values.append(torch.tanh(z))
                slopes.append(1 - values[-1] ** 2)
            else:
                sigmoid = torch.sigmoid(z)
                values.append(z * sigmoid)
                slopes.append(sigmoid * (1 + z * (1 - sigmoid)))
            z = weights[k + 1] @ values[-1]
            if k + 1 < depth:
                z = z + biases[k + 1]
        output = z.view(by_member) + biases[depth]
        if self.skips:
            output = output + parts[depth + 1] @ x
        error = output - y
        loss = (error * error).mean()

        delta = error * (2 * self.towers / (self.targets * BATCH))
        skip_gradients = [delta @ x.mT] if self.skips else []
        weight_gradients, bias_gradients = [], [delta.sum(-1)]
        delta = delta.view(by_network)
        for k in range(depth, 0, -1):
            weight_gradients.append(delta @ values[k - 1].mT)
            delta = (weights[k].mT @ delta) * slopes[k - 1]
            bias_gradients.append(delta.sum(-1))
        weight_gradients.append(delta.view(by_member) @ x.mT)
        gradients = weight_gradients[::-1] + skip_gradients + bias_gradients[::-1]
        return loss, torch.cat([gradient.reshape(-1) for gradient in gradients])


def relu(product, out):
    torch.clamp_min(product, 0, out=out)


def derive_relu(delta, product, value):
    torch.ops.aten.threshold_backward.grad_input(delta, product, 0, grad_input=delta)


def derive_silu(delta, product, value):
    torch.ops.aten.silu_backward.grad_input(delta, product, grad_input=delta)


def derive_tanh(delta, product, value):
    torch.ops.aten.tanh_backward.grad_input(delta, value, grad_input=delta)


# By name: the activation, and what multiplies a gradient by its slope in place.
ACTIVATIONS = {
    "relu": (relu, derive_relu),
    "silu": (torch.ops.aten.silu.out, derive_silu),
    "tanh": (torch.tanh, derive_tanh),
}


TRAINERS = {"eager": Eager, "foreach": Eager, "fused": Eager, "batched": Batched, "compiled": Compiled}


def leading(count, *shape):
    """The shape with a leading axis if there is more than one."""
    return shape if count == 1 else (count, *shape)


def main():
    torch.set_num_threads(arguments.threads)
    # As XLA does: moments that die away would otherwise slow down everything.
    torch.set_flush_denormal(True)
    features, targets = common.read_rows(arguments.data)
    workload = common.WORKLOADS[arguments.workload]
    steps = len(features) // BATCH
    torch.manual_seed(arguments.seed)

    def make_trainer():
        return TRAINERS[arguments.variant](
            workload, arguments.variant, arguments.members, features, targets, arguments.seed
        )

    def draw_order():
        orders = [torch.randperm(len(features)) for _ in range(arguments.members)]
        return torch.stack([order[: steps * BATCH].view(steps, BATCH) for order in orders], 1)

    # Warms up by steps whose result is thrown away; the first compiles.
    warm_up, compile_seconds = make_trainer(), 0.0
    order = draw_order()
    if arguments.variant == "compiled":
        start = time.perf_counter()
        warm_up.run(order)
        compile_seconds = time.perf_counter() - start
    trainer = make_trainer()
    if arguments.variant == "compiled":
        trainer.compiled = warm_up.compiled  # It has no state.
    else:
        warm_up.run(order[:100])

    def run_epoch():
        return float(trainer.run(draw_order()).mean())

    steps, seconds, loss = common.measure(run_epoch, arguments, steps)
    common.report(
        "pytorch", torch.__version__, arguments, steps, seconds, compile_seconds, loss,
        trainer.surviving_weights(),
    )


if __name__ == "__main__":
    main()
