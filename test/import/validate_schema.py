# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Validates models against docs/model.schema.json.

Usage: validate_schema.py SCHEMA FOLDER

FOLDER holds models that the importer's tests used, name.json, and for those it
refused also its messages, name.errors. A model that the importer takes must be
valid. One that it refuses for a key or for the form of a value must not be: the
schema must find what an editor could have marked. Other errors (shapes, tensors,
graphs, malformed or duplicate keys) are beyond a schema.
"""

import json
import pathlib
import re
import sys

import jsonschema

# Messages about what a schema can see ...
VISIBLE = re.compile(
    r"unknown key|unknown type|unknown activation|key '.*' (is missing|is for kind|goes with"
    r"|needs an encoder|and key)|: expected |a reserved name|neither an encoder nor"
    r"|has format_version|expected the name of a|needs either key|has none; remove it"
    r"|goes with mode|goes with 'padding'|type '.*' takes|has no key 'inputs'"
    r"|takes positive numbers and at most|is the latent's name|exclude each other"
    r"|expected the layers 'mu'|needs the likelihood"
)
# ... except these.
INVISIBLE = re.compile(
    r"expected a multiple of|found 1e3$|expected a number that fits into 32 bits"
    r"|with low < high|: expected an array of numbers, or arrays of equal|holds NaN"
    r"|expected (mu|one number|'output)|expected \[|tensor '.*' has the (shape|type)"
)


def main():
    schema_path, folder = sys.argv[1:]
    schema = json.loads(pathlib.Path(schema_path).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    counts = {"taken": 0, "refused": 0, "beyond": 0}
    failures = []
    for path in sorted(pathlib.Path(folder).glob("*.json")):
        errors = path.with_suffix(".errors")
        message = errors.read_text(encoding="utf-8") if errors.exists() else None
        try:
            model = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            if message is None:
                failures.append(f"{path.name}: imported, but not JSON")
            continue
        found = next(iter(validator.iter_errors(model)), None)
        if message is None:
            counts["taken"] += 1
            if found:
                failures.append(f"{path.name}: imported, but not valid: {found.message[:300]}")
        elif VISIBLE.search(message) and not INVISIBLE.search(message):
            counts["refused"] += 1
            if not found:
                failures.append(f"{path.name}: valid, but refused: {message}")
        else:
            counts["beyond"] += 1
    print(f"{counts['taken']} models taken, {counts['refused']} refused for their form, "
          f"{counts['beyond']} for other reasons")
    for failure in failures:
        print("error:", failure)
    # Far below what there is; against a test that sees nothing.
    enough = counts["taken"] > 50 and counts["refused"] > 30
    if not enough:
        print("error: too few models")
    return 1 if failures or not enough else 0


sys.exit(main())
