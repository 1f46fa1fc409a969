#!/usr/bin/env python3
"""PyTorch's numbers for a small network: loss, gradients, and the weights after three steps of Adam.

    behavior_reference.py > src/behavior/tabular/reference/torch.json

The test at the foot of src/behavior/tabular/dense.rs compares with them. Needs torch (requirements.txt).
"""

import json

import torch

torch.manual_seed(16)
torch.set_default_dtype(torch.float64)
layers = [torch.nn.Linear(5, 4), torch.nn.ReLU(), torch.nn.Linear(4, 3), torch.nn.ReLU(), torch.nn.Linear(3, 1)]
network = torch.nn.Sequential(*layers)
inputs = torch.randn(6, 5)
labels = torch.tensor([1.0, 0.0, 0.0, 1.0, 0.0, 1.0])
positive_weight = 2.5


def flat(of):
    """All weights in kioskd's order: each layer's matrix [inputs, outputs], then its biases."""
    out = []
    for layer in network:
        if isinstance(layer, torch.nn.Linear):
            out += of(layer.weight).T.reshape(-1).tolist() + of(layer.bias).tolist()
    return out


def loss():
    logits = network(inputs).squeeze(1)
    return torch.nn.functional.binary_cross_entropy_with_logits(logits, labels, pos_weight=torch.tensor(positive_weight))


reference = {
    "torch": torch.__version__.split("+")[0],
    "sizes": [5, 4, 3, 1],
    "weights": flat(lambda x: x.data),
    "inputs": inputs.reshape(-1).tolist(),
    "labels": labels.tolist(),
    "positive_weight": positive_weight,
}
optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
for step in range(3):
    optimizer.zero_grad()
    value = loss()
    value.backward()
    if step == 0:
        reference |= {"logits": network(inputs).squeeze(1).tolist(), "loss": value.item(), "gradient": flat(lambda x: x.grad)}
    optimizer.step()
reference["weights_after_3_steps"] = flat(lambda x: x.data)
print(json.dumps(reference, indent=1))
