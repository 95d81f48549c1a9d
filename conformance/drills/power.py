#!/usr/bin/env python3
"""Power loss under load: what was not synced is gone, and still nothing acknowledged is.

    conformance/drills/power.py            20 cycles
    conformance/drills/power.py --short    2 cycles

The volume is an ext4 file system in a loop device over a file of 2 GiB. ext4's shutdown ioctl, without
a flush of its journal, cuts it off in an instant: whatever was not synced until then never was. The
server sees I/O errors (and must acknowledge no write that is sent from then on), is killed, the file
system is mounted anew and everything is read. An answer counts as an acknowledgement if it came before
the cut: a sync that is under way at that moment can still report success, which with real power nobody
would have heard. Needs root and loop devices; says so and passes where there are none.
"""

import contextlib
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

from drill import Drill
from drill import options
from server import Server
from server import binary

# _IOR('X', 125, __u32), and the flag "do not flush the log" (fs/ext4/ext4.h).
EXT4_IOC_SHUTDOWN = 2 << 30 | 4 << 16 | ord("X") << 8 | 125
NO_LOG_FLUSH = 2
IMAGE_BYTES = 2 * 1024**3


class Disk:
    """An ext4 file system that can lose power."""

    def __init__(self, work):
        self.image = os.path.join(work, "disk.img")
        self.mount_point = os.path.join(work, "mnt")
        os.mkdir(self.mount_point)
        with open(self.image, "wb") as image:
            image.truncate(IMAGE_BYTES)
        call("mkfs.ext4", "-q", "-F", self.image)

    def mount(self):
        call("mount", "-o", "loop", self.image, self.mount_point)

    def unmount(self):
        for _ in range(50):  # the kernel may still be closing the killed server's files
            done = subprocess.run(["umount", self.mount_point], capture_output=True, check=False)
            if done.returncode == 0:
                return
            time.sleep(0.1)
        raise AssertionError(f"umount: {done.stderr.decode()}")

    def cut_power(self, seed):
        """From here on the file system answers with I/O errors, and nothing more reaches the image."""
        del seed  # nothing is left to chance: all that was not synced is gone
        directory = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(directory, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(directory)


def call(*command):
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stderr.decode().strip()}")


def skip(reason):
    print(f"skipped: {reason}\n0 passed, 0 failed, 1 skipped")
    return 0


def main():
    arguments = options(__doc__.split("\n", maxsplit=1)[0], cycles=20, short=2)
    if os.geteuid() != 0:
        return skip("needs root, to mount a loop device")
    if not shutil.which("mkfs.ext4"):
        return skip("needs mkfs.ext4")
    with tempfile.TemporaryDirectory(prefix="holdall-power-", ignore_cleanup_errors=True) as work:
        try:
            disk = Disk(work)
            disk.mount()
        except OSError as reason:
            return skip(f"needs loop devices ({reason})")
        return drill_on(disk, work, arguments)


def drill_on(disk, work, arguments):
    volumes = [os.path.join(disk.mount_point, f"volume{number}") for number in range(arguments.volumes)]
    for volume in volumes:
        os.mkdir(volume)
    server = Server(binary(), volumes, os.path.join(work, "server.log"))
    drill = Drill(arguments, server)
    drill.workload.tolerate_errors = True
    pause = random.Random(arguments.seed + 1)

    def lose_power():
        begun = time.monotonic()
        disk.cut_power(pause.randrange(10**9))
        done = time.monotonic()
        time.sleep(pause.uniform(0, 0.4))  # long enough to see what the server answers without a disk
        server.kill()
        drill.workload.end()
        for key in drill.workload.ledger.cut(begun, done):
            drill.workload.fault("acknowledged without a disk", drill.workload.ledger.describe(key))
        drill.workload.cut(begun)
        disk.unmount()
        disk.mount()

    try:
        drill.run(lose_power)
    except AssertionError as reason:
        drill.workload.fault("drill", str(reason))
    finally:
        server.kill()
        with contextlib.suppress(AssertionError):
            disk.unmount()
    return drill.summary()


if __name__ == "__main__":
    sys.exit(main())
