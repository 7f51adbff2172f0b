# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Compiles onto a file system of 2 MB, in a mount namespace of its own; does
# nothing where that is not allowed. The result has 2.6 MB.
unshare --mount --map-root-user true 2>/dev/null || exit 0
exec unshare --mount --map-root-user bash -c '
mkdir -p disk && mount -t tmpfs -o size=2m none disk || exit 0
echo old > disk/m.so
vaec m.json -o disk/m.so 2> error
[ $? = 1 ] || { echo "exit code not 1"; exit 1; }
grep -q "^disk/m.so: error: cannot be written: No space left on device$" error || { cat error; exit 1; }
[ "$(ls -A disk)" = m.so ] && [ "$(cat disk/m.so)" = old ] || { ls -la disk; exit 1; }
'
