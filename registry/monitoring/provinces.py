"""The provinces, the corps and the nation, with their accounts (RG-04)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry.database import registry_account
from registry.errors import RefusalError
from registry.monitoring.schema import provinces
from registry.schema import accounts

NATIONAL = "NATIONAL"  # code of the national account
NAMES = {  # GB/T 2260, first two digits; 66 is the market's own number of the corps
    "11": "Beijing",
    "12": "Tianjin",
    "13": "Hebei",
    "14": "Shanxi",
    "15": "Inner Mongolia",
    "21": "Liaoning",
    "22": "Jilin",
    "23": "Heilongjiang",
    "31": "Shanghai",
    "32": "Jiangsu",
    "33": "Zhejiang",
    "34": "Anhui",
    "35": "Fujian",
    "36": "Jiangxi",
    "37": "Shandong",
    "41": "Henan",
    "42": "Hubei",
    "43": "Hunan",
    "44": "Guangdong",
    "45": "Guangxi",
    "46": "Hainan",
    "50": "Chongqing",
    "51": "Sichuan",
    "52": "Guizhou",
    "53": "Yunnan",
    "54": "Tibet",
    "61": "Shaanxi",
    "62": "Gansu",
    "63": "Qinghai",
    "64": "Ningxia",
    "65": "Xinjiang",
    "66": "Xinjiang Production and Construction Corps",
}


class Province(NamedTuple):
    """A province (or the corps) and the id of its account."""

    code: str
    name: str
    account: int


def account_code(code: str) -> str:
    """Return the customer number of a province's account."""
    return f"PROVINCE-{code}"


def open_all(tx: Connection) -> None:
    """Open the national account, the provinces and their accounts; what is there stays.

    They have no trading side. RefusalError account_exists: a subject has one of their numbers.
    """
    wanted = [(NATIONAL, "Ministry of Ecology and Environment", "national")]
    wanted += [(account_code(code), name, "province") for code, name in NAMES.items()]
    codes = [code for code, _, _ in wanted]
    there = {
        str(row.code): str(row.kind)
        for row in tx.execute(select(accounts).where(accounts.c.code.in_(codes)))
    }
    for code, _, kind in wanted:
        if there.get(code, kind) != kind:
            raise RefusalError("account_exists", f"{code!r} has an account already.")
    last = int(tx.execute(select(func.max(accounts.c.id))).scalar_one())
    missing = [one for one in wanted if one[0] not in there]
    rows = [
        {"id": i, "code": code, "name": name, "kind": kind, "registry_account": registry_account(i)}
        for i, (code, name, kind) in enumerate(missing, last + 1)
    ]
    if rows:
        tx.execute(insert(accounts), rows)
    _enter(tx)


def _enter(tx: Connection) -> None:
    known = set(tx.execute(select(provinces.c.code)).scalars())
    ids = {
        str(row.code): int(row.id)
        for row in tx.execute(select(accounts).where(accounts.c.kind == "province"))
    }
    rows = [
        {"code": code, "name": name, "account": ids[account_code(code)]}
        for code, name in NAMES.items()
        if code not in known
    ]
    if rows:
        tx.execute(insert(provinces), rows)


def all_of(tx: Connection) -> dict[str, Province]:
    """Return the provinces by code; empty before ``open_all``."""
    rows = tx.execute(select(provinces).order_by(provinces.c.code))
    return {str(row.code): Province(row.code, row.name, int(row.account)) for row in rows}


def find(tx: Connection, code: str) -> Province:
    """Return one province; RefusalError unknown_province."""
    row = tx.execute(select(provinces).where(provinces.c.code == str(code))).first()
    if row is None:
        raise RefusalError("unknown_province", f"There is no province {code!r}.")
    return Province(row.code, row.name, int(row.account))


def national_account(tx: Connection) -> int:
    """Return the id of the national account; RefusalError no_national_account."""
    found = tx.execute(select(accounts.c.id).where(accounts.c.kind == "national")).scalar()
    if found is None:
        raise RefusalError("no_national_account", "The national account is not open (RG-04).")
    return int(found)
