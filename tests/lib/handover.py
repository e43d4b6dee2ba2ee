#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the hand-over protocol that shares no code with iommufdctl.

handover.py PATH ACTION [ARG]...

  fd            takes the descriptor and prints where it leads
  ioas          takes it, makes an IOAS through it by a plain ioctl, prints the id
  mode          takes it, prints its rlimit mode, or the errno's name
  bind DEVICE   at descriptor 3 and DEVICE there are a context and a VFIO device:
                binds the one to the other and prints its id; PATH is not used
  row COUNT     that many clients, one after the other
  crowd COUNT   that many at once: none answers before all have theirs
  mute SECONDS  connects, takes nothing, says nothing, prints whether it was hung
                up on within that time
  insist        tries until it has been served
  hangup        takes it and hangs up without the answer
  bytes         prints what came as hexadecimal, and how many descriptors
"""

import errno
import fcntl
import os
import select
import socket
import struct
import sys
import time

IOMMU_IOAS_ALLOC = 0x3B81
IOMMU_OPTION = 0x3B87
VFIO_DEVICE_BIND_IOMMUFD = 0x3B76


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
    elif action == "mode":
        # size, RLIMIT_MODE, GET, reserved, object, value
        command = bytearray(struct.pack("=IIHHIQ", 24, 0, 1, 0, 0, 9))
        try:
            fcntl.ioctl(client(path), IOMMU_OPTION, command)
            print(struct.unpack("=IIHHIQ", command)[5])
        except OSError as err:
            print(errno.errorcode[err.errno])
    elif action == "bind":
        command = bytearray(struct.pack("=IIiI", 16, 0, 3, 0))
        fcntl.ioctl(int(args[0]), VFIO_DEVICE_BIND_IOMMUFD, command)
        print(struct.unpack("=IIiI", command)[3])
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
