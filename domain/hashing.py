"""One hash for partitions and for keys of plays: MurmurHash3's 64-bit finalizer over 8-byte words.

It is written into stored rows and into which partition a listener belongs to: it never changes.
The same function stands in `domain.kernels` over Arrow buffers; a test holds the two together.

Source: Austin Appleby, MurmurHash3 (public domain), ``fmix64``.
"""

MASK = (1 << 64) - 1


def mix64(word: int) -> int:
    """Spread every bit of a 64-bit *word* over all 64."""
    word ^= word >> 33
    word = (word * 0xFF51AFD7ED558CCD) & MASK
    word ^= word >> 33
    word = (word * 0xC4CEB9FE1A85EC53) & MASK
    return word ^ (word >> 33)


def hash64(data: bytes, seed: int = 0) -> int:
    """Hash *data*, little-endian words padded with zeros, its length mixed in first."""
    state = mix64(seed ^ len(data))
    for start in range(0, len(data), 8):
        state = mix64(state ^ int.from_bytes(data[start : start + 8], "little"))
    return state


def partition_of(listener_id: str, partitions: int) -> int:
    """Tell which of *partitions* a listener's heartbeats go to."""
    return hash64(listener_id.encode()) % partitions


def lane_key(track_id: str, play_id: str) -> int:
    """Name a play within a listener's lanes: even with a play_id, odd without one."""
    if play_id:
        return hash64(track_id.encode(), hash64(play_id.encode())) & ~1
    return hash64(track_id.encode()) | 1


def day_key(lane: int, utc_day: int) -> int:
    """Name the play that a lane without a play_id is on one UTC day."""
    return mix64(lane ^ mix64(utc_day & MASK)) | 1


def play_key(lane: int, utc_day: int) -> int:
    """Name the row of the play that a lane belongs to on *utc_day*."""
    return day_key(lane, utc_day) if lane & 1 else lane
