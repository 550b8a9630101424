import os
import subprocess
import sys
from pathlib import Path

import pytest

from heartline.bucket_tasks import each_bucket
from stores.warehouse import BUCKETS

ROOT = Path(__file__).resolve().parents[2]
SHARED = """
from heartline.bucket_tasks import each_bucket
print(sum(each_bucket(lambda bucket: 10 ** bucket)))
"""


def test_without_a_cluster_the_buckets_are_done_here() -> None:
    assert list(each_bucket(lambda bucket: bucket * 10)) == [b * 10 for b in range(BUCKETS)]


@pytest.mark.cluster
@pytest.mark.beside
def test_a_cluster_shares_them() -> None:
    environ = os.environ | {"RAY_ADDRESS": "local", "PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-c", SHARED], env=environ, capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "1" * BUCKETS, done.stderr
