# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares the keys in docs/vae-run.md with those of real output.

    check-keys.py docs/vae-run.md OUTPUT.json...

Every key of an output must be documented for its command, with a type that
fits; every documented key must appear in one of the outputs.
"""

import json
import sys

TYPES = {
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "string": lambda value: type(value) is str,
    "null": lambda value: value is None,
    "object": lambda value: type(value) is dict,
    "list": lambda value: type(value) is list,
    "list of strings": lambda value: all(type(item) is str for item in value),
    "list of integers": lambda value: all(type(item) is int for item in value),
    "list of numbers": lambda value: all(type(item) in (int, float) for item in value),
    "list of two numbers": lambda value: len(value) == 2,
}


def read_tables(path):
    """{command: {key: type}} of the section on JSON; "All commands" for all."""
    tables, commands = {}, []
    with open(path, encoding="utf-8") as stream:
        text = stream.read().split("\n## JSON\n")[1]
    for line in text.splitlines():
        if line.startswith("### "):
            commands = line[4:].split(", ")
        elif line.startswith("| `"):
            key, kind = [cell.strip() for cell in line.split("|")[1:3]]
            for command in commands:
                tables.setdefault(command, {})[key.strip("`")] = kind
    return tables


def walk(value, prefix=""):
    """Pairs of key and value."""
    if type(value) is dict:
        for name, item in value.items():
            key = prefix + "." + name if prefix else name
            yield key, item
            yield from walk(item, key)
    elif type(value) is list:
        for item in value:
            if type(item) is dict:
                yield from walk(item, prefix + "[]")


def main(docs, *files):
    tables = read_tables(docs)
    everywhere = tables.pop("All commands")
    unseen = {(command, key) for command in tables for key in tables[command]}
    errors = []
    for file in files:
        with open(file, encoding="utf-8") as stream:
            output = json.load(stream)
        command = output["command"]
        known = {**everywhere, **tables[command]}
        for key, value in walk(output):
            if key not in known:
                errors.append("%s: '%s' of %s is not documented" % (file, key, command))
            elif not any(TYPES[kind](value) for kind in known[key].split(" or ")):
                errors.append("%s: '%s' is no %s: %r" % (file, key, known[key], value))
            unseen.discard((command, key))
        for key in everywhere:
            if key not in output:
                errors.append("%s: no '%s'" % (file, key))
    errors += ["'%s' of %s is documented, but in no output" % (key, command) for command, key in sorted(unseen)]
    sys.exit("\n".join(errors) or 0)


main(*sys.argv[1:])
