# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Validates JSON examples of a document, and those of the schema itself.

Usage: validate_examples.py SCHEMA DOCUMENT

In the document, a block with the info string "json NAME" is an example of the
schema's definition NAME.
"""

import json
import pathlib
import re
import sys

import jsonschema

BLOCK = re.compile(r"^```json (\S+)\n(.*?)^```", re.M | re.S)


def main():
    schema = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    document = pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")
    examples = [(name, f"{sys.argv[2]}, {name}", json.loads(text))
                for name, text in BLOCK.findall(document)]
    for name, definition in schema["$defs"].items():
        examples += [(name, f"{name}, examples", example)
                     for example in definition.get("examples", [])]
    failures = 0
    for name, where, example in examples:
        if name not in schema["$defs"]:
            sys.exit(f"{where}: the schema has no such definition")
        validator = jsonschema.Draft202012Validator(
            {"$ref": f"#/$defs/{name}", "$defs": schema["$defs"]})
        for error in validator.iter_errors(example):
            failures += 1
            print(f"{where}: {error.message}")
    print(f"{len(examples)} examples")
    return 1 if failures or len(examples) < 60 else 0


sys.exit(main())
