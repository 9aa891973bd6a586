"""The floor of an unchanged run: lists a tree with os.scandir and asks for size and time of every file.

python bare_walk.py FOLDER
"""

import os
import sys


def walk(folder: bytes) -> tuple[int, int]:
    """Files below the folder, and their bytes."""
    files = size_bytes = 0
    waiting = [folder]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                state = entry.stat(follow_symlinks=False)
                files += 1
                size_bytes += state.st_size
    return files, size_bytes


if __name__ == "__main__":
    print(*walk(os.fsencode(sys.argv[1])))
