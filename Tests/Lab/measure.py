#!/usr/bin/env python3
"""measure.py - what a program takes.

usage: measure.py FILE COMMAND [ARGUMENT]...

Runs the command, ends with its status, and writes JSON to FILE: `peak`, its greatest resident size
in MiB, and `processor`, its seconds of processor time.

The size of what has forked counts as the command's, at first; this is a small program.
"""

from __future__ import annotations

import json
import os
import sys

child = os.fork()
if child == 0:
    os.execv(sys.argv[2], sys.argv[2:])
_, status, used = os.wait4(child, 0)
with open(sys.argv[1], "w", encoding="ascii") as file:
    json.dump({"peak": used.ru_maxrss / 1024, "processor": used.ru_utime + used.ru_stime}, file)
sys.exit(os.waitstatus_to_exitcode(status) % 256)
