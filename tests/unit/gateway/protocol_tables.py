"""The tables of docs/reference/protocol.md as the code would write them: run it to print them."""

import msgspec

from gateway import market_messages, messages
from gateway.authority import PERMITTED, ROLES
from gateway.refusals import REFUSALS


def fields(kind: type[msgspec.Struct]) -> list[tuple[str, bool]]:
    """Return (name, may be left out) of a message's fields."""
    always = getattr(kind.__struct_config__, "omit_defaults", False) is False
    outbound = issubclass(kind, messages.Outbound)
    return [
        (
            field.name,
            not (always and outbound)
            and (
                field.default is not msgspec.NODEFAULT
                or field.default_factory is not msgspec.NODEFAULT
            ),
        )
        for field in msgspec.structs.fields(kind)
    ]


def message_row(kind: type[msgspec.Struct]) -> str:
    shown = " ".join(f"`{name}`{'?' if optional else ''}" for name, optional in fields(kind))
    text = " ".join((kind.__doc__ or "").split())
    return f"| `{kind.__struct_config__.tag}` | {shown or '–'} | {text} |"


def refusal_row(code: str) -> str:
    refusal = REFUSALS[code]
    closes = str(refusal.close_code or "–")
    return f"| `{code}` | {refusal.sentence} | {refusal.clauses or '–'} | {closes} |"


def role_row(role: str) -> str:
    may = [f"`{what}`" for what, roles in PERMITTED.items() if role in roles and what != "status"]
    return f"| `{role}` | {', '.join(may) or '–'} |"


TABLES = {
    "Order entry: what a client sends": [message_row(k) for k in messages.Request.__args__],
    "Order entry: what the venue sends": [message_row(k) for k in messages.Message.__args__],
    "Refusals by the gateway": [refusal_row(code) for code in REFUSALS],
    "Roles": [role_row(role) for role in ROLES],
    "Market data": [
        message_row(k)
        for k in (
            *market_messages.Request.__args__,
            market_messages.Subscribed,
            market_messages.Replayed,
        )
    ],
}

if __name__ == "__main__":
    for title, rows in TABLES.items():
        print(f"## {title}", *rows, sep="\n")
