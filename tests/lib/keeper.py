#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of a holder's socket NAME.dev that shares no code with iommufdctl.

keeper.py PATH REQUEST [FILE]...   sends REQUEST, with descriptors of the FILEs
                                   (as "-" none), and prints the answer and, if
                                   a descriptor came with it, the file's name
keeper.py PATH mute SECONDS        connects, says that, and nothing to the
                                   other side, and prints whether it
                                   was hung up on within that time
"""

import os
import select
import socket
import sys


def main():
    path, request, *files = sys.argv[1:]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.settimeout(30)
    sock.connect(path)
    if request == "mute":
        print("connected", flush=True)
        poll = select.poll()
        poll.register(sock, select.POLLRDHUP)
        print("dropped" if poll.poll(float(files[0]) * 1000) else "kept")
        return
    fds = [os.open(name, os.O_RDONLY) for name in files]
    socket.send_fds(sock, [request.encode()], fds)
    for fd in fds:
        os.close(fd)
    try:
        data, fds, _flags, _addr = socket.recv_fds(sock, 64, 4)
    except ConnectionResetError:
        data, fds = b"", []
    names = [os.path.basename(os.readlink(f"/proc/self/fd/{fd}")) for fd in fds]
    print(" ".join([data.decode() or "nothing", *names]))


if __name__ == "__main__":
    main()
