"""No decoder does worse than raise what it declares, whatever right bytes were turned into."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.decoders import DECODERS, Decoder
from tests.mutations import mutated

EXAMPLES = 200

decoders = pytest.mark.parametrize("decoder", DECODERS.values(), ids=list(DECODERS))


@decoders
def test_what_is_right_is_read(decoder: Decoder) -> None:
    for right in decoder.right:
        decoder.read(right)


@decoders
@given(st.data())
@settings(max_examples=EXAMPLES)
def test_what_was_right_is_read_or_refused(decoder: Decoder, data: st.DataObject) -> None:
    with suppress(*decoder.declared):
        decoder.read(data.draw(mutated(decoder.right)))


@decoders
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(decoder: Decoder, body: bytes) -> None:
    with suppress(*decoder.declared):
        decoder.read(body)
