"""Tables handed in over REST: bad rows by number, the rest taken, nothing half posted, bounded."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
from collections.abc import Iterator, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gateway.keys import Key
from gateway.rest.uploads import BODY_BYTES_MAX, BULK_BYTES_MAX, CELLS_MAX
from registry.monitoring.entities import Facility
from tests.unit.gateway.test_rest_compliance import NOW_NS, Counter, signed
from tests.unit.registry.compliance_town import PROVINCE, at

VERIFIED = "/api/monitoring/tables/verified?year=2025"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    made = Counter(tmp_path)
    yield made
    made.registry.close()


def hand_in(
    counter: Counter,
    key: Key,
    target: str,
    body: bytes,
    kind: str = "text/csv",
    *,
    long: bool = True,
) -> tuple[int, Any]:
    """Hand a table in, with the header that lets much come."""
    said = {"content_type": kind}
    if long:
        said["x_tanshi_content_sha256"] = hashlib.sha256(body).hexdigest()
    found = counter.send(key, "POST", target, body, **said)
    return found.status_code, found.json()


def parquet(rows: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


def swollen() -> bytes:
    """Return a small file of more cells than may come."""
    out = io.BytesIO()
    pq.write_table(
        pa.table({"entity": np.zeros(CELLS_MAX, np.int8), "b": pa.nulls(CELLS_MAX)}), out
    )
    return out.getvalue()


SWOLLEN = swollen()
ROWS: list[dict[str, Any]] = [
    {"entity": "P1", "emissions_tonnes": 100},
    {"entity": "P2", "emissions_tonnes": -1},
    {"entity": "XX", "emissions_tonnes": 5},
    {"entity": "S1", "emissions_tonnes": 7},
]
CSV = "entity,emissions_tonnes\n" + "".join(
    f"{row['entity']},{row['emissions_tonnes']}\n" for row in ROWS
)


@pytest.mark.parametrize(
    ("kind", "body", "first"),
    [
        ("application/json", json.dumps(ROWS).encode(), 1),
        ("text/csv; charset=utf-8", CSV.encode(), 2),
        (PARQUET, parquet(ROWS), 2),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_three_forms_say_the_same(
    counter: Counter, kind: str, body: bytes, first: int, strict: bool
) -> None:
    """Each bad row with its number, field, code and reason; strict: nothing is written."""
    target = VERIFIED + ("&strict=true" if strict else "")
    status, said = hand_in(counter, counter.key("verifier"), target, body, kind)
    assert (status, said["rows"], said["written"]) == (200, 4, not strict)
    assert [(r["row"] - first, r["field"], r["code"]) for r in said["refused"]] == [
        (1, "emissions_tonnes", "negative"),
        (2, "entity", "unknown_entity"),
    ]
    assert said["by_code"] == {"negative": 1, "unknown_entity": 1}
    stored = counter.registry.monitoring.verified_of_year(2025)
    assert stored == ({} if strict else {"P1": 100, "S1": 7})
    assert said["taken"] == len(stored)


def test_a_large_table_wants_its_hash_beforehand(counter: Counter) -> None:
    """4,000 rows are more than 64 KiB: the header lets them in, without it nothing is read."""
    rows = "".join(f"N{n:017d},1\n" for n in range(4_000))
    body = f"entity,emissions_tonnes\n{rows}P1,5\n".encode()
    assert BODY_BYTES_MAX < len(body) < BULK_BYTES_MAX
    verifier = counter.key("verifier")
    status, said = hand_in(counter, verifier, VERIFIED, body, long=False)
    assert (status, said["code"]) == (413, "body_too_big")
    assert "X-Tanshi-Content-SHA256" in said["reason"]
    status, said = hand_in(counter, verifier, VERIFIED, body)
    assert (status, said["rows"], said["taken"], len(said["refused"])) == (200, 4_001, 1, 4_000)
    assert counter.registry.monitoring.verified_of_year(2025) == {"P1": 5}


def test_nobody_unsigned_sends_more_than_64_kib(counter: Counter) -> None:
    """Who has not signed, or may not, is refused before a byte of the body is taken (7.5)."""
    taken: list[int] = []

    async def receive() -> dict[str, Any]:
        taken.append(1)
        return {"type": "http.request", "body": b"x" * 1024, "more_body": True}

    def sent(key: Key | None, secret: str = "") -> int:
        taken.clear()
        digest = hashlib.sha256(b"never read").hexdigest()
        headers = {"content-type": "text/csv", "x-tanshi-content-sha256": digest}
        if key is not None:
            who = key._replace(secret=secret or key.secret)
            headers |= signed(who, "POST", VERIFIED, b"never read")
        return asyncio.run(_status(counter, headers, receive))

    assert (sent(None), taken) == (401, [])
    verifier = counter.key("verifier")
    assert (sent(verifier, "0" * 64), taken) == (401, [])
    assert (sent(counter.key("ministry")), taken) == (403, [])
    assert sent(verifier) == 413  # it goes on without end
    assert BULK_BYTES_MAX // 1024 <= len(taken) <= BULK_BYTES_MAX // 1024 + 1
    assert counter.uploads._busy == []


async def _status(counter: Counter, headers: dict[str, str], receive: Any) -> int:
    path, _, query = VERIFIED.partition("?")
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
    scope["query_string"] = query.encode()
    scope["headers"] = [(k.lower().encode(), v.encode()) for k, v in headers.items()]
    said: list[int] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            said.append(message["status"])

    await counter.app(scope, receive, send)
    return said[0]


def test_another_body_than_the_one_signed_for_is_refused(counter: Counter) -> None:
    verifier, body = counter.key("verifier"), CSV.encode()
    headers = signed(verifier, "POST", VERIFIED, body)
    headers |= {"x-tanshi-content-sha256": hashlib.sha256(body).hexdigest()}
    found = counter.send(
        None, "POST", VERIFIED, body.replace(b"100", b"900"), content_type="text/csv", **headers
    )
    assert (found.status_code, found.json()["code"]) == (422, "invalid_request")
    assert counter.registry.monitoring.verified_of_year(2025) == {}


def test_few_come_at_once(counter: Counter) -> None:
    """One of a key and two in all; who is done makes room."""
    first, second, third = (counter.key("verifier") for _ in range(3))
    for busy, code in (([first.key_id], 503), ([second.key_id, third.key_id], 503), ([], 200)):
        counter.uploads._busy[:] = busy
        assert hand_in(counter, first, VERIFIED, CSV.encode())[0] == code
    assert counter.uploads._busy == []


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("text/plain", b"x", 415, "media_type"),
        ("text/csv", b"entity,tons\nP1,1\n", 422, "unknown_column"),
        ("text/csv", b"entity\nP1\n", 422, "missing_column"),
        ("text/csv", b'entity,emissions_tonnes\n"P1,1\n', 422, "file_unreadable"),
        ("text/csv", b"entity,emissions_tonnes\n\xff,1\n", 422, "file_unreadable"),
        ("application/json", b"{}", 422, "file_unreadable"),
        ("application/json", b"[" * 5_000, 422, "file_unreadable"),
        ("application/json", b'[{"entity": NaN}]', 422, "file_unreadable"),
        (PARQUET, b"PAR1 no", 422, "file_unreadable"),
        ("text/csv", b"\n" * (CELLS_MAX + 1), 413, "body_too_big"),
        (PARQUET, SWOLLEN, 422, "file_unreadable"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(
    counter: Counter, kind: str, body: bytes, status: int, code: str
) -> None:
    found, said = hand_in(counter, counter.key("verifier"), VERIFIED, body, kind)
    assert (found, said["code"]) == (status, code)
    assert counter.registry.monitoring.verified_of_year(2025) == {}


def test_everybody_hands_in_rows_of_his_own(counter: Counter) -> None:
    hubei, hebei = counter.key("provincial_authority"), counter.key("provincial_authority", 0, "13")
    entities = b"code,name,province,sector\nN1,New,42,power\nN2,New,13,power\n"
    page = "/api/monitoring/tables/entities"
    status, said = hand_in(counter, hubei, page, entities)
    assert (status, [r["code"] for r in said["refused"]]) == (200, ["other_province"])
    facilities = b"entity,code,kind,unit_class\nP1,U9,unit,I\nS1,E1,enterprise,\nXX,U1,unit,I\n"
    page = "/api/monitoring/tables/facilities"
    status, said = hand_in(counter, hebei, page, facilities)
    foreign, nobody = said["refused"]
    assert (status, said["taken"], foreign["row"], nobody["row"]) == (200, 1, 2, 4)
    assert foreign["reason"].replace("P1", "XX") == nobody["reason"]
    listing = b"entity,grounds,emissions_tonnes\nP1,threshold,30000\nS1,threshold,30000\n"
    page = "/api/monitoring/tables/roster?year=2025&document=notice"
    _, said = hand_in(counter, hubei, page, listing)
    assert ([r["row"] for r in said["refused"]], said["taken"]) == ([3], 1)
    own = counter.key("compliance", counter.town.index("P1"))
    plans = b"entity,meters\nP1,two scales\nP2,none\n"
    _, said = hand_in(counter, own, "/api/monitoring/tables/plans?year=2025", plans)
    assert [(r["row"], r["code"]) for r in said["refused"]] == [(3, "unknown_entity")]
    _, opened = counter.ask(counter.key("registry_maker"), "POST", "/api/monitoring/accounts", {})
    assert opened == {"opened": 1, "provinces": 32}


def test_applications_row_by_row(counter: Counter) -> None:
    """An account applies for its own, the registry's maker for many (CP-32, CP-33)."""
    counter.town.year(2025, {"P1": 100, "P2": 100}, {"P1": 120, "P2": 90})
    page = "/api/compliance/tables/applications"
    own = counter.key("compliance", counter.town.index("P1"))
    body = b"entity,year,vintage,tonnes\n,2025,CEA25,10\nP2,2025,CEA25,10\nP1,2025,CEA25,95\n"
    status, said = hand_in(counter, own, page, body)
    assert (status, said["numbers"], said["written"]) == (200, [1], True)
    codes = [(r["row"], r["code"]) for r in said["refused"]]
    assert codes == [(3, "unknown_entity"), (4, "more_than_owed")]
    rows = [
        {"entity": "P1", "year": 2025, "vintage": "CEA25", "tonnes": 90},
        {"entity": "P2", "year": 2025, "vintage": "CEA25", "tonnes": 91},
        {"entity": "P2", "year": 2025, "vintage": "CEA25", "tonnes": 90},
        {"entity": "P2", "year": "next", "vintage": "CEA25", "tonnes": 1},
    ]
    maker, kind = counter.key("registry_maker"), "application/json"
    strict = hand_in(counter, maker, page + "?strict=true", json.dumps(rows).encode(), kind)[1]
    assert (strict.get("numbers", []), strict["written"]) == ([], False)
    _, said = hand_in(counter, maker, page, json.dumps(rows).encode(), kind)
    codes = [(r["row"], r["code"]) for r in said["refused"]]
    assert (codes, said["numbers"]) == (
        [(2, "insufficient_holding"), (4, "year_invalid")],
        [2, 3],
    )
    verdict = {"numbers": [1, 2, 3], "approve": True}
    counter.ask(counter.key("provincial_authority"), "POST", "/api/compliance/decisions", verdict)
    standings = counter.registry.compliance.standings(2025)
    assert [one.missing_tonnes for one in standings] == [0, 10]


