"""Many rows at once: the same rows on both databases, whatever is in them."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from registry.bulk import insert_many, write_many
from registry.institution import Registry
from registry.offices import notices
from registry.schema import accounts, buckets, transactions

TEXTS = ("碳市", 'a "quoted" {brace}, comma', "back\\slash", "NULL", "", "line\nline", "%s :name")


def test_texts_numbers_and_nothing_come_back_as_they_were(registry: Registry) -> None:
    rows = [
        {
            "id": number,
            "kind": "court",
            "account": None if number % 2 else 1,
            "at_ns": 2**62 + number,
            "date": -number,
            "sentence": text,
        }
        for number, text in enumerate(TEXTS, 1)
    ]
    with registry.database.write() as tx:
        insert_many(tx, notices, rows)
        found = tx.execute(select(notices).order_by(notices.c.id)).mappings().all()
    assert [dict(row) for row in found] == rows


def test_a_column_of_nothing_only_is_possible(registry: Registry) -> None:
    row = {"id": 1, "kind": "issue", "note": "n", "date": None, "corrects": None, "booked_ns": 0}
    with registry.database.write() as tx:
        insert_many(tx, transactions, [row])
        assert dict(tx.execute(select(transactions)).mappings().one()) == row


def test_no_rows_are_nothing_to_do(registry: Registry) -> None:
    with registry.database.write() as tx:
        insert_many(tx, notices, [])
        assert tx.execute(select(notices)).first() is None


def test_what_is_there_is_left_alone_if_told_so(registry: Registry) -> None:
    bucket = {"account": 1, "unit": 0, "kind": "cash", "balance": 5}
    others = [{**bucket, "balance": 9}, {**bucket, "account": 2, "balance": 7}]
    with registry.database.write() as tx:
        tx.execute(insert(buckets), bucket)
        insert_many(tx, buckets, others, missing_only=True)
        found = dict(tx.execute(select(buckets.c.account, buckets.c.balance)).all())
    assert found == {1: 5, 2: 7}


def test_what_is_there_is_refused_otherwise_and_nothing_stays(registry: Registry) -> None:
    bucket = {"account": 1, "unit": 0, "kind": "cash", "balance": 5}
    with pytest.raises(IntegrityError), registry.database.write() as tx:
        insert_many(tx, buckets, [{**bucket, "account": 2}, bucket, bucket])
    with registry.database.read() as tx:
        assert tx.execute(select(buckets)).first() is None


def test_more_rows_than_one_statement_has_values_for(registry: Registry) -> None:
    rows = [
        {
            "id": number,
            "code": f"N{number}",
            "name": "n",
            "kind": "other",
            "registry_account": f"RN{number}",
        }
        for number in range(1_000, 41_000)
    ]
    with registry.database.write() as tx:
        insert_many(tx, accounts, rows)
        assert (
            len(tx.execute(select(accounts.c.id).where(accounts.c.kind == "other")).all()) == 40_000
        )


def test_the_newest_row_of_a_key_is_kept(registry: Registry) -> None:
    """Old ones are overwritten, new ones added, others left alone; columns not named stay."""
    rows = [{"account": 1, "unit": 0, "kind": kind, "balance": 1} for kind in ("cash", "fees")]
    with registry.database.write() as tx:
        write_many(tx, buckets, [])
        write_many(tx, buckets, rows)
        changed = [{**rows[1], "balance": 7}, {**rows[1], "account": 2, "balance": 8}]
        write_many(tx, buckets, changed)
        found = tx.execute(select(buckets).order_by(buckets.c.kind, buckets.c.account)).all()
    assert [tuple(row) for row in found] == [
        (1, 0, "cash", 1),
        (1, 0, "fees", 7),
        (2, 0, "fees", 8),
    ]
