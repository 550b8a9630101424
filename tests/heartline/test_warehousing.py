import os
from concurrent.futures import ThreadPoolExecutor

from heartline.warehousing import NICENESS, let_others_go_first


def test_the_archive_is_nice_and_not_less_so_than_it_was() -> None:
    def niceness_from(before: int) -> int:
        os.setpriority(os.PRIO_PROCESS, 0, before)
        let_others_go_first()
        return os.getpriority(os.PRIO_PROCESS, 0)

    for before, after in ((0, NICENESS), (15, 15)):
        with ThreadPoolExecutor(1) as apart:  # the niceness of a thread is its own
            assert apart.submit(niceness_from, before).result() == after
