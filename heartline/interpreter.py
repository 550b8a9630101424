"""Python's own pauses in processes that answer: its collector's, and its threads' turns."""

import gc
import sys

COLLECT_AFTER, TIMES, FULL_TIMES = 20_000, 20, 100  # objects; young, then middle collections
TURN_S = 0.0005


def collect_rarely() -> None:
    """Pass over all that is there by now, for good, and look for what is new less often.

    A replica has two hundred thousand objects from its imports alone; to visit them takes 100 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, TIMES, FULL_TIMES)


def take_short_turns() -> None:
    """Have threads wait less for each other, where one serves and others ask an engine in C.

    One that comes back from the engine waits for the interpreter for up to a turn, 5 ms by default,
    each time; a search with typing errors comes back a dozen times.
    """
    sys.setswitchinterval(TURN_S)
