"""Prints a model: as many softmax layers as the argument says, then many reshapes
between layers that need them."""

import json
import sys

layers = [{"name": f"start{i}", "type": "softmax"} for i in range(int(sys.argv[1]))]
for i in range(100):
    layers += [
        {"name": f"image{i}", "type": "reshape", "shape": [16, 1, 1]},
        {"name": f"pool{i}", "type": "max_pool2d", "kernel_size": 1},
        {"name": f"flat{i}", "type": "flatten"},
        {"name": f"softmax{i}", "type": "softmax"},
    ]
model = {
    "format_version": 1,
    "name": "long-chain",
    "inputs": [{"name": "x", "shape": [16]}],
    "encoder": {"layers": layers},
    "latent": {"kind": "code", "code": layers[-1]["name"]},
}
print(json.dumps(model))
