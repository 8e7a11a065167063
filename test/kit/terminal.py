"""Runs a command in a pseudo-terminal.

terminal.py COLUMNS ROWS COMMAND [ARGUMENT ...]

What the command writes comes out of standard output, what arrives on standard input is typed, and each line
"COLUMNS ROWS" on descriptor 3 changes the size of the window. Ends with the exit code of the command, 128 + n for
signal n. When standard input ends, the terminal is hung up.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios


def set_size(terminal, columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def write_all(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]


def pass_on(master):
    """Passes on what the command wrote. False once there can be no more."""
    try:
        data = os.read(master, 65536)
    except OSError:
        return False
    write_all(1, data)
    return data != b""


def drain(master):
    while select.select([master], [], [], 0)[0]:
        if not pass_on(master):
            return


def main():
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    go, ready = os.pipe()
    child, master = pty.fork()
    if child == 0:
        os.close(ready)
        os.read(go, 1)
        os.close(3)
        os.environ.pop("PYTHONCOERCECLOCALE", None)
        try:
            os.execvp(sys.argv[3], sys.argv[3:])
        except OSError as error:
            sys.stderr.write(f"{sys.argv[3]}: {error.strerror}\n")
            os._exit(127)
    os.close(go)
    set_size(master, columns, rows)
    os.close(ready)
    watched = [master, 0, 3, woken]
    sizes = b""
    while True:
        readable, _, _ = select.select(watched, [], [])
        if master in readable and not pass_on(master):
            watched.remove(master)
        if 0 in readable:
            typed = os.read(0, 65536)
            if not typed:
                break
            write_all(master, typed)
        if 3 in readable:
            data = os.read(3, 65536)
            if not data:
                watched.remove(3)
            *lines, sizes = (sizes + data).split(b"\n")
            for line in lines:
                set_size(master, *map(int, line.split()))
        if woken in readable:
            os.read(woken, 65536)
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended == child:
                drain(master)
                code = os.waitstatus_to_exitcode(status)
                sys.exit(code if code >= 0 else 128 - code)
    os.close(master)
    sys.exit(129)


main()
