#!/usr/bin/env python3
"""Runs the tests of the remote half, a few files at a time; words are said of what fails only.

usage: run.py [FILE]...       python3 -m unittest test_links in this directory does one as usual

EC2SH_LONG=1 takes every place to cut at and many more seeds. EC2SH_REMOTE_LOG=FILE (which all
may write to) has what the remote half would have said of a fault of its own, in some tests.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent


def run(name):
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-B", "-W", "ignore", "-m", "unittest", name], cwd=HERE,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return name, done.returncode, done.stdout.decode(errors="replace"), time.monotonic() - began


def main():
    names = sys.argv[1:] or sorted(path.stem for path in HERE.glob("test_*.py"))
    names = [pathlib.Path(name).stem for name in names]
    # The longest first.
    names.sort(key=lambda name: name not in ("test_links", "test_cost", "test_files"))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor((os.cpu_count() or 1) + 1) as pool:
        for name, status, words, seconds in pool.map(run, names):
            lines = [line for line in words.splitlines() if line.strip(".sEFx")]
            told = [line for line in lines if "not on this machine" in line or "without root" in line
                    or line.startswith(("Ran ", "OK", "FAILED"))]
            print(f"remote {name}: {'; '.join(told)} ({seconds:.0f} s)")
            if status:
                failed += 1
                print(words)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
