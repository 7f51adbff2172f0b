# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles the complete models of a document.

Usage: compile_examples.py DOCUMENT FOLDER

A complete model is a block with the info string "json model". Its weights, if
it has any, are described by the next block, "text tensors FILE": one tensor a
line, its name and its shape. Every model is imported, must use exactly these
tensors, and is compiled to a library. Other "json ..." blocks must be JSON.
"""

import json
import math
import pathlib
import re
import struct
import subprocess
import sys

BLOCK = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```", re.M | re.S)


def write_tensors(path, description):
    """Writes a safetensors file of small numbers; returns the tensors' names."""
    header, size = {}, 0
    for line in description.strip().splitlines():
        name, shape = line.split(" ", 1)
        shape = json.loads(shape)
        begin, size = size, size + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, size]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text
                     + struct.pack("<f", 0.125) * (size // 4))
    return list(header)


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{result.stderr}")
    return result.stdout


def main():
    document, folder = map(pathlib.Path, sys.argv[1:])
    blocks = BLOCK.findall(document.read_text(encoding="utf-8"))
    models = 0
    for i, (language, info, text) in enumerate(blocks):
        if language != "json":
            continue
        model = json.loads(text)
        if info.strip() != "model":
            continue
        models += 1
        names = []
        if "weights" in model:
            kind, words, tensors = blocks[i + 1] if i + 1 < len(blocks) else ("", "", "")
            if kind != "text" or words.split() != ["tensors", model["weights"]]:
                sys.exit(f"model '{model['name']}': no block 'text tensors {model['weights']}'")
            names = write_tensors(folder / model["weights"], tensors)
        path = folder / f"{model['name']}.json"
        path.write_text(text, encoding="utf-8")
        ir = run("vaec", str(path), "--emit=import", "-o", "-")
        for name in names:
            if f"{name}__" not in ir:
                sys.exit(f"model '{model['name']}': tensor '{name}' is not used")
        run("vaec", str(path), "-O0", "-o", str(folder / f"{model['name']}.so"))
    print(f"{models} models")
    if not models:
        sys.exit("no models found")


main()
