#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""server.py DIR: answers what tests ask, for as long as it is let, since in an
emulated machine to start Python takes a second or more.

A request is a line in the pipe DIR/ask: TOKEN, a kind, and arguments, all with a
tab behind. The answer goes to the pipe DIR/answer: text, a line with a status, a
line with the TOKEN, and a NUL. Who starts it makes both first, so that who asks
early waits. Kinds, and what their statuses and texts are:

  schema FILE SCHEMA [POINTER]   validate.py with FILE for its input
  genl ARG...                    genl.py ask ARG...
  ids ARG...                     genl.py ids ARG...
  stall ARG...                   begins what genl.py stall ARG... does
  go on                          ends that; any other request drops it
"""

import contextlib
import io
import sys

import genl


def schema(name, path, pointer=""):
    # Takes seconds in an emulated machine, and is asked for by the tool's tests only.
    import validate
    with open(name, encoding="utf-8") as file:
        lines = validate.problems(path, pointer, file.read())
    print(*lines, sep="\n")
    return 1 if lines else 0


def ask(*words):
    genl.cmd_ask(list(words))
    return 0


def ids(*words):
    genl.cmd_ids(list(words))
    return 0


def stall(*words):
    global stalled
    stalled = genl.Stalled(*words)
    return 0


def go_on(_):
    stalled.finish()
    return 0


KINDS = {"schema": schema, "genl": ask, "ids": ids, "stall": stall, "go": go_on}
stalled = None


def answer(kind, words):
    global stalled
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        try:
            status = KINDS[kind](*words)
        except Exception as err:  # the test's fault: it is to hear of it
            print(f"{type(err).__name__}: {err}")
            status = 1
    if kind != "stall":
        # A dump that a test has left would keep the module in use.
        stalled = None
    return f"{text.getvalue().rstrip()}\n{status}"


def main():
    folder = sys.argv[1]
    while True:
        with open(f"{folder}/ask", encoding="utf-8") as requests:
            for request in requests:
                token, kind, *words = request.rstrip("\n\t").split("\t")
                reply = answer(kind, words)
                # Who asked may be gone, and then it is the next who reads this.
                with contextlib.suppress(BrokenPipeError), \
                        open(f"{folder}/answer", "w", encoding="utf-8") as out:
                    out.write(f"{reply}\n{token}\0")


if __name__ == "__main__":
    main()
