#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the hand-over protocol that shares no code with iommufdctl.

handover.py PATH ACTION [ARG]...

  fd            takes the descriptor and prints where it leads
  ioas          takes it, makes an IOAS through it by a plain ioctl, prints the id
  row COUNT     that many clients, one after the other
  crowd COUNT   that many at once: none answers before all have theirs
  mute SECONDS  connects, takes nothing, says nothing, prints whether it was hung
                up on within that time
  insist        tries until it has been served
  hangup        takes it and hangs up without the answer
  bytes         prints what came as hexadecimal, and how many descriptors
"""

import fcntl
import os
import select
import socket
import struct
import sys
import time

IOMMU_IOAS_ALLOC = 0x3B81


def connect(path):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(60)
    sock.connect(path)
    return sock


def take(sock):
    data, fds, _flags, _addr = socket.recv_fds(sock, 16, 4)
    assert data == b"\0", data
    assert len(fds) == 1, fds
    return fds[0]


def client(path):
    sock = connect(path)
    fd = take(sock)
    sock.sendall(b"\0")
    sock.close()
    return fd


def insist(path):
    try:
        client(path)
    except (OSError, AssertionError):
        return False
    return True


def crowd(path, count):
    socks = [connect(path) for _ in range(count)]
    fds = [take(sock) for sock in socks]
    for sock in socks:
        sock.sendall(b"x")
    # The holder hangs up on each when it has heard it.
    for sock in socks:
        assert sock.recv(1) == b""
    return fds


def main():
    path, action, *args = sys.argv[1:]
    if action == "fd":
        print(os.readlink(f"/proc/self/fd/{client(path)}"))
    elif action == "ioas":
        command = bytearray(struct.pack("III", 12, 0, 0))
        fcntl.ioctl(client(path), IOMMU_IOAS_ALLOC, command)
        print(struct.unpack("III", command)[2])
    elif action == "row":
        for _ in range(int(args[0])):
            os.close(client(path))
    elif action == "crowd":
        print(len(crowd(path, int(args[0]))))
    elif action == "mute":
        sock = connect(path)
        poll = select.poll()
        poll.register(sock, select.POLLRDHUP)
        print("dropped" if poll.poll(float(args[0]) * 1000) else "kept")
    elif action == "insist":
        while not insist(path):
            time.sleep(0.01)
    elif action == "hangup":
        sock = connect(path)
        os.close(take(sock))
    elif action == "bytes":
        sock = connect(path)
        data, fds, _flags, _addr = socket.recv_fds(sock, 16, 4)
        print(data.hex(), len(fds))
    else:
        sys.exit(f"what is '{action}'?")


if __name__ == "__main__":
    main()
