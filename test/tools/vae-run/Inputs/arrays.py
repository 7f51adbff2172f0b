# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes and prints array files, with nothing but Python's own library.

    arrays.py write FILE TYPE SHAPE VALUES...   FILE: .npy .idx .idx.gz .png
    arrays.py npz FILE NAME=FILE.npy...
    arrays.py print FILE...                     FILE: .npy .npz .png

TYPE is f4, f8, f2, u1, i4, ...; SHAPE is 2,3; fewer VALUES repeat. A .png of
TYPE u1 has shape H,W or H,W,3.
"""

import gzip
import itertools
import struct
import sys
import zipfile
import zlib

CODES = {"f2": "e", "f4": "f", "f8": "d", "u1": "B", "i1": "b", "u2": "H",
         "i2": "h", "i4": "i", "u4": "I", "i8": "q", "u8": "Q", "b1": "?"}  # fmt: skip
IDX = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}
PNG = b"\x89PNG\r\n\x1a\n"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def npy(kind, shape, values):
    text = "{'descr': '<%s', 'fortran_order': False, 'shape': (%s), }" % (
        kind,
        "".join("%d, " % size for size in shape),
    )
    text += " " * (-(len(text) + 11) % 64) + "\n"
    head = b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text.encode()
    return head + struct.pack("<%d%s" % (len(values), CODES[kind]), *values)


def idx(kind, shape, values):
    head = struct.pack(">BBBB%dI" % len(shape), 0, 0, IDX[kind], len(shape), *shape)
    return head + struct.pack(">%d%s" % (len(values), CODES[kind]), *values)


def png(shape, values):
    height, width = shape[:2]
    row = len(values) // height
    rows = b"".join(b"\0" + bytes(values[y * row : y * row + row]) for y in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 2 if len(shape) == 3 else 0, 0, 0, 0)
    return PNG + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(file, kind, shape, *values):
    shape = [int(size) for size in shape.split(",")] if shape else []
    convert = float if kind[0] == "f" else int
    count = 1
    for size in shape:
        count *= size
    values = list(itertools.islice(itertools.cycle(map(convert, values)), count))
    if file.endswith(".png"):
        data = png(shape, values)
    elif ".idx" in file:
        data = idx(kind, shape, values)
    else:
        data = npy(kind, shape, values)
    with open(file, "wb") as out:
        out.write(gzip.compress(data) if file.endswith(".gz") else data)


def parse_npy(data):
    assert data[:6] == b"\x93NUMPY" and data[6] == 1, data[:8]
    start = 10 + struct.unpack("<H", data[8:10])[0]
    header = eval(data[10:start].decode(), {})  # a literal that we wrote
    assert header["descr"] == "<f4" and not header["fortran_order"] and start % 64 == 0, header
    return header["shape"], [value for (value,) in struct.iter_unpack("<f", data[start:])]


def parse_png(data):
    """8 bits, no interlace."""
    position, packed = len(PNG), b""
    while position < len(data):
        size, kind = struct.unpack(">I4s", data[position : position + 8])
        body = data[position + 8 : position + 8 + size]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            packed += body
        position += 12 + size
    bytes_a_pixel = {0: 1, 2: 3}[color]
    assert depth == 8
    step = width * bytes_a_pixel
    rows, above = zlib.decompress(packed), bytes(step)
    image = []
    for y in range(height):
        kind, row = rows[y * (step + 1)], bytearray(rows[y * (step + 1) + 1 : (y + 1) * (step + 1)])
        for i in range(step):
            a = row[i - bytes_a_pixel] if i >= bytes_a_pixel else 0
            c = above[i - bytes_a_pixel] if i >= bytes_a_pixel else 0
            b = above[i]
            paeth = min((abs(b - c), 0, a), (abs(a - c), 1, b), (abs(a + b - 2 * c), 2, c))[2]
            row[i] = (row[i] + (0, a, b, (a + b) // 2, paeth)[kind]) & 255
        image.append(bytes(row))
        above = row
    return (height, width) + ((3,) if color == 2 else ()), image


def show(name, shape, values):
    print(name, list(shape), *("%.5g" % (value + 0.0) for value in values))


def main(command, *arguments):
    if command == "write":
        write(*arguments)
    elif command == "npz":
        with zipfile.ZipFile(arguments[0], "w", zipfile.ZIP_DEFLATED) as archive:
            for argument in arguments[1:]:
                name, file = argument.split("=")
                archive.write(file, name + ".npy")
    else:
        for file in arguments:
            with open(file, "rb") as stream:
                data = stream.read()
            if file.endswith(".npz"):
                with zipfile.ZipFile(file) as archive:
                    assert archive.testzip() is None
                    for name in archive.namelist():
                        show(name[:-4], *parse_npy(archive.read(name)))
            elif file.endswith(".png"):
                shape, image = parse_png(data)
                print("png", list(shape))
                for row in image:
                    print(*row)
            else:
                show("npy", *parse_npy(data))


main(*sys.argv[1:])
