# SPDX-License-Identifier: MIT
"""Runs that are started from real Jupyter kernels: one rank, said so, and gone with the kernel.

Started by notebook.sh with the folder that leeway was built in. A server on the loopback gives
kernels; cells start runs in all the ways that notebooks do. This process is a subreaper, so that
whatever a run leaves behind ends up here and is counted.
"""

import ctypes
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
import zlib

from jupyter_client import BlockingKernelClient

LEEWAY = sys.argv[1] + "/leeway"
HERE = os.environ["TMPDIR"]
SLOW = 4 if os.environ.get("SANITIZERS") else 1
GONE_S = 5 * SLOW  # nothing of a run may be left after this
WAIT_S = 120 * SLOW  # for anything that has no deadline of its own
TINY = ("d_model=16 num_layers=1 num_heads=1 max_seq_len=16 batch_size=2 threads=1 epochs=1000 "
        "strategy=ddp devices=2")
LONG = TINY + " max_steps=100000000"

# Open MPI keeps much to the end: a leak of its is none of ours.
OWN_LEAKS = ("os.environ['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + "
             "':detect_leaks=0'")

failures = 0


def check(good, what):
    global failures
    if not good:
        failures += 1
        print("FAIL:", what, flush=True)


def until(condition, limit=WAIT_S):
    """Seconds until the condition holds; None past the limit.

    The limit counts in looks of 50 ms as well: a machine that has no time for us has none for what
    we wait for."""
    began, looks = time.monotonic(), 0
    while True:
        if condition():
            return time.monotonic() - began
        looks += 1
        if time.monotonic() - began > limit and looks * 0.05 > limit:
            return None
        time.sleep(0.05)


def subreaper(on):
    ctypes.CDLL(None).prctl(36, int(on), 0, 0, 0)


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def processes(folder):
    """Command lines of living processes that have this folder among their words."""
    reap()
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                words = f.read().decode(errors="replace").split("\0")
        except OSError:
            continue
        if int(pid) != os.getpid() and folder in words:
            found.append(" ".join(words))
    return found


def ranks(folder):
    return [p for p in processes(folder) if " --rank " in p and "mpirun" not in p.split()[0]]


