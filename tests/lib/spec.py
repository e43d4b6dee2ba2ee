#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""spec.py SPEC: the constants that a netlink spec defines, "NAME VALUE" a line,
and "NAME TEXT" of its family and groups."""
import sys

import yaml


def c_name(*parts):
    return "".join(parts).replace("-", "_").upper()


def main():
    spec = yaml.safe_load(open(sys.argv[1]))
    prefix = spec["name"] + "-nl-"
    print(c_name(spec["c-family-name"]), '"%s"' % spec["name"])
    print(c_name(spec["c-version-name"]), spec.get("version", 1))
    for definition in spec["definitions"]:
        for value, entry in enumerate(definition["entries"]):
            print(c_name(definition["name-prefix"], entry), value)
    for attrs in spec["attribute-sets"]:
        value = 0
        for attr in attrs["attributes"]:
            value = attr.get("value", value + 1)
            print(c_name(attrs["name-prefix"], attr["name"]), value)
        print(c_name(attrs["name-prefix"], "max"), value)
    value = 0
    operations = spec["operations"]
    for op in operations["list"]:
        value = op.get("value", value + 1)
        print(c_name(operations["name-prefix"], op["name"]), value)
        # what is used is defined
        known = {a["name"] for s in spec["attribute-sets"]
                 if s["name"] == op["attribute-set"] for a in s["attributes"]}
        for part in ("do", "dump"):
            for side in op.get(part, {}).values():
                assert set(side["attributes"]) <= known, (op["name"], part)
        assert set(op.get("event", {}).get("attributes", [])) <= known
    print(c_name(operations["name-prefix"], "max"), value)
    for group in spec["mcast-groups"]["list"]:
        print(c_name(prefix, "mcgrp-", group["name"]), '"%s"' % group["name"])


main()
