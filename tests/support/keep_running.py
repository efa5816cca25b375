"""Runs a command for as long as somebody holds the other end of our input.

Usage: keep_running.py DIRECTORY COMMAND…

The command gets a session of its own. When the input ends, for whatever reason, the command and
everything it started are killed. A line that came before the end means that the directory is
still needed; otherwise it is removed.
"""

import os
import shutil
import signal
import subprocess
import sys

directory, command = sys.argv[1], sys.argv[2:]
process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=directory, start_new_session=True)
needed = ""
try:
    needed = sys.stdin.readline()
finally:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if not needed:
        shutil.rmtree(directory, ignore_errors=True)
