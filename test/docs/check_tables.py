# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compares tables of the documents with what they describe.

Usage: check_tables.py ROOT FOLDER

A table is found by the comment before it, "<!-- table of NAME -->". FOLDER is
for temporary files. vaec is found by name.
"""

import json
import pathlib
import re
import struct
import subprocess
import sys

ROOT, FOLDER = map(pathlib.Path, sys.argv[1:])

MODEL = {
    "format_version": 1,
    "name": "tables",
    "dynamic": {"height": {"multiple": 2}},
    "inputs": [{"name": "x", "shape": [1, "height", 2], "range": [0, 1]}],
    "encoder": {"layers": [
        {"name": "mu", "type": "conv2d", "filters": 1, "kernel_size": 1, "bias": False,
         "activation": "relu", "weights": {"kernel": [[[[2]]]]}}]},
    "latent": {"kind": "gaussian", "mu": "mu", "logvar": "mu", "scale": 2},
    "decoder": {"layers": [{"name": "y", "type": "dropout"}]},
    "likelihood": {"kind": "gaussian"},
    "prior": {"kind": "normal", "std": 2},
}


# So that there are measured times to report.
TUNING = """vaec-tuning 1
conv2d 1x1x128x2 1x1x1x1 1x1x128x2 1x1 1x1 0x0x0x0 1 direct direct=1
"""

# Several, so that everything there is to say of them is said.
CPUS = "--mcpu=x86-64-v3,x86-64-v4"


def read(path):
    return (ROOT / path).read_text(encoding="utf-8")


def get_table(path, name):
    """The rows of a table, each a list of cells."""
    match = re.search(rf"^<!-- table of {re.escape(name)} -->\n((?:\|.*\n)+)", read(path), re.M)
    if not match:
        sys.exit(f"{path}: error: no table of {name}")
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in match[1].splitlines()[2:]]
    return [[cell.replace("\\|", "|").strip() for cell in row] for row in rows]


def get_code(cell):
    return re.findall(r"`([^`]+)`", cell)


def compare(what, documented, actual):
    """Both are collections of the same kind; returns the number of differences."""
    differences = 0
    for item in documented:
        if item not in actual:
            print(f"{what}: error: {item} is documented, but does not exist")
            differences += 1
    for item in actual:
        if item not in documented:
            print(f"{what}: error: {item} is not documented")
            differences += 1
    return differences


def run(*command, code=0):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != code:
        sys.exit(f"{' '.join(map(str, command))}: expected exit code {code}, "
                 f"found {result.returncode}\n{result.stderr}")
    return result.stdout


def check_statuses():
    rows = get_table("docs/c-api.md", "vae_status.def")
    documented = [(get_code(name)[0], int(value), text) for name, value, text in rows]
    actual = [(f"VAE_{name}", int(value), text) for name, value, text in re.findall(
        r'^VAE_STATUS\((\w+), (\d+),\s*"(.*)"\)', read("runtime/include/vae/vae_status.def"), re.M)]
    return compare("status codes", documented, actual)


def check_roles():
    rows = get_table("docs/c-api.md", "roles")
    documented = [(get_code(name)[0], int(value), text) for name, value, text in rows]
    actual = [(name.lower(), int(value), text) for name, value, text in re.findall(
        r"VAE_ROLE_(\w+) = (\d+),?\s*/\* (.*?) \*/", read("runtime/include/vae/vae_abi.h"))]
    return compare("roles", documented, actual)


def check_functions():
    section = read("docs/c-api.md").split("\n## Functions\n")[1].split("\n## ")[0]
    documented = re.findall(r"`(vae_\w+)`", section)
    actual = re.findall(r"^VAE_API [\w\s*]*?(vae_\w+)\(", read("runtime/include/vae/vae_runtime.h"),
                        re.M)
    return compare("functions", documented, actual)


def check_stages():
    documented = [(get_code(name)[0], text) for name, text in get_table("docs/cli.md", "Stages.def")]
    actual = [(name, "".join(re.findall(r'"(.*?)"', text))) for name, text in re.findall(
        r'^VAE_STAGE\("(\w+)",\s*\w+,\s*((?:"[^"]*"\s*)+)\)', read("compiler/pipeline/Stages.def"),
        re.M)]
    return compare("stages", documented, actual)


def check_keras():
    source = read("compiler/import/keras/Layers.def")
    text = r'((?:"[^"]*"\s*)+)'
    layers = [tuple("".join(re.findall(r'"(.*?)"', part)) for part in row) for row in re.findall(
        rf'^KERAS_LAYER\({text}, \w+, \d+, \d+,\s*{text},\s*(?:"[^"]*"\s*)+,\s*{text}\)',
        source, re.M)]
    documented = [(get_code(name)[0], " ".join(get_code(options)), rest)
                  for name, options, rest in get_table("docs/import-keras.md", "KERAS_LAYER")]
    functions = re.findall(r'^KERAS_ACTIVATION\("(\w+)", "(\w*)", ([\d.]+), (\d)\)', source, re.M)
    functions = [(name, kind or "none", ", ".join(
        [f"slope {slope}"] * (slope != "0") + [f"Keras {version}"] * (version != "0")))
        for name, kind, slope, version in functions]
    named = [(get_code(name)[0], kind.strip("`"), rest)
             for name, kind, rest in get_table("docs/import-keras.md", "KERAS_ACTIVATION")]
    return compare("layers of Keras", documented, layers) + compare("activations of Keras", named, functions)


def check_diffusers():
    classes = re.findall(r"^VAE_FAMILY\((\w+),", read("compiler/import/diffusers/Families.def"), re.M)
    documented = [get_code(row[0])[0] for row in get_table("docs/import-diffusers.md", "VAE_FAMILY")]
    return compare("classes of diffusers", documented, classes)


def compare_options(path, *command):
    name = " ".join([*command, "--help"])
    documented = [option for row in get_table(path, name)
                  for option in get_code(row[0])]
    actual = []
    for line in run(*command, "--help").splitlines():
        match = re.match(r"  (-[^ ]*)", line)
        if match:
            actual += [re.sub(r"[^\w-].*", "", option) for option in match[1].split(",")]
    return compare(f"options of {name}", documented, actual)


def check_options():
    return compare_options("docs/cli.md", "vaec") + compare_options("docs/calibration.md", "vaec", "calibrate")


def check_ranges():
    """Methods and head of a range table."""
    rows = get_table("docs/calibration.md", "RangeMethods.def")
    documented = [(get_code(name)[0], text) for name, text, _ in rows]
    source = re.sub(r"\n\s+", " ", read("compiler/calibrate/RangeMethods.def"))
    actual = re.findall(r'^VAE_RANGE_METHOD\(\w+, "(.*?)", "(.*?)"\)', source, re.M)
    (FOLDER / "tables.json").write_text(json.dumps(MODEL))
    data = FOLDER / "x.npy"
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 2, 2), }".ljust(117) + "\n"
    data.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + bytes(16))
    text = run("vaec", "calibrate", FOLDER / "tables.json", "--data", data, "-o", "-")
    found = [line.split()[0] for line in text.split("\ntensor ")[0].splitlines() if line[0] != "#"]
    lines = [get_code(row[0])[0] for row in get_table("docs/calibration.md", "the head of range tables")]
    return compare("methods of ranges", documented, actual) + compare("lines of a range table", lines, found)


def check_kinds():
    documented = [name for row in get_table("docs/recipes.md", "PrecisionKinds.def") for name in get_code(row[0])]
    actual = re.findall(r'^VAE_PRECISION_KIND\(\w+, "(.*?)"', read("compiler/recipe/PrecisionKinds.def"), re.M)
    return compare("kinds of layers", documented, actual)


def get_keys(value, prefix=""):
    """The paths of all keys: "entries[].name"."""
    if isinstance(value, list):
        return {key for item in value for key in get_keys(item, f"{prefix}[]")}
    if not isinstance(value, dict):
        return set()
    keys = set()
    for key, child in value.items():
        path = f"{prefix}.{key}" if prefix else key
        keys |= {path} | get_keys(child, path)
    return keys


def read_note(path):
    """The content of the first ELF note of owner vae."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for i in range(count):
        kind, _, begin, _, _, length = struct.unpack_from("<IIQQQQ", data, offset + i * size)
        if kind == 4:  # PT_NOTE
            owner, text, _ = struct.unpack_from("<III", data, begin)
            if data[begin + 12:begin + 12 + owner] == b"vae\0":
                start = begin + 12 + (owner + 3) // 4 * 4
                return json.loads(data[start:start + text])
    sys.exit(f"{path}: error: no note")


