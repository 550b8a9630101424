"""What every test has: how hard Hypothesis tries, and an environment without a Ray of one's own."""

import os

from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.register_profile("deep", max_examples=2_000, deadline=None)  # --hypothesis-profile=deep
settings.load_profile("ci" if os.environ.get("CI") else "dev")

for name in [name for name in os.environ if name.startswith("RAY_")]:
    # RAY_ADDRESS would send the tests to somebody's cluster; the others change what is measured.
    del os.environ[name]
