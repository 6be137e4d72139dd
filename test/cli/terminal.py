"""Runs a command at a terminal of its own and talks to it, as a person would.

usage: terminal.py STEPS COMMAND [ARGS...]

STEPS is JSON: a list of [what to wait for (a regular expression), what to type then]. Everything that the command
wrote goes to standard output, and its exit code is this program's. It ends with 99 when something does not come.
"""
import json
import os
import pty
import re
import select
import sys
import time

WAIT_SECONDS = 60

steps = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[2], sys.argv[2:])

written = ""
seen = 0


def read(until):
    """More of what the command writes; False at its end, or when nothing comes."""
    global written
    ready, _, _ = select.select([terminal], [], [], max(0, until - time.monotonic()))
    if not ready:
        return False
    try:
        part = os.read(terminal, 65536)
    except OSError:
        return False
    written += part.decode("utf8", "replace")
    return len(part) > 0


for pattern, typed in steps:
    until = time.monotonic() + WAIT_SECONDS
    found = re.search(pattern, written[seen:])
    while found is None:
        if not read(until):
            sys.stdout.write(written)
            sys.stderr.write(f"{pattern} did not come")
            sys.exit(99)
        found = re.search(pattern, written[seen:])
    seen += found.end()
    os.write(terminal, typed.encode("utf8"))

until = time.monotonic() + WAIT_SECONDS
while read(until):
    pass
sys.stdout.write(written)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status))