def compile_model(*options):
    model, library = FOLDER / "tables.json", FOLDER / "tables.so"
    model.write_text(json.dumps(MODEL), encoding="utf-8")
    run("vaec", model, "-o", library, *options)
    return library


def check_note():
    documented = [key for row in get_table("docs/c-api.md", "note keys") for key in get_code(row[0])]
    keys = set()
    for key in get_keys(read_note(compile_model(CPUS))):
        # Described once for inputs and outputs; objects of the model format.
        key = key.replace("entries[].outputs[].", "entries[].inputs[].")
        keys.add(re.sub(r"^(likelihood|prior|latent_scaling)\..*", r"\1", key))
    keys.remove("versions")  # described by its parts
    return compare("keys of the note", documented, keys)


def check_report():
    documented = [key for row in get_table("docs/cli.md", "report keys") for key in get_code(row[0])]
    report, tuning = FOLDER / "report.json", FOLDER / "tables.tune"
    tuning.write_text(TUNING, encoding="utf-8")
    compile_model(CPUS, f"--report={report}", f"--tuned={tuning}", "--prune=channels:0")
    keys = get_keys(json.loads(report.read_text(encoding="utf-8")))
    # Arrays and objects are described by their parts, except formulas.
    leaves = {key for key in keys
              if not any(other.startswith((f"{key}.", f"{key}[]")) for other in keys)}
    keys = {re.sub(r"\.(formula|values\[\]\.\w+)$", "", key) for key in leaves}
    return compare("keys of the report", documented, keys)


def check_exit_codes():
    run("vaec", "--version", code=0)
    run("vaec", FOLDER / "no-such-model.json", code=1)
    run("vaec", "--no-such-option", code=2)
    return 0


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    checks = [check_statuses, check_roles, check_functions, check_stages, check_options, check_ranges, check_kinds,
              check_keras, check_diffusers, check_note, check_report, check_exit_codes]
    return 1 if sum(check() for check in checks) else 0


sys.exit(main())
