"""Known answers for dense networks, from PyTorch on one CPU thread: predictions, losses,
gradients, Jacobians, and 20 steps of Adam without a sparsifier, with an l1 term in the loss,
with the proximal step of Yun et al. (2021), with the group lasso on inputs (its root by
scipy.optimize.brentq), and with the thresholds of Kusupati et al. (2020) learned by autograd.

All weights, inputs and targets are multiples of 1/1024, so float32 holds them exactly. The
numbers written are float64; everything is computed in float32 too, and must agree.

    python -B gradients.py
"""

import numpy as np
import torch
from fixture_json import write
from scipy.optimize import brentq

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
ACTIVATIONS = {"relu": torch.relu, "silu": torch.nn.functional.silu, "tanh": torch.tanh}
LEARNING_RATE, BETAS, EPSILON, STRENGTH, STEPS = 1e-2, (0.9, 0.999), 1e-8, 1e-2, 20


def dyadic(rng, rows, columns, scale=1.0):
    return (np.round(rng.standard_normal((rows, columns)) * scale * 1024) / 1024).tolist()


class Network:
    """chain(x), plus skip x if there is a skip; the last layer has no activation."""

    def __init__(self, case, dtype):
        def leaf(values):
            return torch.tensor(values, dtype=dtype, requires_grad=True)
        self.weights = [leaf(layer["weight"]) for layer in case["layers"]]
        self.biases = [leaf(layer["bias"]) for layer in case["layers"]]
        self.skip = leaf(case["skipWeight"]) if case["skip"] else None
        self.activation = ACTIVATIONS[case["activation"]]
        self.relu = case["activation"] == "relu"

    def penalised(self):
        return self.weights + ([self.skip] if self.skip is not None else [])

    def parameters(self):
        return self.penalised() + self.biases

    def __call__(self, x):
        y = x
        for i, (w, b) in enumerate(zip(self.weights, self.biases)):
            y = torch.nn.functional.linear(y, w, b)
            if i + 1 < len(self.weights):
                assert not self.relu or y.abs().min() > 1e-5, "too near a kink to be a fixture"
                y = self.activation(y)
        return y if self.skip is None else y + torch.nn.functional.linear(x, self.skip)

    def listed(self, of=lambda p: p):
        """The parameters, or another tensor of each, in the form of the file."""
        result = {"layers": [{"weight": of(w).tolist(), "bias": of(b).tolist()}
                             for w, b in zip(self.weights, self.biases)]}
        if self.skip is not None:
            result["skipWeight"] = of(self.skip).tolist()
        return result


def loss(network, x, y):
    return torch.mean((network(x) - y) ** 2)


def data(case, dtype):
    return torch.tensor(case["features"], dtype=dtype), torch.tensor(case["targets"], dtype=dtype)


def flat(value):
    """All numbers in nested lists and dictionaries, as one array."""
    if isinstance(value, dict):
        value = list(value.values())
    return np.concatenate([flat(v) for v in value]) if isinstance(value, list) else np.array([value])


def both(case, compute, tolerance):
    """compute in float64, which must agree with float32 relative to each answer's largest number."""
    single, double = compute(case, torch.float32), compute(case, torch.float64)
    worst = max(np.max(np.abs(flat(single[k]) - flat(v))) / np.max(np.abs(flat(v)))
                for k, v in double.items())
    print(f"{case['name']}, {compute.__name__}: float32 within {worst:.1e}")
    assert worst < tolerance
    return double


def answers(case, dtype):
    network, (x, y) = Network(case, dtype), data(case, dtype)
    value = loss(network, x, y)
    value.backward()
    jacobians = [torch.autograd.functional.jacobian(lambda r: network(r[None])[0], row) for row in x[:3]]
    return {
        "prediction": network(x).tolist(),
        "loss": value.item(),
        "gradient": network.listed(lambda p: p.grad),
        "jacobian": [j.tolist() for j in jacobians],
    }


def case(rng, sizes, activation, skip, batch=24):
    n, m = sizes[0], sizes[-1]
    result = {
        "name": "-".join(map(str, sizes)) + " " + activation + (" skip" if skip else ""),
        "activation": activation, "hidden": sizes[1:-1], "skip": skip, "inputs": n, "outputs": m,
        "layers": [{"weight": dyadic(rng, o, i, i**-0.5), "bias": dyadic(rng, 1, o, 0.25)[0]}
                   for i, o in zip(sizes, sizes[1:])],
    }
    if skip:
        result["skipWeight"] = dyadic(rng, m, n, 0.5)
    result["features"] = dyadic(rng, batch, n)
    result["targets"] = dyadic(rng, batch, m)
    return result


