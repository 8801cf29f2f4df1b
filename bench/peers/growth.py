# SPDX-License-Identifier: Apache-2.0
"""How time grows with the number of rows, beside what the plan estimated: `paperkin bench --growth`."""
import json
import subprocess

ROWS = "16k:128k"  # doubled from the first to the second


def measure(compared):
    """What it printed, or None; without a limit once it has begun."""
    if compared.leave_out("growth"):
        return None
    compared.note("growth")
    made = subprocess.run([str(compared.bin / "paperkin"), "bench", "--growth", compared.arguments.growth, "-t", "0.5", "--repeat", "1", "--json", "--threads",
                           str(compared.threads)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        compared.notes.append(f"growth: {made.stderr.strip()}")
        return None
    return json.loads(made.stdout)
