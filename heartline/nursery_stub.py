"""What Ray starts in a worker's place: it has the nursery fork the worker, or else becomes it.

A script of its own, run at each start of a worker, so it imports nothing that takes time, and nothing
of ours. It sends `heartline.nursery` one message: arguments, environment and directory, and the files
0, 1 and 2. The child answers when it has all of it, and begins when it is told so: one that was given
up in the meantime hears nothing and ends, since Ray must never have two workers of one id.
"""

import _socket
import os
import sys

NURSERY, WORKER = "HEARTLINE_NURSERY", "HEARTLINE_RAY_WORKER"  # the nursery's socket, Ray's script
HERE, BEGIN = b"+", b"!"
PATIENCE_S = 8.0  # it may still be importing; who waits longer has Ray's own worker


def main() -> None:
    """Have the worker forked, or become it."""
    if not handed_over():
        os.execv(sys.executable, [sys.executable, os.environ[WORKER], *sys.argv[1:]])  # noqa: S606


def handed_over() -> bool:
    """Whether a child of the nursery is the worker now."""
    nursery = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        nursery.settimeout(PATIENCE_S)
        nursery.connect(os.environ[NURSERY])
        nursery.sendmsg([request()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, files())])
        if nursery.recv(1) != HERE:
            return False
        nursery.send(BEGIN)
    except (OSError, KeyError):
        return False
    finally:
        nursery.close()
    return True


def request() -> bytes:
    """Tell what this process was started with: how many arguments, directory, those, environment."""
    environ = [name + b"=" + value for name, value in os.environb.items()]
    arguments = [os.fsencode(each) for each in sys.argv[1:]]
    directory = os.getcwdb()  # noqa: PTH109  (pathlib takes as long to import as all the rest)
    return b"\0".join([b"%d" % len(arguments), directory, *arguments, *environ])


def files() -> bytes:
    """Make the numbers of the standard files, as the kernel wants them."""
    return b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))


if __name__ == "__main__":
    main()
