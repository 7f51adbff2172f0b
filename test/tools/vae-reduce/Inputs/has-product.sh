#!/bin/sh
# Interesting (1 in the protocol of mlir-reduce): a product is left.
grep -q 'vae.mul' "$1" && exit 1
exit 0
