"""The records keep their promises: no padding, no reason without a sentence, no code twice."""

from __future__ import annotations

import numpy as np
import pytest

from engine import deals, records
from engine.accounts import PARAMETER_BOUNDS, parameter_field
from engine.handlers import COLD_HANDLERS
from engine.kernel import run
from engine.reasons import EXPLANATIONS, Reason
from engine.records import HOT_KINDS_END, Kind, Parameter

DTYPES = {
    key: value
    for module in (records, deals)
    for key, value in vars(module).items()
    if isinstance(value, np.dtype)
}


@pytest.mark.parametrize("key", DTYPES)
def test_a_record_has_no_padding(key: str) -> None:
    dtype = DTYPES[key]
    assert dtype.names is not None
    assert dtype.itemsize == sum(dtype[field].itemsize for field in dtype.names)
    assert dtype.itemsize % 8 == 0
    for field in dtype.names:
        offset = dtype.fields[field][1]
        size = dtype[field].itemsize if dtype[field].kind != "S" else 1
        assert offset % size == 0, f"{key}.{field} is not on its own boundary"


def test_every_reason_has_a_sentence() -> None:
    assert set(EXPLANATIONS) == set(Reason)
    for reason, explanation in EXPLANATIONS.items():
        assert explanation.sentence.endswith("."), reason
        assert explanation.sentence[0].isupper(), reason


def test_every_kind_has_a_handler() -> None:
    assert run.__name__ == "run"
    hot = {kind for kind in Kind if Kind.NOOP < kind < HOT_KINDS_END}
    assert set(COLD_HANDLERS) == set(Kind) - hot


def test_every_parameter_is_a_field_or_a_weight_and_has_bounds() -> None:
    assert set(PARAMETER_BOUNDS) == set(Parameter)
    for parameter in Parameter:
        if parameter < Parameter.COMPOSITE_WEIGHT:
            assert parameter_field(parameter).upper() == parameter.name
    assert records.RULES.names is not None
    assert len(records.RULES.names) == sum(p < Parameter.COMPOSITE_WEIGHT for p in Parameter)
