"""The sum that loro's updates bear, to forge them with (xxHash, 32 bits)."""

PRIMES = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1)
MASK = (1 << 32) - 1
LORO = int.from_bytes(b"LORO", "little")


def xxh32(data: bytes, seed: int = LORO) -> int:
    """Sum *data*."""
    one, two, three, four, five = PRIMES
    total, rest = _stripes(data, seed) if len(data) >= 16 else ((seed + five) & MASK, data)
    total = (total + len(data)) & MASK
    while len(rest) >= 4:
        word, rest = int.from_bytes(rest[:4], "little"), rest[4:]
        total = _turned((total + word * three) & MASK, 17) * four & MASK
    for byte in rest:
        total = _turned((total + byte * five) & MASK, 11) * one & MASK
    for bits, factor in ((15, two), (13, three)):
        total = (total ^ (total >> bits)) * factor & MASK
    return total ^ (total >> 16)


def _stripes(data: bytes, seed: int) -> tuple[int, bytes]:
    one, two, *_ = PRIMES
    lanes = [(seed + one + two) & MASK, (seed + two) & MASK, seed, (seed - one) & MASK]
    end = len(data) // 16 * 16
    for at in range(0, end, 4):
        word, lane = int.from_bytes(data[at : at + 4], "little"), at // 4 % 4
        lanes[lane] = _turned((lanes[lane] + word * two) & MASK, 13) * one & MASK
    return sum(map(_turned, lanes, (1, 7, 12, 18))) & MASK, data[end:]


def _turned(number: int, bits: int) -> int:
    return ((number << bits) | (number >> (32 - bits))) & MASK
