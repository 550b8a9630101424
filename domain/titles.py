"""The title within a name: "Help!" of "Help! - Remastered 2015", "Airplanes" of "Airplanes (feat. B.o.B)"."""

import re

_GROUP = r"[(\[][^()\[\]]*[)\]]"
_ADDED = re.compile(
    rf"\s?{_GROUP}|\s[-\u2013\u2014~]\s.*|\s(?:feat|ft|featuring)\b.*", re.IGNORECASE
)
# What says who else is heard, or which pressing it is; a remix or a concert is another recording.
_SAME_RECORDING = re.compile(
    r"^\W*(?:feat|ft|featuring|with|w/|prod)\b"
    r"|\b(?:re-?master\w*|mono|stereo|explicit|deluxe|bonus|radio edit|original (?:mix|version)"
    r"|(?:single|album) version|from (?:the )?[\"“\w])",
    re.IGNORECASE,
)


def titles_of(name: str) -> tuple[str, str, str]:
    """Read a name whole, without what makes no other recording, and without all that was added."""
    if not _ADDED.search(name):
        return name, name, name
    title = _ADDED.sub(lambda added: "" if _SAME_RECORDING.search(added[0]) else added[0], name)
    return name, title.strip() or name, _ADDED.sub("", name).strip() or name
