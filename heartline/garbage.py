"""Python's collector in processes that answer: a full collection stops one for a tenth of a second."""

import gc

COLLECT_AFTER, TIMES, FULL_TIMES = 20_000, 20, 100  # objects; young, then middle collections


def collect_rarely() -> None:
    """Pass over all that is there by now, for good, and look for what is new less often.

    A replica has two hundred thousand objects from its imports alone; to visit them takes 100 ms.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, TIMES, FULL_TIMES)
