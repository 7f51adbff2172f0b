# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles m.json with standard error on a terminal, and slowly: vaec is stopped
for more than the two seconds after which it shows its progress.

    python3 progress.py

Succeeds if a bar with a stage was shown, and taken away in the end.
"""
import os
import pty
import re
import signal
import subprocess
import sys
import time


def read_all(terminal):
    text = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # the other side is closed
            return text
        if not piece:
            return text
        text += piece


def main():
    terminal, other = pty.openpty()
    process = subprocess.Popen(["vaec", "m.json", "-O3", "-o", "m.so"], stderr=other)
    os.close(other)
    time.sleep(0.1)
    process.send_signal(signal.SIGSTOP)
    time.sleep(2.2)
    process.send_signal(signal.SIGCONT)
    text = read_all(terminal).decode()
    code = process.wait()
    erase = "\r\x1b[K"
    shown = re.findall(re.escape(erase) + r"\[#*\.*\] ([a-z]+) \d+\.\d s", text)
    print("stages shown:", sorted(set(shown)))
    assert code == 0, code
    assert shown, repr(text)
    assert text.endswith(erase), repr(text)


if __name__ == "__main__":
    sys.exit(main())
