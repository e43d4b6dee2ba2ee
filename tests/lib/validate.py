#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""validate.py SCHEMA [POINTER]: is the JSON value on stdin valid under it?"""

import functools
import json
import sys

import jsonschema


# Checked once for all values that a server (server.py) is asked about: in an emulated
# machine it takes a second, and a value milliseconds.
@functools.lru_cache
def checked_schema(path):
    with open(path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    return schema


def problems(path, pointer, text):
    """The lines that say what is wrong; none if it is valid."""
    schema = checked_schema(path)
    if pointer:
        # A schema of its own that points there, so that references from the
        # part to other parts still resolve.
        schema = {**schema, "$ref": pointer}
    try:
        value = json.loads(text)
    except ValueError as err:
        return [f"not JSON: {err}", "output:", text]
    lines = []
    for err in jsonschema.Draft202012Validator(schema).iter_errors(value):
        where = "/".join(str(part) for part in err.absolute_path) or "top"
        lines.append(f"at {where}: {err.message}")
    return lines + ["output:", text] if lines else []


def main():
    lines = problems(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "",
                     sys.stdin.read())
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
