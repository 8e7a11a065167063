"""
Runs a command and writes what it took as one line of JSON to descriptor 3: measured.py [--memory] [--terminal] COMMAND ...

Wall seconds until the command has ended; CPU seconds of all processes that it started, also of those that outlive their
parents, which this process adopts; with --memory the peak resident MB of the command itself (`own`) and of all processes
that were there at once, added up (`all`). With --terminal its output is a terminal of 100 × 30 that is read and dropped.
"""

import ctypes, fcntl, json, os, pty, resource, struct, subprocess, sys, termios, threading, time

PR_SET_CHILD_SUBREAPER = 36
EVERY_SECONDS = 0.1


def descendants(pid):
    """This process and all below it."""
    found = [pid]
    for each in found:
        try:
            for task in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{task}/children") as file:
                    found.extend(int(child) for child in file.read().split())
        except OSError:
            pass  # It has ended.
    return found


def peak_kb(pid):
    """The largest resident size that it ever had."""
    try:
        with open(f"/proc/{pid}/status") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


class Memory(threading.Thread):
    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.own, self.all = pid, 0, 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(EVERY_SECONDS):
            peaks = [peak_kb(pid) for pid in descendants(self.pid)]
            self.own = max(self.own, peaks[0])
            self.all = max(self.all, sum(peaks))


def drop(descriptor):
    try:
        while os.read(descriptor, 65536):
            pass
    except OSError:
        pass  # Its other side is closed.


def main():
    words = sys.argv[1:]
    options = set()
    while words[0].startswith("--"):
        options.add(words.pop(0))
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    output = None
    if "--terminal" in options:
        reader, output = pty.openpty()
        fcntl.ioctl(output, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        threading.Thread(target=drop, args=(reader,), daemon=True).start()
    before = time.monotonic()
    child = subprocess.Popen(words, stdout=output, stderr=output)
    memory = Memory(child.pid)
    if "--memory" in options:
        memory.start()
    # Not waited for with `child.wait`, which would take away what is still to be read of it.
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    wall = time.monotonic() - before
    memory.ended.set()
    code = child.wait()
    try:
        while True:
            os.wait()
    except ChildProcessError:
        pass  # Nothing is left.
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = {"code": code, "seconds": wall, "cpu": usage.ru_utime + usage.ru_stime}
    took.update(own=memory.own / 1024, all=memory.all / 1024)
    os.write(3, json.dumps(took).encode())


main()