def test_carry_over_row_by_row(counter: Counter) -> None:
    """Rows count together up to the limit (AL-51, AL-54)."""
    for year, allocated in ((2023, 150), (2024, 100)):
        counter.town.year(year, {"P1": 100}, {"P1": allocated})
        counter.town.surrender("P1", year, f"CEA{year - 2000}", 100, at(year + 1, 10, 5))
    counter.registry.compliance.carry_over.give_notices(at(2026, 1, 20))
    counter.venue.sequencer.time_ns = at(2026, 2, 2)
    own, page = counter.key("compliance"), "/api/compliance/tables/carry-over"
    body = b"vintage,tonnes\nCEA23,30\nCEA25,1\nCEA23,21\nCEA23,20\n"
    status, said = hand_in(counter, own, page, body)
    assert (status, said["taken"]) == (200, 2)
    codes = [(r["row"], r["code"]) for r in said["refused"]]
    assert codes == [(3, "vintage_not_eligible"), (4, "over_the_limit")]


def test_an_allocation_comes_as_a_table_and_waits_for_a_checker(counter: Counter) -> None:
    """Bad rows keep their lines, mismatches are named, the rest is one request (7.3, RG-09)."""
    counter.town.verified(2024, P1=1000, P2=2000)
    maker = counter.key("registry_maker")
    order = "plan=power-2025-2026&year=2025&stage=pre&document=d"
    page = f"/api/compliance/tables/allocations?{order}"
    body = b"entity,tonnes\nP1,500\nP1,500\n\nP2,1001\nS1,1\nP2,x\n"
    status, said = hand_in(counter, maker, page, body)
    assert (status, said["entities"], said["tonnes"]) == (200, 1, 500)
    codes = [(r["row"], r["code"]) for r in said["refused"]]
    assert codes == [
        (3, "duplicate_entity"),
        (6, "sector_not_in_plan"),
        (7, "not_a_number"),
    ]
    assert [one["entity"] for one in said["mismatches"]] == ["P2"]
    request = said["request"]
    counter.registry.approvals.approve(request["number"], PROVINCE, request["sha256"], NOW_NS)
    assert counter.town.has("P1", "CEA25") == 500


