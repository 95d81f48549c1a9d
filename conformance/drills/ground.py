"""Disks to break: file systems on loop images and in memory, and the promise that all of it is undone.

Everything lives under one temporary directory that names the process that made it. `janitor` undoes what a drill
that was killed has left: it thaws, unmounts, detaches, kills that drill's servers and removes the directory. It
runs before every drill, and touches nothing whose maker is alive.
"""

import contextlib
import ctypes
import fcntl
import os
import pathlib
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

PREFIX = "holdall-torture-"
# _IOR('X', 125, __u32), and the flag "do not flush the log" (fs/ext4/ext4.h).
EXT4_IOC_SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
NO_LOG_FLUSH = 2
# A frozen file system is thawed by another process after this long, whatever happens to the drill.
FROZEN_AT_MOST = 60
BLKIO = pathlib.Path("/sys/fs/cgroup/blkio")


class Unavailable(Exception):
    """This machine does not allow the recipe."""


def call(*command, patience=60):
    """Runs a tool of the system; gives what it printed."""
    done = subprocess.run(command, capture_output=True, check=False, timeout=patience)
    if done.returncode != 0:
        raise OSError(f"{' '.join(map(str, command))}: {done.stderr.decode().strip()}")
    return done.stdout.decode()


def needs(*tools, root=True):
    """Raises Unavailable unless we are root and the tools are there."""
    if root and os.geteuid() != 0:
        raise Unavailable("needs root")
    for tool in tools:
        if not shutil.which(tool):
            raise Unavailable(f"needs {tool}")


def memory_directory():
    """Where images may lie in memory."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else tempfile.gettempdir()


def forget_caches():
    """Lets the next read come from the disk (or the image below a loop device)."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
        file.write("1")


class FileSystem:
    """A mounted file system. `path` is its mount point, `image` what lies below a loop device."""

    def __init__(self, path, image=None):
        self.path = path
        self.image = image
        self.thaw_watch = None

    def mount(self, *options):
        call("mount", "-o", ",".join(["loop", *options]), self.image, self.path)

    def device(self):
        """The loop device below."""
        for line in pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
            device, point, *_ = line.split(" ")
            if point == self.path:
                return device
        raise OSError(f"{self.path} is not mounted")

    def freeze(self):
        """From here on every write hangs; another process thaws it should we not."""
        self.thaw_watch = subprocess.Popen(
            ["sh", "-c", f"sleep {FROZEN_AT_MOST}; fsfreeze -u '{self.path}'"],
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        call("fsfreeze", "-f", self.path)

    def thaw(self):
        """Ends a freeze; harmless when there is none."""
        with contextlib.suppress(OSError):
            call("fsfreeze", "-u", self.path)
        if self.thaw_watch:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.thaw_watch.pid, signal.SIGKILL)
            self.thaw_watch.wait()
            self.thaw_watch = None

    def cut_power(self):
        """From here on the file system answers with I/O errors, and nothing more reaches the image."""
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)

    def unmount(self, lazy=False):
        """Takes it away; the directory below stays."""
        if lazy:
            call("umount", "-l", self.path)
            return
        for _ in range(50):  # the kernel may still be closing a killed server's files
            try:
                call("umount", self.path)
                return
            except OSError as reason:
                error = reason
                time.sleep(0.1)
        raise error


class Ground:
    """A temporary directory with volumes in it. A context manager: at its end nothing of it is left."""

    def __init__(self, name):
        self.path = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-{name}-")
        self.memory = None
        self.systems = []
        self.groups = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for system in self.systems:
            system.thaw()
        for group in self.groups:
            with contextlib.suppress(OSError):
                group.rmdir()
        clear(self.path)
        if self.memory:
            clear(self.memory)

    def directory(self, name):
        """A plain directory on the machine's own disk."""
        path = os.path.join(self.path, name)
        os.mkdir(path)
        return path

    def in_memory(self):
        """Our directory in memory, for images that should be quick."""
        if not self.memory:
            self.memory = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=memory_directory())
        return self.memory

    def loop(self, name, size, *, image_at=None, reserve=0):
        """An ext4 of `size` bytes in a loop device over an image in memory (or in the directory `image_at`)."""
        needs("mkfs.ext4", "mount")
        image = os.path.join(image_at or self.in_memory(), f"{name}.img")
        with open(image, "wb") as file:
            file.truncate(size)
        system = FileSystem(self.directory(name), image)
        call("mkfs.ext4", "-q", "-F", "-m", str(reserve), "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
        try:
            system.mount()
        except OSError as reason:
            raise Unavailable(f"needs loop devices ({reason})") from reason
        self.systems.append(system)
        os.rmdir(os.path.join(system.path, "lost+found"))
        return system

    def tmpfs(self, name, size):
        """A file system in memory."""
        needs("mount")
        system = FileSystem(self.directory(name))
        try:
            call("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", system.path)
        except OSError as reason:
            raise Unavailable(f"needs to mount tmpfs ({reason})") from reason
        self.systems.append(system)
        return system

    def group(self, controller, name):
        """A control group (version 1) of our own."""
        base = pathlib.Path("/sys/fs/cgroup") / controller
        if not (base / "cgroup.procs").exists():
            raise Unavailable(f"needs the control group {controller} of version 1")
        group = base / f"{PREFIX}{os.getpid()}-{name}"
        try:
            group.mkdir()
        except OSError as reason:
            raise Unavailable(f"needs to make control groups ({reason})") from reason
        self.groups.append(group)
        return group


def mounts_below(path):
    """Mount points at or below a path, deepest first."""
    lines = pathlib.Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    points = [line.split(" ")[1] for line in lines]
    return sorted((p for p in points if p == path or p.startswith(path + "/")), key=len, reverse=True)


def clear(path):
    """Unmounts what is below a directory of ours and removes it, never crossing into another file system."""
    assert os.path.basename(path).startswith(PREFIX), path
    for point in mounts_below(path):
        with contextlib.suppress(OSError):
            call("umount", point)
    for point in mounts_below(path):
        with contextlib.suppress(OSError):
            call("umount", "-l", point)
    for line in call("losetup", "-a").splitlines() if shutil.which("losetup") else []:
        device, _, rest = line.partition(":")
        if f"({path}/" in rest:
            with contextlib.suppress(OSError):
                call("losetup", "-d", device)
    if not mounts_below(path):
        shutil.rmtree(path, ignore_errors=True)


def janitor():
    """Undoes what drills that no longer run have left behind."""
    for base in {tempfile.gettempdir(), memory_directory()}:
        for path in pathlib.Path(base).glob(f"{PREFIX}*"):
            if _abandoned(path.name):
                for point in mounts_below(str(path)):
                    with contextlib.suppress(OSError):
                        call("fsfreeze", "-u", point)
                _kill_servers(str(path))
                clear(str(path))
    for path in pathlib.Path("/sys/fs/cgroup").glob(f"*/{PREFIX}*"):
        if _abandoned(path.name):
            with contextlib.suppress(OSError):
                path.rmdir()


def _abandoned(name):
    found = re.match(rf"{PREFIX}(\d+)-", name)
    return found is not None and not os.path.exists(f"/proc/{found[1]}")


def _kill_servers(path):
    """Servers that were given volumes in a directory of an abandoned drill."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        if "serve" in words and any(word.startswith(path + "/") for word in words):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
    time.sleep(0.2)


def die_with_parent():
    """In a child before it begins: it is killed when the drill dies (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
