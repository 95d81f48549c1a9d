"""A disk in user space: a FUSE file system with one file, over which a loop device is laid.

It keeps apart what was flushed and what was only written. `cut` drops the power: of what was not flushed some
writes are lost, some are there, some are there in part (cut at a sector), whatever the order they came in. From
then on everything answers EIO.

    blocks.py MOUNT_POINT IMAGE     "cut SEED" on standard input is answered with a line of counts

Runs as a process of its own; speaks the kernel's protocol itself, so that nothing need be installed.
"""

import ctypes
import errno
import os
import random
import stat
import struct
import sys
import threading

SECTOR = 512
PAGE = 4096
NAME = b"disk"
ROOT, FILE = 1, 2
LOOKUP, FORGET, GETATTR, SETATTR, OPEN, READ, WRITE, STATFS, RELEASE, FSYNC = 1, 2, 3, 4, 14, 15, 16, 17, 18, 20
FLUSH, INIT, OPENDIR, RELEASEDIR, ACCESS, INTERRUPT, DESTROY, BATCH_FORGET = 25, 26, 27, 29, 34, 36, 38, 42
DIRECT_IO = 1
BIG_WRITES, MAX_PAGES = 1 << 5, 1 << 22
WRITE_MAX = 256 * 1024


class Disk:
    """What is flushed lies in the image; what is not lies in memory."""

    def __init__(self, image):
        self.image = os.open(image, os.O_RDWR)
        self.size = os.fstat(self.image).st_size
        self.pages = {}  # page number -> its bytes, when they differ from the image
        self.pending = []  # (offset, bytes) in the order of arrival
        self.dead = False
        self.lock = threading.Lock()

    def read(self, offset, size):
        data = bytearray(os.pread(self.image, size, offset))
        for page in range(offset // PAGE, (offset + len(data) + PAGE - 1) // PAGE):
            if page in self.pages:
                begin, end = max(offset, page * PAGE), min(offset + len(data), (page + 1) * PAGE)
                data[begin - offset:end - offset] = self.pages[page][begin - page * PAGE:end - page * PAGE]
        return bytes(data)

    def write(self, offset, data):
        self.pending.append((offset, data))
        at = 0
        while at < len(data):
            page, skip = divmod(offset + at, PAGE)
            piece = data[at:at + PAGE - skip]
            if len(piece) == PAGE:
                self.pages[page] = piece
            else:
                whole = bytearray(self.read(page * PAGE, PAGE))
                whole[skip:skip + len(piece)] = piece
                self.pages[page] = bytes(whole)
            at += len(piece)

    def flush(self):
        for offset, data in self.pending:
            os.pwrite(self.image, data, offset)
        self.pending.clear()
        self.pages.clear()

    def cut(self, seed):
        """The power goes. Gives (kept, torn, lost) writes."""
        source, counts = random.Random(seed), [0, 0, 0]
        keep = source.choice((0.1, 0.5, 0.9))
        with self.lock:
            self.dead = True
            for offset, data in source.sample(self.pending, len(self.pending)):
                fate = 0 if source.random() < keep else source.choice((1, 2))
                if fate == 1 and len(data) > SECTOR:
                    sectors = len(data) // SECTOR
                    os.pwrite(self.image, data[:SECTOR * source.randrange(1, sectors)], offset)
                elif fate == 0:
                    os.pwrite(self.image, data, offset)
                counts[fate] += 1
        return counts


class Server:
    """Answers the kernel."""

    def __init__(self, point, disk):
        self.disk = disk
        self.device = os.open("/dev/fuse", os.O_RDWR)
        options = f"fd={self.device},rootmode=40000,user_id=0,group_id=0,allow_other,max_read={WRITE_MAX}"
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.mount(b"holdall-drill", os.fsencode(point), b"fuse", 6, options.encode()):
            raise OSError(ctypes.get_errno(), "mount of a FUSE file system")

    def run(self):
        while True:
            try:
                request = os.read(self.device, WRITE_MAX + 4096)
            except OSError as reason:
                if reason.errno == errno.ENODEV:  # unmounted
                    return
                if reason.errno in (errno.EINTR, errno.ENOENT, errno.EAGAIN):
                    continue
                raise
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
                continue
            with self.disk.lock:
                try:
                    error, body = 0, self.answer(opcode, node, request[40:])
                except OSError as reason:
                    error, body = reason.errno, b""
            try:
                os.write(self.device, struct.pack("<IiQ", 16 + len(body), -error, unique) + body)
            except FileNotFoundError:  # the request was given up
                continue
            if opcode == DESTROY:
                return

    def answer(self, opcode, node, body):
        if opcode == INIT:
            _, _, ahead, _ = struct.unpack_from("<IIII", body)
            return struct.pack("<IIIIHHIIHHII", 7, 31, ahead, BIG_WRITES | MAX_PAGES, 16, 12, WRITE_MAX, 1,
                               WRITE_MAX // PAGE, 0, 0, 0).ljust(64, b"\0")
        if opcode == LOOKUP:
            if body.rstrip(b"\0") != NAME:
                raise OSError(errno.ENOENT, "")
            return struct.pack("<QQQQII", FILE, 0, 3600, 3600, 0, 0) + self.attributes(FILE)
        if opcode in (GETATTR, SETATTR):
            return struct.pack("<QII", 3600, 0, 0) + self.attributes(node)
        if opcode in (OPEN, OPENDIR):
            return struct.pack("<QII", 0, DIRECT_IO if opcode == OPEN else 0, 0)
        if opcode in (FLUSH, RELEASE, RELEASEDIR, ACCESS, DESTROY):
            return b""
        if opcode == STATFS:
            return struct.pack("<QQQQQIIII", 1 << 20, 1 << 20, 1 << 20, 16, 16, PAGE, 255, PAGE, 0).ljust(80, b"\0")
        if self.disk.dead and opcode in (READ, WRITE, FSYNC):
            raise OSError(errno.EIO, "")
        if opcode == READ:
            _, offset, size = struct.unpack_from("<QQI", body)
            return self.disk.read(offset, size)
        if opcode == WRITE:
            _, offset, size = struct.unpack_from("<QQI", body)
            self.disk.write(offset, body[40:40 + size])
            return struct.pack("<II", size, 0)
        if opcode == FSYNC:
            self.disk.flush()
            return b""
        raise OSError(errno.ENOSYS, "")

    def attributes(self, node):
        mode, size = (stat.S_IFDIR | 0o755, 0) if node == ROOT else (stat.S_IFREG | 0o600, self.disk.size)
        return struct.pack("<QQQQQQIIIIIIIIII", node, size, size // SECTOR, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, PAGE, 0)


def obey(disk):
    """Commands on standard input."""
    for line in sys.stdin:
        word, seed = line.split()
        assert word == "cut", line
        print(*disk.cut(int(seed)), flush=True)


def main():
    disk = Disk(sys.argv[2])
    server = Server(sys.argv[1], disk)
    print("mounted", flush=True)
    threading.Thread(target=obey, args=(disk,), daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