def running(folder):
    try:
        with open(folder + "/status.json") as f:
            return json.load(f)["state"] == "running"
    except (OSError, ValueError):
        return False


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """jupyter-notebook with a folder of its own."""

    def __init__(self):
        self.log = open(HERE + "/server.log", "a+")
        self.process = subprocess.Popen(
            ["/usr/bin/python3", "/usr/bin/jupyter-notebook", "--no-browser", "--allow-root",
             "--ip=127.0.0.1", f"--port={free_port()}", "--NotebookApp.token=secret",
             "--notebook-dir=" + HERE],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, start_new_session=True)
        self.url = None
        if until(self.find) is None:
            self.end()
            sys.exit("FAIL: the server does not come up")

    def end(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def find(self):
        path = f"{HERE}/runtime/nbserver-{self.process.pid}.json"
        try:
            with open(path) as f:
                self.url = json.load(f)["url"]
            return self.ask("GET", "api/kernels") is not None
        except (OSError, ValueError):
            return False

    def ask(self, method, path):
        request = urllib.request.Request(self.url + path, method=method, data=b"{}"
                                         if method == "POST" else None,
                                         headers={"Authorization": "token secret"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=WAIT_S) as answer:
            return json.loads(answer.read() or b"null")


class Kernel:
    """A kernel of the server, and cells that are run in it."""

    def __init__(self, server):
        self.server = server
        self.id = server.ask("POST", "api/kernels")["id"]
        self.client = BlockingKernelClient(
            connection_file=f"{HERE}/runtime/kernel-{self.id}.json")
        self.client.load_connection_file()
        self.client.start_channels()
        if until(self.is_ready) is None:
            sys.exit("FAIL: a kernel does not come up")
        self.pid = int(self.output("import os; print(os.getpid())"))

    def is_ready(self):
        try:
            self.client.wait_for_ready(timeout=WAIT_S)
            return True
        except RuntimeError:  # where the machine is busy, a heart that is late counts as dead
            return False

    def output(self, cell):
        """What a cell prints."""
        text = []

        def take(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                text.append(content["text"])
            elif message["msg_type"] == "error":
                text.append("\n".join(content["traceback"]))

        self.client.execute_interactive(cell, timeout=WAIT_S, output_hook=take)
        return "".join(text)

    def begin(self, cell):
        """A cell that goes on."""
        self.client.execute(cell)


def is_told(text, how):
    for line in ("notebook parent found: pid", "strategy 'ddp' -> 'auto' (1 device)",
                 "set ALLOW_NOTEBOOK_DDP=1 to keep 'ddp'."):
        check(line in text, f"{how}: nothing of \"{line}\" in: {text}")


def starts_are_told(server):
    """Every way a cell starts a run: the warning is on its output, and the run ends well."""
    kernel = Kernel(server)
    train = f"{LEEWAY} train {TINY} max_steps=2 --run-dir {HERE}/told"
    ways = {
        "!": f"!{train}-shell",
        "%%bash": f"%%bash\n{train}-bash 2>&1",
        "subprocess": "import subprocess\n"
                      f"print(subprocess.run('{train}-run'.split(), stdout=subprocess.PIPE, "
                      "stderr=subprocess.STDOUT, text=True).stdout)",
        "Popen": "import subprocess\n"
                 f"p = subprocess.Popen('{train}-popen'.split(), stdout=subprocess.PIPE, "
                 "stderr=subprocess.STDOUT, text=True, start_new_session=True)\n"
                 "print(p.communicate()[0])",
    }
    for how, cell in ways.items():
        text = kernel.output(cell)
        is_told(text, how)
        check("finished: 2 steps" in text, f"{how}: it does not end well: {text}")
        check("\x1b[?1049h" not in text, f"{how}: the console opened in a cell")
    with open(HERE + "/told-shell/config.yaml") as f:
        text = f.read()
    check("\nstrategy: auto" in text and "\ndevices: 1" in text, "config.yaml: " + text)
    check("# guard: notebook" in text and "ipykernel_launcher" in text, "config.yaml: " + text)
    text = kernel.output(f"!ALLOW_NOTEBOOK_DDP=on {train}-on")
    check("ALLOW_NOTEBOOK_DDP='on' not understood" in text, "override: " + text)
    text = kernel.output(f"!{LEEWAY} doctor --strict >/dev/null; echo exit $?")
    check("exit 3" in text, "doctor --strict: " + text)
    server.ask("DELETE", "api/kernels/" + kernel.id)


def nbconvert_is_told():
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
            "source": f"!{LEEWAY} train {TINY} max_steps=2 --run-dir {HERE}/converted"}
    with open(HERE + "/book.ipynb", "w") as f:
        json.dump({"cells": [cell], "metadata": {"kernelspec": {
            "name": "python3", "display_name": "p", "language": "python"}},
            "nbformat": 4, "nbformat_minor": 5}, f)
    done = subprocess.run(["/usr/bin/python3", "/usr/bin/jupyter-nbconvert", "--to", "notebook",
                           "--execute", "--stdout", HERE + "/book.ipynb"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_S)
    try:
        outputs = json.loads(done.stdout)["cells"][0]["outputs"]
    except ValueError:
        check(False, "nbconvert: " + done.stderr)
        return
    is_told("".join("".join(o.get("text", "")) for o in outputs), "nbconvert")


def the_run_ends_with(server, act, environment="", world=1):
    """A run from a cell's ! and one in a session of its own, then the kernel ends."""
    kernel = Kernel(server)
    shell, popen = (f"{HERE}/{act.replace(' ', '-')}-{world}-{way}" for way in ("shell", "popen"))
    kernel.output("import os, subprocess\n" + environment +
                  f"\np = subprocess.Popen('{LEEWAY} train {LONG} --run-dir {popen}'.split(), "
                  "start_new_session=True)")
    kernel.begin(f"!{LEEWAY} train {LONG} --run-dir {shell}")
    for folder in (shell, popen):
        if until(lambda: running(folder)) is None:
            check(False, f"{act}: {folder} does not run")
            return
        check(len(ranks(folder)) == world, f"{act}: ranks of {folder}: {ranks(folder)}")
    if act == "restart":
        server.ask("POST", f"api/kernels/{kernel.id}/restart")
    elif act == "shutdown":
        server.ask("DELETE", "api/kernels/" + kernel.id)
    elif act == "kill -9 kernel":
        os.kill(kernel.pid, signal.SIGKILL)
    else:
        subreaper(False)  # a kernel knows that its server is gone by its parent: process 1
        os.kill(server.process.pid, signal.SIGKILL)
    took = until(lambda: not processes(shell) and not processes(popen), GONE_S)
    check(took is not None, f"{act}: still there: {processes(shell) + processes(popen)}")
    if took is not None:
        print(f"{act}, ranks {world}: nothing is left after {took:.1f} s", flush=True)


def a_run_may_outlive_its_kernel(server):
    kernel = Kernel(server)
    folder = HERE + "/outlives"
    text = kernel.output(f"!{LEEWAY} train {LONG} --run-dir {folder} --detach --outlive-kernel")
    check("which this run outlives" in text, "outlive: " + text)
    if until(lambda: running(folder)) is None:
        check(False, "outlive: it does not run: " + text)
        return
    server.ask("DELETE", "api/kernels/" + kernel.id)
    check(until(lambda: not os.path.exists(f"/proc/{kernel.pid}")) is not None, "the kernel stays")

    def step():
        with open(folder + "/status.json") as f:
            return json.load(f)["step"]

    before = step()
    check(until(lambda: step() > before) is not None, "outlive: the run stands still")
    subprocess.run([LEEWAY, "stop", folder], stdout=subprocess.DEVNULL, timeout=WAIT_S)
    check(until(lambda: not processes(folder)) is not None, "outlive: it does not stop")


def pixels(path):
    """Rows of (red, green, blue) of a PNG without interlacing."""
    with open(path, "rb") as f:
        data = f.read()
    width, height = struct.unpack(">II", data[16:24])
    channels = {2: 3, 6: 4}[data[25]]
    packed, at = b"", 8
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b"IDAT" else b""
        at += 12 + size
    raw, stride = zlib.decompress(packed), width * channels
    rows, above = [], bytes(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for i in range(stride):
            left = row[i - channels] if i >= channels else 0
            corner = above[i - channels] if i >= channels else 0
            guess = left + above[i] - corner
            paeth = min((left, above[i], corner), key=lambda c: abs(guess - c))
            row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2, paeth)[kind]) & 255
        rows.append([tuple(row[i:i + 3]) for i in range(0, stride, channels)])
        above = row
    return rows


def all_together(server):
    """What a careful person would ask for, from a notebook: it must just work."""
    kernel = Kernel(server)
    folder = HERE + "/together"
    text = kernel.output(f"!{LEEWAY} train {TINY} attention=tiled compile_mode=default "
                         f"drift_every=20 evaluate_every=20 max_steps=80 --run-dir {folder}")
    is_told(text, "all together")
    check("finished: 80 steps" in text, "all together: it does not end well: " + text)
    with open(folder + "/events.log") as f:
        events = f.read()
    check("Tiled attention on for 1 layer" in events, "all together: no tiled attention")
    with open(folder + "/drift.csv") as f:
        check(len(f.readlines()) > 10, "all together: drift was not watched")
    if not os.path.exists(os.path.dirname(LEEWAY) + "/libleeway-picture.la"):
        return
    picture = HERE + "/together.png"
    text = kernel.output(f"!{LEEWAY} export {folder} --png {picture} --size 12x9 --dpi 50")
    check(os.path.exists(picture), "all together: no picture: " + text)
    rows = pixels(picture)
    height, width = len(rows), len(rows[0])
    panels = [(x / 4, (x + 1) / 4, top, low) for top, low in ((.07, .38), (.38, .68))
              for x in range(4)] + [(0, .5, .69, 1), (.5, 1, .69, 1)]
    for number, (left, right, top, low) in enumerate(panels, 1):
        ink = sum(1 for row in rows[int(top * height):int(low * height)]
                  for pixel in row[int(left * width):int(right * width)] if min(pixel) < 200)
        check(ink > 100, f"all together: panel {number} of the picture is empty ({ink} points)")
    server.ask("DELETE", "api/kernels/" + kernel.id)


def main():
    subreaper(True)
    os.environ.update(PATH="/usr/local/bin:/usr/bin:/bin", HOME=HERE, IPYTHONDIR=HERE + "/ipython",
                      JUPYTER_RUNTIME_DIR=HERE + "/runtime", JUPYTER_CONFIG_DIR=HERE + "/config",
                      JUPYTER_DATA_DIR=HERE + "/data", OMP_WAIT_POLICY="passive")
    os.environ.pop("ALLOW_NOTEBOOK_DDP", None)
    server = Server()
    try:
        starts_are_told(server)
        nbconvert_is_told()
        all_together(server)
        a_run_may_outlive_its_kernel(server)
        the_run_ends_with(server, "restart")
        the_run_ends_with(server, "shutdown", "os.environ['LEEWAY_NO_PIDFD'] = '1'")
        the_run_ends_with(server, "kill -9 kernel")
        if (len(os.sched_getaffinity(0)) > 1 and shutil.which("mpirun") and
                os.path.exists(os.path.dirname(LEEWAY) + "/libleeway-mpi.so")):
            the_run_ends_with(server, "kill -9 kernel",
                              "os.environ['ALLOW_NOTEBOOK_DDP'] = 'Yes'\n" + OWN_LEAKS, world=2)
        the_run_ends_with(server, "kill -9 server")
    finally:
        for run in os.listdir(HERE):
            if processes(f"{HERE}/{run}"):
                subprocess.run([LEEWAY, "stop", f"{HERE}/{run}"], stdout=subprocess.DEVNULL)
        server.end()
    if failures:
        server.log.seek(0)
        print(server.log.read()[-3000:])
    sys.exit(1 if failures else 0)


main()
