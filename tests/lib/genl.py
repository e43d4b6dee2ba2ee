#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks the generic netlink family "iommufd" in raw messages, right or wrong.

  genl.py ask COMMAND [dump] [small] [ATTR...] [-- COMMAND ...]...
        prints a JSON object a line: {"attrs": [[number, "hex"], ...],
        "flags": [...]} for each message, then {"end": errno or null,
        "text": ext-ack or null, "intr": true or false}
  genl.py ids [ATTR...]
        dumps objects in small portions; prints their ids, a line each, and at
        the end "whole" or "interrupted"
  genl.py stall COMMAND [ATTR...]
        begins a dump, reads one datagram of it, says so, and waits to be told
        on standard input to go on; then prints the number of messages, the
        errno or None, and whether it said that it was interrupted
  genl.py join                  joins the group of events; prints an errno, or 0
  genl.py loop SECONDS          dumps all objects, over and over; prints how often
  genl.py sweep                 asks for nonsense of every sort

COMMAND is a number. ATTR is N:u32:VALUE, N:u64:VALUE, N:str:TEXT or N:hex:BYTES,
N its number.
"""
import errno
import os
import socket
import struct
import sys
import time

NETLINK_GENERIC, GENL_ID_CTRL = 16, 16
NETLINK_ADD_MEMBERSHIP, NETLINK_CAP_ACK, NETLINK_EXT_ACK = 1, 10, 11
SOL_NETLINK = 270
REQUEST, ACK, DUMP = 1, 4, 0x300
MULTI, DUMP_INTR, ACK_TLVS, CAPPED = 2, 0x10, 0x200, 0x100
ERROR, DONE = 2, 3


def errno_name(code):
    # Linux has two names for it, and Python knows the other one.
    if code == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"
    return errno.errorcode[code]


def as_json(value):
    # Half of the time that this file takes to load, and most commands do without.
    import json
    return json.dumps(value)


def attr(number, payload):
    data = struct.pack("=HH", 4 + len(payload), number) + payload
    return data + b"\0" * (-len(data) % 4)


def attrs_of(data):
    found = []
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        if length < 4 or length > len(data):
            break
        found.append((number & 0x3FFF, data[4:length]))
        data = data[(length + 3) & ~3:]
    return found


class Genl:
    def __init__(self, small=False):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW,
                                  NETLINK_GENERIC)
        self.sock.bind((0, 0))
        self.sock.setsockopt(SOL_NETLINK, NETLINK_EXT_ACK, 1)
        self.sock.setsockopt(SOL_NETLINK, NETLINK_CAP_ACK, 1)
        self.room = 4096 if small else 65536
        self.seq = 0
        self.family = GENL_ID_CTRL
        reply = dict(self.ask(3, attr(2, b"iommufd\0"))[0][0]["raw"])
        self.family = struct.unpack("=H", reply[1])[0]
        self.group = struct.unpack(
            "=I", dict(attrs_of(attrs_of(reply[7])[0][1]))[2])[0]

    def send(self, command, body=b"", flags=ACK):
        self.seq += 1
        header = struct.pack("=BBH", command, 1, 0)
        message = struct.pack("=IHHII", 16 + len(header) + len(body),
                              self.family, REQUEST | flags, self.seq, 0)
        self.sock.send(message + header + body)

    def receive(self):
        """Messages of one datagram, and the end if it is in it."""
        data = self.sock.recv(self.room)
        messages, end = [], None
        while len(data) >= 16:
            length, kind, flags, seq, _ = struct.unpack_from("=IHHII", data)
            body, data = data[16:length], data[(length + 3) & ~3:]
            if seq != self.seq:
                continue
            if kind in (ERROR, DONE):
                code = -struct.unpack_from("=i", body)[0]
                at = 4
                if kind == ERROR:
                    at = 20 if flags & CAPPED or not code else \
                        4 + struct.unpack_from("=I", body, 4)[0]
                text = None
                if flags & ACK_TLVS:
                    text = dict(attrs_of(body[at:])).get(1)
                end = {"end": errno_name(code) if code else None,
                       "text": text and text.rstrip(b"\0").decode(),
                       "intr": bool(flags & DUMP_INTR)}
            else:
                messages.append({"raw": attrs_of(body[4:]), "flags": [
                    name for name, bit in (("multi", MULTI),
                                           ("intr", DUMP_INTR))
                    if flags & bit]})
        return messages, end

    def finish(self):
        messages, end = [], None
        while not end:
            more, end = self.receive()
            messages += more
        end["intr"] |= any("intr" in m["flags"] for m in messages)
        return messages, end

    def ask(self, command, body=b"", dump=False):
        self.send(command, body, DUMP if dump else ACK)
        return self.finish()


def parse_attr(word):
    number, kind, value = word.split(":", 2)
    payload = {"u32": lambda: struct.pack("=I", int(value)),
               "u64": lambda: struct.pack("=Q", int(value)),
               "str": lambda: value.encode() + b"\0",
               "hex": lambda: bytes.fromhex(value)}[kind]()
    return attr(int(number), payload)


def cmd_ask(words):
    while "--" in words:
        cmd_ask(words[:words.index("--")])
        words = words[words.index("--") + 1:]
    command = int(words.pop(0))
    options = [w for w in words if w in ("dump", "small")]
    body = b"".join(parse_attr(w) for w in words if w not in options)
    messages, end = Genl("small" in options).ask(command, body,
                                                 "dump" in options)
    for m in messages:
        print(as_json({"attrs": [[n, p.hex()] for n, p in m["raw"]],
                       "flags": m["flags"]}))
    print(as_json(end))


def cmd_ids(words):
    messages, end = Genl(small=True).ask(2, b"".join(map(parse_attr, words)),
                                         True)
    assert end["end"] is None, end
    for m in messages:
        print(struct.unpack("=I", dict(m["raw"])[3])[0])
    print("interrupted" if end["intr"] else "whole")


class Stalled:
    """A dump of which one datagram has been read."""

    def __init__(self, command, *words):
        self.genl = Genl(small=True)
        self.genl.send(int(command), b"".join(map(parse_attr, words)), DUMP)
        self.messages, self.end = self.genl.receive()

    def finish(self):
        if not self.end:
            more, self.end = self.genl.finish()
            self.messages += more
        self.end["intr"] |= any("intr" in m["flags"] for m in self.messages)
        print(len(self.messages), self.end["end"], self.end["intr"], flush=True)


def cmd_stall(words):
    dump = Stalled(*words)
    print("stalled", flush=True)
    sys.stdin.readline()
    dump.finish()


def cmd_join(words):
    try:
        genl = Genl()
        genl.sock.setsockopt(SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, genl.group)
        print(0)
    except OSError as e:
        print(errno_name(e.errno))


def cmd_loop(words):
    genl = Genl()
    end_at = time.monotonic() + float(words[0])
    rounds = 0
    while time.monotonic() < end_at:
        end = genl.ask(2, dump=True)[1]
        assert end["end"] is None, end
        rounds += 1
    print(rounds)


def cmd_sweep(words):
    """Every attribute of both requests: missing, of each length, twice."""
    genl = Genl()
    right = {1: {2: struct.pack("=Q", 1)},
             2: {2: struct.pack("=Q", 1), 3: struct.pack("=I", 1),
                 4: b"ioas\0", 5: struct.pack("=I", 1)},
             3: {2: struct.pack("=Q", 1), 3: struct.pack("=I", 1),
                 4: struct.pack("=I", 1)}}
    silent, accepted, asked = [], [], 0

    def expect_refusal(what, command, body, dump):
        nonlocal asked
        asked += 1
        messages, end = genl.ask(command, body, dump)
        if not end["end"]:
            accepted.append(what)
        elif not end["text"]:
            silent.append((what, end["end"]))

    for command, known in right.items():
        # ranges come as a dump only
        for dump in (True,) if command == 3 else (False, True):
            for number in range(0, 40):
                for length in list(range(0, 24)) + [255, 4000, 30000]:
                    payload = b"\xff" * length
                    ok = known.get(number)
                    if ok and (command, number) != (2, 4) and \
                            length == len(ok):
                        continue
                    expect_refusal((command, dump, number, length), command,
                                   attr(number, payload), dump)
                if number in known:
                    twice = attr(number, known[number]) * 2
                    expect_refusal((command, dump, number, "twice"), command,
                                   twice, dump)
                    nested = attr(number | 0x8000, known[number])
                    expect_refusal((command, dump, number, "nested"),
                                   command, nested, dump)
            # cut in the middle, and longer than the message
            for junk in (b"\x01", b"\x08\0\x02", b"\xff\xff\x02\0", b"\0" * 4):
                expect_refusal((command, dump, "junk", junk.hex()), command,
                               junk, dump)
        expect_refusal((command, "nothing"), command, b"", command == 3)
    expect_refusal("kind", 3, attr(2, right[3][2]) + attr(3, right[3][3]) +
                   attr(4, struct.pack("=I", 4)), True)
    for command in (0, 4, 5, 6, 7, 8, 255):
        for dump in (False, True):
            messages, end = genl.ask(command, b"", dump)
            asked += 1
            if not end["end"]:
                accepted.append(("command", command, dump))
    print(as_json({"asked": asked, "accepted": accepted,
                   "silent": silent}))


if __name__ == "__main__":
    globals()["cmd_" + sys.argv[1]](sys.argv[2:])
