"""A mount that goes away, comes back, is another, or answers with errors."""

import contextlib
import os
import pathlib
import time

from ground import Unavailable
from ground import call
from ground import forget_caches
from load import Shape
from recipes.recipe import Recipe

MIB = 1024 * 1024
SHAPE = Shape(writers=4, large=600_000)


def _three(trial, size=2048 * MIB, **options):
    systems = [trial.ground.loop(f"disk{number}", size, **options) for number in range(3)]
    trial.serve([system.path for system in systems], shape=SHAPE)
    trial.load.lay_base(40 if trial.short else 300, 150_000)
    trial.before()
    return systems


def lazy_unmount(trial):
    """umount -l under load; open files live on, paths lead into an empty directory."""
    systems = _three(trial)
    victim = systems[1]
    trial.load.begin()
    trial.load.running(2)
    victim.unmount(lazy=True)
    trial.load.running(5 if trial.short else 20)
    left = os.listdir(victim.path)
    if left:
        trial.outcome.fail(f"written into the directory below the mount point: {left}")
    _mount_again(trial, victim)
    trial.load.running(3)
    trial.load.end()
    trial.until_usable(victim.path)
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def _mount_again(trial, system):
    """Mounts the image. The old mount lives on while files of it are open: on the same device, it is the same one."""
    device = call("losetup", "-j", system.image).split(":")[0]
    call("mount", device or system.image, system.path, *([] if device else ["-o", "loop"]))


def empty_directory(trial):
    """The server is started with an empty directory where a volume was; the disk is mounted later."""
    systems = _three(trial)
    victim = systems[2]
    trial.server.stop()
    victim.unmount()
    trial.server.start()
    with trial.load:
        trial.load.running(3 if trial.short else 15)
        left = os.listdir(victim.path)
        if left:
            trial.outcome.fail(f"written into the directory below the mount point: {left}")
        victim.mount()
        trial.load.running(2)
    trial.until_usable(victim.path)
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def foreign_disk(trial):
    """Two disks swap their mount points between two starts, and a disk of another deployment stands in for a third."""
    systems = _three(trial)
    with trial.load:
        trial.load.running(2)
    trial.server.stop()
    for system in systems[:2]:
        system.unmount()
    systems[0].image, systems[1].image = systems[1].image, systems[0].image
    for system in systems[:2]:
        system.mount()
    trial.server.start()
    with trial.load:
        trial.load.running(2)
    trial.server.stop()
    other = trial.ground.loop("other", 256 * MIB)
    server, volumes = trial.server, trial.server.volumes
    server.volumes = [other.path]
    server.start()
    server.stop()
    before = sorted(os.listdir(other.path))
    server.volumes = [volumes[0], volumes[1], other.path]
    try:
        server.start()
        server.stop()
        trial.outcome.fail("a disk of another deployment was accepted")
    except AssertionError as reason:
        if "ended with" not in str(reason):
            raise
        trial.outcome.figure("a disk of another deployment is refused")
    if sorted(os.listdir(other.path)) != before:
        trial.outcome.fail("a refused start wrote into a disk of another deployment")
    server.volumes = volumes
    server.start()
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def read_only(trial):
    """ext4 finds an error and turns itself read-only (errors=remount-ro, trigger_fs_error)."""
    systems = _three(trial)
    victim = systems[1]
    call("mount", "-o", "remount,errors=remount-ro", victim.path)
    trigger = pathlib.Path("/sys/fs/ext4") / os.path.basename(victim.device()) / "trigger_fs_error"
    if not trigger.exists():
        raise Unavailable("needs ext4's trigger_fs_error")
    trial.load.begin()
    trial.load.running(2)
    trigger.write_text("drill", encoding="ascii")
    trial.load.running(4 if trial.short else 20)
    trial.load.end()
    trial.server.stop()
    victim.unmount()
    _repair_file_system(victim)
    victim.mount()
    trial.server.start()
    with trial.load:
        trial.load.running(2)
    trial.until_usable(victim.path)
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def _repair_file_system(system):
    with contextlib.suppress(OSError):  # it answers 1 when it has corrected something
        call("e2fsck", "-fy", system.image)


def sync_fails(trial):
    """The image of one volume lies on a tmpfs that is smaller than it: write() works, fsync does not."""
    small = trial.ground.tmpfs("below", "40m" if trial.short else "160m")
    systems = [trial.ground.loop(f"disk{number}", 2048 * MIB) for number in range(2)]
    systems.append(trial.ground.loop("disk2", 2048 * MIB, image_at=small.path))
    trial.serve([system.path for system in systems], shape=SHAPE)
    trial.load.lay_base(20 if trial.short else 100, 150_000)
    trial.before()
    trial.load.begin()
    trial.load.running(8 if trial.short else 40)
    trial.load.end()
    used = os.statvfs(small.path)
    trial.outcome.figure(f"tmpfs below the image {100 - 100 * used.f_bavail // used.f_blocks} % full, "
                         f"{trial.metric('holdall_copies_dropped_total'):.0f} copies dropped")
    if used.f_bavail * used.f_bsize > MIB:
        trial.outcome.fail("the tmpfs below was not filled: no sync failed")
    trial.server.stop()
    systems[2].unmount()
    call("mount", "-o", "remount,size=2200m", small.path)
    _repair_file_system(systems[2])
    systems[2].mount()
    trial.server.start()
    trial.until_usable(systems[2].path)
    _scrubbed(trial)
    trial.until_repaired()
    trial.conclude()
    trial.outcome.expect_no_errors()


def _scrubbed(trial):
    """What a disk forgot without saying so is found by a scrub."""
    trial.run_job("scrub")


def truncated_disk(trial):
    """Half of one volume's image is cut off: reads there give EIO. The volume is replaced."""
    systems = _three(trial)
    victim = systems[0]
    identity = trial.volume_id(victim.path)
    trial.load.begin()
    trial.load.running(1)
    call("sync", "-f", victim.path)
    os.truncate(victim.image, 48 * MIB if trial.short else 128 * MIB)
    forget_caches()
    trial.load.running(4 if trial.short else 20)
    fresh = trial.ground.loop("fresh", 2048 * MIB)
    trial.command("volume", "replace", identity, fresh.path, "--no-wait")
    trial.volumes[0] = fresh.path
    begun = time.monotonic()
    trial.load.running(2)
    trial.load.end()
    trial.until_repaired()
    trial.outcome.repaired_seconds = time.monotonic() - begun
    _give_up(trial, identity)
    trial.conclude()
    trial.outcome.expect_no_errors()


def _give_up(trial, identity):
    """A disk that still answered when it was replaced is drained as far as it can be read; what is left has copies."""
    if any(volume["id"] == identity for volume in trial.admin("GET", "volumes")["volumes"]):
        trial.command("volume", "remove", identity, "--force")


RECIPES = [
    Recipe("volume unmounted", "umount -l of one of 3 volumes under load, then mounted again", lazy_unmount),
    Recipe("empty mount point", "a start with an empty directory in the place of one of 3 volumes, which is mounted "
           "while the server runs", empty_directory),
    Recipe("swapped and foreign disks", "two volumes swap mount points between starts; a disk of another deployment in "
           "the place of the third", foreign_disk),
    Recipe("volume read-only", "ext4 remounts one of 3 volumes read-only after an error, under load", read_only),
    Recipe("sync fails", "the image of one of 3 volumes lies on a tmpfs that fills up: writes succeed, fsync fails",
           sync_fails),
    Recipe("disk cut in half", "the image below one of 3 volumes is truncated under load: reads give EIO; then replaced",
           truncated_disk),
]
