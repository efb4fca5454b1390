"""A worker in Python, with the standard library alone: one step of work at a time, only while its pod holds the lock.

The rule: a clear "yes" of the lock API allows to act until its deadline and no longer. Whatever else comes back, and
above all nothing, means "not the leader". The token goes with every write, and the resource refuses an older one.

time.monotonic_ns() is CLOCK_MONOTONIC on Linux, the clock of deadlineMonotonicNs, and the containers of a pod share it.

TENURE_URL: the lock API. STORE_URL: what the work writes to.
"""

import json
import os
import signal
import time
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

TENURE = os.environ.get("TENURE_URL", "http://127.0.0.1:4040")
STORE = os.environ.get("STORE_URL", "http://127.0.0.1:8080/")
NOBODY = {"isLeader": False, "reason": "unanswered"}

stopping = False


def stop(_signal, _frame):
    global stopping
    stopping = True


def ask(path="/leader"):
    """The answer of the lock API. A 503 has the same JSON as a 200; everything else is the same as a "no"."""
    try:
        with urlopen(f"{TENURE}{path}", timeout=2) as response:
            return json.load(response)
    except HTTPError as error:
        try:
            answer = json.load(error)
            return answer if "isLeader" in answer else NOBODY
        except (OSError, ValueError, HTTPException):
            return NOBODY
    except (OSError, ValueError, HTTPException):
        return NOBODY


def resign():
    """ "I have stopped." 409 says that there was nothing to give back."""
    try:
        urlopen(Request(f"{TENURE}/resign", method="POST"), timeout=5).close()
    except (OSError, HTTPException):
        pass


def step(token, left_s, text):
    """One step of work; the request is given up at the deadline."""
    headers = {"Fencing-Token": str(token)}
    try:
        urlopen(Request(STORE, data=text.encode(), headers=headers, method="PUT"), timeout=left_s).close()
    except (OSError, HTTPException) as error:
        print(f"step failed: {error}", flush=True)


def main():
    signal.signal(signal.SIGTERM, stop)
    steps = 0
    # [readme]
    while not stopping:
        answer = ask()
        if answer["isLeader"]:
            left_ns = int(answer["deadlineMonotonicNs"]) - time.monotonic_ns()
            if left_ns > 0:
                steps += 1
                step(answer["token"], left_ns / 1e9, f"{answer['self']} step {steps}")
        elif answer["reason"] == "draining":
            resign()  # no step is under way here, so this is true: "I have stopped"
        elif "index" in answer:
            ask(f"/leader?index={answer['index']}&wait=1s")  # returns early when something changes
            continue
        time.sleep(0.1)
    resign()
    # [/readme]


main()
