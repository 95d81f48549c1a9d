#!/usr/bin/env python3
"""Power loss that tears and reorders: of what was not flushed, any part may be there, in any order.

    conformance/drills/torn.py            10 cycles
    conformance/drills/torn.py --short    2 cycles

As power.py, but the disk below ext4 is a process of ours (blocks.py): it knows which blocks the kernel has
flushed, and at the cut keeps a random choice of the others, some of them only up to a sector. What is left is
what a real disk with a write cache may leave. Needs root, loop devices and FUSE.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

from drill import options
from power import call
from power import drill_on
from power import skip

IMAGE_BYTES = 2 * 1024**3
HERE = pathlib.Path(__file__).resolve().parent


class TornDisk:
    """An ext4 file system on a loop device on our own disk."""

    def __init__(self, work, memory):
        self.image = os.path.join(memory, "disk.img")
        self.below = os.path.join(work, "below")
        self.mount_point = os.path.join(work, "mnt")
        self.process = None
        self.device = None
        self.fates = [0, 0, 0]
        os.mkdir(self.below)
        os.mkdir(self.mount_point)
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        call("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=0,lazy_journal_init=0", self.image)

    def mount(self):
        self.process = subprocess.Popen([sys.executable, str(HERE / "blocks.py"), self.below, self.image],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "mounted":
            raise OSError("FUSE cannot be mounted")
        self.device = subprocess.run(["losetup", "--find", "--show", os.path.join(self.below, "disk")],
                                     capture_output=True, check=True).stdout.decode().strip()
        call("mount", self.device, self.mount_point)

    def cut_power(self, seed):
        self.process.stdin.write(f"cut {seed}\n")
        self.process.stdin.flush()
        counts = self.process.stdout.readline().split()
        self.fates = [total + int(count) for total, count in zip(self.fates, counts)]

    def unmount(self):
        """All three layers; what the kernel still wants to write is refused by now."""
        for command in (["umount", self.mount_point], ["losetup", "-d", self.device], ["umount", self.below]):
            for attempt in range(50):
                if subprocess.run(command, capture_output=True, check=False).returncode == 0:
                    break
                if attempt == 40 and command[0] == "umount":
                    command.insert(1, "-l")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.1)
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def main():
    arguments = options(__doc__.split("\n", maxsplit=1)[0], cycles=10, short=2)
    if os.geteuid() != 0:
        return skip("needs root, to mount a loop device")
    if not os.path.exists("/dev/fuse"):
        return skip("needs FUSE")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="holdall-torn-", ignore_cleanup_errors=True) as work, \
            tempfile.TemporaryDirectory(prefix="holdall-torn-", dir=memory, ignore_cleanup_errors=True) as image:
        try:
            disk = TornDisk(work, image)
            disk.mount()
        except OSError as reason:
            return skip(f"needs loop devices and FUSE ({reason})")
        result = drill_on(disk, work, arguments)
        kept, torn, lost = disk.fates
        print(f"of the blocks written and not flushed, {kept} kept, {torn} torn, {lost} lost")
        return result


if __name__ == "__main__":
    sys.exit(main())
