#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""fake_manager.py SOCKET CMD...: a service manager in small, for tests.

Runs CMD with NOTIFY_SOCKET=SOCKET until it says READY=1, stops it, and runs it
again with the descriptors that it had stored, as LISTEN_FDS and LISTEN_FDNAMES
have it. Prints all that it was told until then, a line each, and how many
descriptors came with it, and afterwards what it was told meanwhile, without. Each
time that CMD is ready it writes a line to stdout and reads one from stdin before
it goes on.
"""

import ctypes
import fcntl
import os
import signal
import socket
import sys


def start(command, store, path):
    def child():
        os.environ["NOTIFY_SOCKET"] = path
        if store:
            for i, (_, fd) in enumerate(store):
                os.dup2(fd, 3 + i)
            os.environ["LISTEN_FDS"] = str(len(store))
            os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in store)
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


def same_file(a, b):
    """kcmp(2), by its number on x86-64, with KCMP_FILE."""
    pid = os.getpid()
    return ctypes.CDLL(None).syscall(312, pid, pid, 0, a, b) == 0


def keep(store, lines, fds):
    """What is stored is above all numbers that the next one will have it at.

    As systemd has it, an open file that is there already is not stored again,
    also by another name.
    """
    said = dict(line.split("=", 1) for line in lines if "=" in line)
    for fd in fds:
        if not any(same_file(fd, other) for _, other in store):
            store.append((said["FDNAME"],
                          fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)))
        os.close(fd)
    if "FDSTOREREMOVE" in said:
        for name, fd in [entry for entry in store if entry[0] == said["FDNAME"]]:
            os.close(fd)
            store.remove((name, fd))


def main():
    path, *command = sys.argv[1:]
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sock.settimeout(60)
    sock.bind("\0" + path[1:] if path[0] == "@" else path)
    store = []
    for _ in range(2):
        pid = start(command, store, path)
        ready = False
        while not ready:
            data, fds, _flags, _addr = socket.recv_fds(sock, 4096, 4)
            lines = data.decode().splitlines()
            for line in lines:
                print(line, len(fds), flush=True)
                ready |= line == "READY=1"
            keep(store, lines, fds)
        print("up", flush=True)
        sys.stdin.readline()
        os.kill(pid, signal.SIGTERM)
        _, status = os.waitpid(pid, 0)
        print("ended", os.waitstatus_to_exitcode(status), flush=True)
        while True:
            sock.settimeout(0.2)
            try:
                data, fds, _flags, _addr = socket.recv_fds(sock, 4096, 4)
                print(data.decode(), flush=True)
                keep(store, data.decode().splitlines(), fds)
            except TimeoutError:
                break
        sock.settimeout(60)


if __name__ == "__main__":
    main()
