#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fake_manager.py SOCKET CMD...: a service manager in small, for tests.

Runs CMD with NOTIFY_SOCKET=SOCKET until it says READY=1, stops it, and runs it
again with the descriptor that it had stored as LISTEN_FDS has it. Prints all
that it was told, a line each, and how many descriptors came with it. Each time
that CMD is ready it writes a line to stdout and reads one from stdin before it
goes on.
"""

import os
import signal
import socket
import sys


def start(command, store, path):
    def child():
        os.environ["NOTIFY_SOCKET"] = path
        if store is not None:
            os.dup2(store, 3)
            os.environ["LISTEN_FDS"] = "1"
            os.environ["LISTEN_FDNAMES"] = "iommufd"
            os.environ["LISTEN_PID"] = str(os.getpid())
        # not env=, which would be made before the fork
        os.execvpe(command[0], command, os.environ)

    pid = os.fork()
    if pid == 0:
        try:
            child()
        finally:
            os._exit(125)
    return pid


def main():
    path, *command = sys.argv[1:]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(60)
    sock.bind("\0" + path[1:] if path[0] == "@" else path)
    store = None
    for _ in range(2):
        pid = start(command, store, path)
        ready = False
        while not ready:
            data, fds, _flags, _addr = socket.recv_fds(sock, 4096, 4)
            for line in data.decode().splitlines():
                print(line, len(fds), flush=True)
                ready |= line == "READY=1"
            for fd in fds:
                store = os.dup(fd) if fd == 3 else fd
        print("up", flush=True)
        sys.stdin.readline()
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
        while True:
            sock.settimeout(0.2)
            try:
                print(sock.recv(4096).decode(), flush=True)
            except TimeoutError:
                break
        sock.settimeout(60)


if __name__ == "__main__":
    main()
