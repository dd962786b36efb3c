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
    """All networks in one vector of parameters, features x rows.

    Biases are a column of the weights, met by a feature or unit that is always one. All towers read
    the same inputs: their first layers are one matrix, and so are the skips."""

    def __init__(self, workload, variant, members, features, targets, seed):
        self.workload = workload
        self.members = members
        self.features = features.shape[1]
        self.targets = targets.shape[1]
        self.depth = len(workload.hidden)
        ones = torch.ones(len(features), 1)
        data = [torch.from_numpy(features), ones, torch.from_numpy(targets)]
        self.data = torch.cat(data, 1)
        layers, skip = common.initial_weights(
            workload, members, self.features, self.targets, seed
        )
        self.towers = layers[0].weight.shape[1]
        self.networks = members * self.towers
        blocks = [
            torch.cat([torch.from_numpy(layer.weight), torch.from_numpy(layer.bias)[..., None]], -1)
            for layer in layers
        ]
        masks = [torch.ones_like(block) for block in blocks]
        for mask in masks:
            mask[..., -1] = 0
        self.shapes = [leading(members, -1, self.features + 1)]
        self.shapes += [leading(self.networks, -1, block.shape[-1]) for block in blocks[1:]]
        if skip is not None:
            blocks.append(torch.from_numpy(skip))
            masks.append(torch.ones_like(blocks[-1]))
            self.shapes.append(leading(members, -1, self.features))
        self.sizes = [block.numel() for block in blocks]
        flat = lambda blocks: torch.cat([block.reshape(-1) for block in blocks])
        self.parameters = flat(blocks)
        self.is_weight = flat(masks)
        self.moment1 = torch.zeros_like(self.parameters)
        self.moment2 = torch.zeros_like(self.parameters)
        self.taken = 0

    def unpack(self, vector):
        return [part.view(shape) for part, shape in zip(vector.split(self.sizes), self.shapes)]

    def corrections(self):
        """What Adam's step needs as p -= rate m / (sqrt(v) + epsilon)."""
        root = math.sqrt(1 - BETA2**self.taken)
        return self.workload.rate * root / (1 - BETA1**self.taken), EPSILON * root, root

    def surviving_weights(self):
        return int(((self.parameters != 0) & (self.is_weight != 0)).sum()) / self.members


class Batched(Stacked):
    def __init__(self, workload, variant, members, features, targets, seed):
        super().__init__(workload, variant, members, features, targets, seed)
        self.gradient = torch.zeros_like(self.parameters)
        self.scratch = torch.zeros_like(self.parameters)
        self.limit = torch.zeros_like(self.parameters)
        self.strength = self.is_weight * (workload.rate * workload.penalty)
        weights, gradients = self.unpack(self.parameters), self.unpack(self.gradient)
        zeros = lambda *shape: torch.zeros(shape)

        self.batch = zeros(members * BATCH, self.data.shape[1])
        batch = self.batch.view(leading(members, BATCH, -1))
        self.rows = batch[..., : self.features + 1]
        self.x = self.rows.mT
        self.y = batch[..., self.features + 1 :].mT
        self.products, self.values, self.deltas = [], [], []
        for units in workload.hidden:
            by_network = leading(self.networks, units, BATCH)
            self.products.append(zeros(*by_network))
            self.values.append(torch.ones(leading(self.networks, units + 1, BATCH)))
            self.deltas.append(zeros(*by_network))
        self.output = zeros(*leading(members, self.targets, BATCH))
        self.error = torch.zeros_like(self.output)

        by_network = leading(self.networks, -1, BATCH)
        by_member = leading(members, -1, BATCH)
        self.first = (weights[0], self.x, self.products[0].view(by_member))
        self.first_gradient = (self.deltas[0].view(by_member), self.rows, gradients[0])
        outputs = self.products[1:] + [self.output.view(by_network)]
        deltas = self.deltas[1:] + [self.error.view(by_network)]
        self.layers = []
        for k, units in enumerate(workload.hidden):
            value = self.values[k]
            forward = (weights[k + 1], value, outputs[k])
            backward = (deltas[k], value.mT, gradients[k + 1])
            propagate = (weights[k + 1][..., :units].mT, deltas[k], self.deltas[k])
            self.layers.append(
                (self.products[k], value.narrow(-2, 0, units), forward, backward, propagate)
            )
        self.skip = None
        if workload.skip:
            self.skip = (weights[-1], self.x.narrow(-2, 0, self.features))
            self.skip_gradient = (self.error, self.rows[..., : self.features], gradients[-1])

    def run(self, order):
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
        if self.skip:
            (self.output.addmm_ if self.members == 1 else self.output.baddbmm_)(*self.skip)
        error = torch.sub(self.output, self.y, out=self.error)
        flat = error.view(-1)
        torch.dot(flat, flat, out=loss)
        error.mul_(2 * self.towers / (self.targets * BATCH))
        if self.skip:
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
        rate, epsilon, root = self.corrections()
        gradient, scratch, limit = self.gradient, self.scratch, self.limit
        self.moment1.lerp_(gradient, 1 - BETA1)
        self.moment2.mul_(BETA2).addcmul_(gradient, gradient, value=1 - BETA2)
        torch.sqrt(self.moment2, out=scratch).add_(epsilon)
        self.parameters.addcdiv_(self.moment1, scratch, value=-rate)
        if self.workload.penalty > 0:
            torch.div(self.strength, scratch, out=limit).mul_(root)
            torch.neg(limit, out=scratch)
            torch.clamp(self.parameters, scratch, limit, out=scratch)
            self.parameters.sub_(scratch)  # sign(w) max(|w| - limit, 0)


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


TRAINERS = {"eager": Eager, "foreach": Eager, "fused": Eager, "batched": Batched}


def leading(count, *shape):
    """The shape with a leading axis if there is more than one."""
    return shape if count == 1 else (count, *shape)


def main():
    torch.set_num_threads(arguments.threads)
    # As XLA does: moments that die away would otherwise slow down everything.
    torch.set_flush_denormal(True)
    features, targets = common.read_rows(arguments.data)
    workload = common.WORKLOADS[arguments.workload]
    make = lambda: TRAINERS.get(arguments.variant, Eager)(
        workload, arguments.variant, arguments.members, features, targets, arguments.seed
    )
    steps = len(features) // BATCH
    torch.manual_seed(arguments.seed)

    def draw_order():
        orders = [torch.randperm(len(features)) for _ in range(arguments.members)]
        return torch.stack([o[: steps * BATCH].view(steps, BATCH) for o in orders], 1)

    make().run(draw_order()[:100])  # to warm up
    trainer = make()
    measured = common.measure(lambda: float(trainer.run(draw_order()).mean()), arguments, steps)
    common.report("pytorch", torch.__version__, arguments, *measured[:2], 0.0, measured[2],
                  trainer.surviving_weights())


if __name__ == "__main__":
    main()
