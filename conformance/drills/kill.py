#!/usr/bin/env python3
"""kill -9 under load, again and again: nothing acknowledged is lost, torn or comes back.

    conformance/drills/kill.py            50 cycles
    conformance/drills/kill.py --short    5 cycles

Each cycle lets the writers run for a random while, kills the server at a random moment, starts it
again (ready within two seconds) and reads everything. Needs Python 3 and a build of the server
($HOLDALL_BIN, or the newest of this checkout); works in a temporary directory.
"""

import os
import sys
import tempfile

from drill import Drill
from drill import options
from server import Server
from server import binary


def main():
    arguments = options(__doc__.split("\n", maxsplit=1)[0], cycles=50, short=5)
    with tempfile.TemporaryDirectory(prefix="holdall-kill-", ignore_cleanup_errors=True) as work:
        volumes = [os.path.join(work, f"volume{number}") for number in range(arguments.volumes)]
        for volume in volumes:
            os.mkdir(volume)
        server = Server(binary(), volumes, os.path.join(work, "server.log"))
        drill = Drill(arguments, server)
        try:
            drill.run(server.kill)
        except AssertionError as reason:
            drill.workload.fault("drill", str(reason))
        finally:
            server.kill()
        return drill.summary()


sys.exit(main())
