"""Passwords hashed with the least that argon2id takes, so that tests do not wait for it."""

from argon2 import PasswordHasher

from stores.passwords import Passwords


def fast_passwords() -> Passwords:
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
