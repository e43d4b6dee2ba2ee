#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""validate.py SCHEMA [POINTER]: is the JSON value on stdin valid under it?"""

import json
import sys

import jsonschema


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    if len(sys.argv) > 2:
        # A schema of its own that points there, so that references from the
        # part to other parts still resolve.
        schema = {**schema, "$ref": sys.argv[2]}
    text = sys.stdin.read()
    try:
        value = json.loads(text)
    except ValueError as err:
        print(f"not JSON: {err}\noutput:\n{text}")
        return 1
    errors = list(jsonschema.Draft202012Validator(schema).iter_errors(value))
    for err in errors:
        where = "/".join(str(part) for part in err.absolute_path) or "top"
        print(f"at {where}: {err.message}")
    if errors:
        print(f"output:\n{text}")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
