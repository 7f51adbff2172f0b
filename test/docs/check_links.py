# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks that links between documents lead somewhere.

Usage: check_links.py ROOT

Every relative link in a Markdown file of the repository must name a file or
folder in it and, after '#', a heading there (its anchor as GitHub makes it) or
an <a id="...">.
"""

import pathlib
import re
import sys

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)", re.M)


def without_code(text):
    """The text with blocks of code emptied, so that line numbers stay."""
    return re.sub(r"^```.*?^```", lambda m: "\n" * m[0].count("\n"), text, flags=re.M | re.S)


def get_anchors(text):
    anchors = set(re.findall(r'<a id="([^"]+)">', text))
    seen = {}
    for heading in re.findall(r"^#+ (.*?)\s*$", without_code(text), re.M):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        count = seen[slug] = seen.get(slug, -1) + 1
        anchors.add(f"{slug}-{count}" if count else slug)
    return anchors


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files = [path for path in sorted(root.rglob("*.md"))
             if path.relative_to(root).parts[0] not in ("build", ".git")]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    failures = links = 0
    for path, text in texts.items():
        for match in LINK.finditer(without_code(text)):
            target = match[1] or match[2]
            if re.match(r"[a-z]+:", target):
                continue
            links += 1
            name, _, anchor = target.partition("#")
            file = (path.parent / name).resolve() if name else path
            line = text[: match.start()].count("\n") + 1
            where = f"{path.relative_to(root)}:{line}: error: link '{target}'"
            if not file.exists() or root not in (file, *file.parents):
                print(f"{where}: no such file")
                failures += 1
            elif anchor and file.suffix == ".md" and anchor not in get_anchors(texts[file]):
                print(f"{where}: no such heading")
                failures += 1
    print(f"{links} links in {len(files)} files")
    return 1 if failures or not links else 0


sys.exit(main())