def group_step(network, adam, step):
    """argmin of sum h/2 (w - z)^2 + strength (|w_G|_2 + ...): the weights of an input are a group in the
    first layer and the skip together, every other weight is one by itself."""
    correction = 1 - BETAS[1] ** step
    def metric(p):
        return (((adam.state[p]["exp_avg_sq"] / correction).sqrt() + EPSILON) / LEARNING_RATE).double().numpy()
    with torch.no_grad():
        for w in network.weights[1:]:
            w.copy_(w.sign() * torch.relu(w.abs() - STRENGTH / torch.tensor(metric(w)).to(w.dtype)))
        readers = [network.weights[0]] + ([network.skip] if network.skip is not None else [])
        for i in range(readers[0].shape[1]):
            z = np.concatenate([p[:, i].double().numpy() for p in readers])
            h = np.concatenate([metric(p)[:, i] for p in readers])
            w = np.zeros_like(z)
            if np.linalg.norm(h * z) > STRENGTH:
                r = brentq(lambda r: np.sum((h * z / (h * r + STRENGTH)) ** 2) - 1, 0, np.linalg.norm(z),
                           xtol=1e-15, rtol=1e-14)
                w = h * z * r / (h * r + STRENGTH)
            first = 0
            for p in readers:
                p[:, i] = torch.tensor(w[first:first + p.shape[0]]).to(p.dtype)
                first += p.shape[0]


def soft_threshold(case, dtype, rate=0.1):
    """Weights sign(v) relu(|v| - sigmoid(s)) with s = -8 at first for each layer, the skip being of the last."""
    network, (x, y) = Network(case, dtype), data(case, dtype)
    latent = Network(case, dtype)
    s = [torch.full((), -8.0, dtype=dtype, requires_grad=True) for _ in latent.weights]
    adam = torch.optim.Adam(latent.parameters() + s, lr=rate, betas=BETAS, eps=EPSILON, foreach=False)
    losses = []
    for _ in range(STEPS + 1):
        def soft(v, t):
            return torch.sign(v) * torch.relu(v.abs() - torch.sigmoid(t))
        network.weights, network.biases = [soft(v, t) for v, t in zip(latent.weights, s)], latent.biases
        if latent.skip is not None:
            network.skip = soft(latent.skip, s[-1])
        if len(losses) == STEPS:
            break
        adam.zero_grad()
        value = loss(network, x, y)
        losses.append(value.item())
        decay = sum((v ** 2).sum() for v in latent.penalised()) + sum(t ** 2 for t in s)
        (value + STRENGTH / 2 * decay).backward()
        adam.step()
    return {"loss": losses, **network.listed(lambda p: p.detach())}


def train(sparsifier):
    if sparsifier == "soft-threshold":
        return soft_threshold

    def trained(case, dtype):
        network, (x, y) = Network(case, dtype), data(case, dtype)
        adam = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, betas=BETAS, eps=EPSILON, foreach=False)
        losses = []
        for step in range(1, STEPS + 1):
            adam.zero_grad()
            value = loss(network, x, y)
            losses.append(value.item())
            if sparsifier == "l1":
                value = value + STRENGTH * sum(w.abs().sum() for w in network.penalised())
            value.backward()
            adam.step()
            if sparsifier == "proximal":
                with torch.no_grad():
                    for w in network.penalised():
                        vhat = adam.state[w]["exp_avg_sq"] / (1 - BETAS[1] ** step)
                        threshold = LEARNING_RATE * STRENGTH / (vhat.sqrt() + EPSILON)
                        w.copy_(w.sign() * torch.relu(w.abs() - threshold))
            elif sparsifier == "group-lasso":
                group_step(network, adam, step)
            elif sparsifier == "l1":
                assert all(w.abs().min() > 1e-6 for w in network.penalised()), "sign hangs on rounding"
        return {"loss": losses, **network.listed()}
    trained.__name__ = sparsifier
    return trained


def main():
    rng = np.random.default_rng(20220905)
    cases = [
        case(rng, [5, 7, 6, 3], "relu", False),
        case(rng, [5, 7, 2], "tanh", False),
        case(rng, [13, 20, 1], "silu", True),
        case(rng, [4, 6, 5, 2], "relu", True),
        case(rng, [13, 20, 20, 20, 20, 8], "relu", False, batch=16),
    ]
    cases[3]["layers"][0]["weight"][0][0] = 0.0  # where sign(0) = 0 matters
    optimiser = []
    for sparsifier in ("none", "l1", "proximal", "group-lasso", "soft-threshold"):
        start = cases[{"group-lasso": 2, "soft-threshold": 1}.get(sparsifier, 3)]
        final = both(start, train(sparsifier), 1e-4)
        print("  zero weights:", sum(int(np.sum(flat(p) == 0)) for p in
                                     [final.get("skipWeight", []), *(layer["weight"] for layer in final["layers"])]
                                     if p))
        optimiser.append({
            "case": start["name"], "sparsifier": sparsifier,
            "lambda": 0.0 if sparsifier == "none" else STRENGTH,
            "learningRate": 0.1 if sparsifier == "soft-threshold" else LEARNING_RATE,
            "beta1": BETAS[0], "beta2": BETAS[1], "epsilon": EPSILON, "steps": STEPS, **final,
        })
    for c in cases:
        c.update(both(c, answers, 1e-5))
    write("networks/gradients.json", {"cases": cases, "optimiser": optimiser})


if __name__ == "__main__":
    main()