def test_units_are_computed_from_the_books_and_a_table(counter: Counter) -> None:
    """A trial moves nothing; else the rows wait for a checker (AL-61, 7.3)."""
    monitoring = counter.registry.monitoring
    monitoring.add_facilities([Facility("P1", "U1", "unit", "III", "300", "coal")])
    counter.town.verified(2025, P1=900_000, P2=100)
    counter.town.issue(2025, "pre", {"P1": 0, "P2": 0}, at(2026, 7, 1))
    maker = counter.key("registry_maker")
    page = "/api/compliance/tables/units?plan=power-2025-2026&year=2025&stage=final&document=d"
    cells = "entity,unit,province,class,generated_mwh,load_factor_pct,emissions_t"
    body = f"{cells}\nP1,U1,42,III,1000000,70,900000\nP2,U1,42,VII,5,70,100\n".encode()
    _, trial = hand_in(counter, maker, page + "&trial=true", body)
    assert (trial["written"], trial["entities"], trial.get("request")) == (False, 1, None)
    assert [(one["line"], one["code"]) for one in trial["lacking"]] == [("3", "unknown_class")]
    status, said = hand_in(counter, maker, page, body)
    assert (status, said["entities"], said["tonnes"]) == (200, 1, trial["tonnes"])
    assert said["request"]["status"] == "open"


def test_notices_by_table_say_who_is_not_ready(counter: Counter) -> None:
    counter.town.verified(2025, P1=100, P2=100)
    counter.town.issue(2025, "pre", {"P1": 0, "P2": 0})
    counter.town.issue(2025, "final", {"P1": 90})
    hubei, page = counter.key("provincial_authority"), "/api/compliance/tables/notices?year=2025"
    status, said = hand_in(counter, hubei, page, b"entity\nP1\nP2\nP1\nS1\n")
    assert (status, said["taken"]) == (200, 1)
    assert [(r["row"], r["code"]) for r in said["refused"]] == [
        (3, "final_missing"),
        (4, "duplicate_row"),
        (5, "unknown_entity"),
    ]
    assert [one.entity for one in counter.registry.compliance.standings(2025)] == ["P1"]
