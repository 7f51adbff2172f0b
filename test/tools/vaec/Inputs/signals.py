# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ends vaec by a signal while it has temporary files; they must be gone after.

    python3 signals.py [--ignored] SIGNAL...

With --ignored, vaec is started with the signals ignored, as nohup does, and must
finish.
"""
import os
import signal
import subprocess
import sys


def main():
    before = set(os.listdir("."))
    names = sys.argv[1:]
    ignored = names[0] == "--ignored"
    disposition = signal.SIG_IGN if ignored else signal.SIG_DFL
    for name in names[ignored:]:
        number = getattr(signal, name)
        # vaec may end between the look and the signal: try again.
        seen = False
        for _ in range(50):
            process = subprocess.Popen(
                ["vaec", "m.json", "-o", "m.so"],
                stderr=subprocess.DEVNULL,
                preexec_fn=lambda: signal.signal(number, disposition),
            )
            while process.poll() is None:
                if set(os.listdir(".")) - before - {"m.so"}:
                    seen = True
                    process.send_signal(number)
                    break
            code = process.wait()
            left = set(os.listdir(".")) - before - {"m.so"}
            if left:
                print(f"{name}: left behind: {sorted(left)}")
                return 1
            if seen and code == (0 if ignored else -number):
                break
        else:
            print(f"{name}: vaec was never caught with a temporary file")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
