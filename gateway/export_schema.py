"""The columns of exported files (docs/reference/export.md): names with units, codes as words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum

import numpy as np
import pyarrow as pa

from engine.codes import Event, Kind, Phase, Side
from engine.reasons import Reason
from engine.records import COMMAND, EVENT, MODALITIES, Modality
from gateway.market_history import BAR_FIELDS
from gateway.rest.market_views import DailyQuote
from marketdata.tape import TAPE

Field = tuple[str, pa.DataType]

WORD = pa.dictionary(pa.int16(), pa.string())
TIME = pa.timestamp("ns", tz="UTC")
RENAMED = {  # of records, where the name alone does not say the unit
    "leaves_qty": "leaves_qty_tonnes",
    "other_leaves_qty": "other_leaves_qty_tonnes",
    "time_ns": "time",
}
WORDS: dict[str, type[IntEnum]] = {
    "side": Side,
    "modality": Modality,
    "phase": Phase,
    "reason": Reason,
}
LEFT_OUT = {"tail", "spare"}


def _record_fields(dtype: np.dtype[np.void]) -> list[Field]:
    """Return the columns of a record of the engine: name and type, after the date."""
    found: list[Field] = [("date", pa.int32())]
    for name in dtype.names or ():
        kind = dtype[name]
        if name in LEFT_OUT or name == "date":
            continue
        if name == "time_ns":
            found.append(("time", TIME))
        elif name in WORDS or name in {"kind", "instrument"} or kind.kind == "S":
            found.append((name, pa.string() if kind.kind == "S" else WORD))
        else:
            found.append((RENAMED.get(name, name), pa.from_numpy_dtype(kind)))
    return found


_BAR: list[Field] = [
    *(("date", pa.int32()), ("interval", WORD), ("instrument", WORD), ("start", TIME)),
    *((name, pa.int64()) for name in BAR_FIELDS),
]
_QUOTE: list[Field] = [
    ("date", pa.int32()),
    ("instrument", WORD),
    *((name, pa.int64()) for name in DailyQuote.__struct_fields__[2:]),
]
_TRADE: list[Field] = [
    *(("date", pa.int32()), ("time", TIME), ("trade_no", pa.int64()), ("instrument", WORD)),
    *(("price_ticks", pa.int64()), ("qty_tonnes", pa.int64()), ("turnover_fen", pa.int64())),
    *(("taker_side", WORD), ("modality", WORD), ("void", pa.bool_())),
]

SCHEMAS: dict[str, pa.Schema] = {
    "commands": pa.schema(_record_fields(COMMAND)),
    "events": pa.schema(_record_fields(EVENT)),
    "trades": pa.schema(_TRADE),
    "bars": pa.schema(_BAR),
    "daily_quotes": pa.schema(_QUOTE),
}


def words(numbers: np.ndarray, names: dict[int, str]) -> pa.DictionaryArray:
    """Return numbers as words; what has none is null."""
    values = sorted(set(names.values()))
    place = {word: at for at, word in enumerate(values)}
    known = np.unique(numbers)
    table = np.array([place.get(names.get(int(each), ""), -1) for each in known], np.int16)
    indices = table[np.searchsorted(known, numbers)] if len(known) else table
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices < 0), pa.array(values))


def enum_words(numbers: np.ndarray, kind: type[IntEnum]) -> pa.DictionaryArray:
    """Return codes as their lower-case names."""
    return words(numbers, {int(each): each.name.lower() for each in kind})


def record_table(name: str, rows: np.ndarray, dates: np.ndarray, codes: Sequence[str]) -> pa.Table:
    """Return rows of COMMAND (``commands``) or EVENT (``events``) as a table of that name."""
    columns: list[pa.Array] = [pa.array(dates.astype(np.int32))]
    kinds = Kind if name == "commands" else Event
    for field in rows.dtype.names or ():
        if field in LEFT_OUT or field == "date":
            continue
        values = np.ascontiguousarray(rows[field])
        if field == "time_ns":
            columns.append(pa.array(values).cast(TIME))
        elif field == "kind":
            columns.append(enum_words(values, kinds))
        elif field in WORDS:
            columns.append(enum_words(values, WORDS[field]))
        elif field == "instrument":
            columns.append(words(values, dict(enumerate(codes))))
        elif values.dtype.kind == "S":
            columns.append(pa.array([each.decode("ascii", "replace") for each in values.tolist()]))
        else:
            columns.append(pa.array(values))
    return pa.Table.from_arrays(columns, schema=SCHEMAS[name])


def trade_table(date: int, rows: np.ndarray, codes: Sequence[str]) -> pa.Table:
    """Return trades of a day (dtype TAPE) as a table."""
    assert rows.dtype == TAPE, "rows of the tape"
    modalities = {int(each): each.name.lower() for each in MODALITIES}
    columns = [
        pa.array(np.full(len(rows), date, np.int32)),
        pa.array(np.ascontiguousarray(rows["time_ns"])).cast(TIME),
        pa.array(np.ascontiguousarray(rows["trade_no"])),
        words(rows["instrument"], dict(enumerate(codes))),
        pa.array(rows["price_ticks"].astype(np.int64)),
        pa.array(np.ascontiguousarray(rows["qty_tonnes"])),
        pa.array(np.ascontiguousarray(rows["turnover_fen"])),
        enum_words(rows["side"], Side),
        words(rows["modality"], modalities),
        pa.array(rows["void"] != 0),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMAS["trades"])


def plain_table(name: str, rows: Iterable[Sequence[object]]) -> pa.Table:
    """Return rows in the order of the schema's columns as a table."""
    schema = SCHEMAS[name]
    columns = list(zip(*rows, strict=True)) or [()] * len(schema)
    arrays = [
        pa.array(column, pa.string()).cast(field.type)
        if field.type == WORD
        else pa.array(column, field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
