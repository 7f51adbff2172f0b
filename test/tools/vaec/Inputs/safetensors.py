# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a safetensors file with any header, right or wrong.

    python3 safetensors.py FILE HEADER BYTES [LENGTH]

BYTES zero bytes of data follow HEADER. LENGTH is what the file claims as the
header's length; by default the truth. HEADER may begin with @: a file with it.
"""
import struct
import sys

path, header, size = sys.argv[1:4]
if header.startswith("@"):
    with open(header[1:], "rb") as file:
        header = file.read()
else:
    header = header.encode()
length = int(sys.argv[4]) if len(sys.argv) > 4 else len(header)
with open(path, "wb") as file:
    file.write(struct.pack("<Q", length) + header + bytes(int(size)))
