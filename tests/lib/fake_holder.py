#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fake_holder.py PATH WHAT: listens at PATH and does one client wrong.

WHAT is what the client gets: nothing (the connection, and no more), closed,
nofd (the byte alone), byte1 (another byte with FILE's descriptor), two (the
byte with two), wrong (with one that is no iommufd). $FILE is a file that
passes for an iommufd. Prints "ready" when it listens, and then what the client
answered.
"""

import os
import socket
import sys
import time


def main():
    path, what = sys.argv[1:]
    good = os.open(os.environ["FILE"], os.O_RDWR)
    bad = os.open("/dev/null", os.O_RDWR)
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()
    print("ready", flush=True)
    sock, _ = server.accept()
    if what == "nothing":
        time.sleep(60)
    elif what == "nofd":
        sock.sendall(b"\0")
    elif what == "byte1":
        socket.send_fds(sock, [b"\1"], [good])
    elif what == "two":
        socket.send_fds(sock, [b"\0"], [good, good])
    elif what == "wrong":
        socket.send_fds(sock, [b"\0"], [bad])
    if what != "closed":
        print("answer", sock.recv(16).hex(), flush=True)


if __name__ == "__main__":
    main()
