"""Why the exchange said no, or why an order ended: stable numbers, names, sentences, clauses.

A reason is an event's field, never an exception. The numbers come in families; gaps are left for
the modalities to come. Clients see the lower-case name (``price_out_of_band``) and the sentence.
The order in which reasons are looked for is fixed: docs/reference/engine.md, "Precedence".
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Reason(IntEnum):
    """Stable codes. 1-99: refusals by the engine. 100-119: why an order ended."""

    NONE = 0

    CHECKER_MISSING = 1
    MAKER_IS_CHECKER = 2

    UNKNOWN_ACCOUNT = 10
    ACCOUNT_RESTRICTED = 11
    UNKNOWN_COUNTERPARTY = 12

    UNKNOWN_INSTRUMENT = 20
    WRONG_MODE = 22
    INSTRUMENT_HALTED = 23
    MODALITY_UNAVAILABLE = 24

    PHASE_CLOSED = 30
    MARKET_HALTED = 31
    WINDOW_INVALID = 32

    SIDE_INVALID = 40
    PRICE_INVALID = 41
    PRICE_OUT_OF_BAND = 42
    QTY_INVALID = 43
    QTY_ABOVE_MAX = 44
    QTY_BELOW_FILLED = 45
    QTY_BELOW_MIN = 46
    MODE_INVALID = 47

    UNKNOWN_ORDER = 50
    SELF_TRADE = 51
    OUTSIDE_FIVE_LEVELS = 52
    BETTER_PRICE_AVAILABLE = 53
    QTY_ABOVE_LEAVES = 54
    WOULD_CROSS = 55
    NOTHING_TO_TAKE = 56
    UNKNOWN_NEGOTIATION = 57
    NOT_YOUR_TURN = 58
    TERMS_CHANGED = 59

    TOO_MANY_OPEN_ORDERS = 60
    UNKNOWN_SESSION = 61
    UNKNOWN_TRADE = 62
    CANNOT_VOID = 63

    INSUFFICIENT_FUNDS = 70
    INSUFFICIENT_HOLDING = 71
    HOLDING_BOUGHT_TODAY = 72
    CASH_NOT_SETTLED = 73
    AMOUNT_INVALID = 74
    SELL_GUARDED = 75
    HOLDING_LIMIT = 76
    COUNTERPARTY_SHORT = 77

    DATE_INVALID = 80
    DAY_UNCONFIRMED = 81
    PHASE_ORDER = 82
    FILE_DIFFERS = 83

    DUPLICATE_INSTRUCTION = 90
    ACCOUNT_EXISTS = 91
    INSTRUMENT_EXISTS = 92
    UNKNOWN_PARAMETER = 93
    PARAMETER_INVALID = 94
    TIMER_NOT_DUE = 95
    UNKNOWN_KIND = 99

    BY_OWNER = 100
    TAKE_REMAINDER = 101
    END_OF_DAY = 102
    DECLINED = 103
    OFFER_GONE = 104
    BID_CUT = 105
    BID_LOST = 106
    SESSION_FAILED = 107
    KILLED = 108
    COURT = 109
    DISCONNECTED = 110
    TIMER_EXPIRED = 111

    @property
    def code(self) -> str:
        """The name on the wire, e.g. ``insufficient_funds``."""
        return self.name.lower()


class Explanation(NamedTuple):
    """One sentence for people and the clauses behind it."""

    sentence: str
    clauses: str


EXPLANATIONS: dict[Reason, Explanation] = {
    Reason.NONE: Explanation("No reason: the command was accepted.", ""),
    Reason.UNKNOWN_ACCOUNT: Explanation("There is no such trading account.", "TR-08"),
    Reason.CHECKER_MISSING: Explanation(
        "This command needs a maker and a checker.", "ST-07, RG-17, TR-121"
    ),
    Reason.MAKER_IS_CHECKER: Explanation("Nobody approves a command of his own.", "ST-07"),
    Reason.ACCOUNT_RESTRICTED: Explanation(
        "The account is restricted from doing this.", "TR-113, TR-115, TR-116, ST-12"
    ),
    Reason.UNKNOWN_COUNTERPARTY: Explanation(
        "There is no such account to direct the offer at.", "TR-75"
    ),
    Reason.INSTRUMENT_HALTED: Explanation("Trading in this instrument is halted.", "TR-117"),
    Reason.MODALITY_UNAVAILABLE: Explanation(
        "This market does not have this way of trading.", "TR-80, VM-03"
    ),
    Reason.MARKET_HALTED: Explanation("Trading is halted.", "TR-117"),
    Reason.WINDOW_INVALID: Explanation(
        "The bidding window must end after it begins and after now.", "TR-81"
    ),
    Reason.QTY_BELOW_MIN: Explanation(
        "The quantity is below the smallest that this way of trading takes.",
        "TR-12, TR-13, TR-74",
    ),
    Reason.MODE_INVALID: Explanation("Pricing must be uniform or pay-as-bid.", "TR-83"),
    Reason.UNKNOWN_NEGOTIATION: Explanation(
        "There is no open negotiation with this account about this offer.", "TR-72"
    ),
    Reason.NOT_YOUR_TURN: Explanation(
        "The other side has to act, or everything is agreed already.", "TR-72"
    ),
    Reason.TERMS_CHANGED: Explanation(
        "These are not the latest terms of the negotiation.", "TR-70, TR-72"
    ),
    Reason.UNKNOWN_SESSION: Explanation(
        "There is no such bidding session in the state that this needs.", "TR-81, TR-89"
    ),
    Reason.UNKNOWN_TRADE: Explanation("There is no such standing trade today.", "TR-121"),
    Reason.CANNOT_VOID: Explanation(
        "The goods or the money of this trade have moved on.", "TR-121"
    ),
    Reason.SELL_GUARDED: Explanation(
        "These allowances are needed for surrender and may not be sold.", "TR-116"
    ),
    Reason.HOLDING_LIMIT: Explanation("The account would hold more than it may.", "TR-111"),
    Reason.COUNTERPARTY_SHORT: Explanation(
        "The other side no longer covers these terms.", "TR-40, TR-73"
    ),
    Reason.DECLINED: Explanation("The counterparty declined.", "TR-72"),
    Reason.OFFER_GONE: Explanation("The offer was traded or withdrawn.", "TR-72"),
    Reason.BID_CUT: Explanation("The offer was used up within this bid.", "TR-87"),
    Reason.BID_LOST: Explanation("The offer was used up by better or earlier bids.", "TR-84"),
    Reason.SESSION_FAILED: Explanation("The session had no valid bid.", "TR-88"),
    Reason.KILLED: Explanation("Cancelled by the exchange's kill switch.", "TR-115, TR-117"),
    Reason.COURT: Explanation("Cancelled for a court's freeze.", "RG-15"),
    Reason.DISCONNECTED: Explanation("Cancelled: the account's last connection was lost.", "TR-43"),
    Reason.TIMER_EXPIRED: Explanation("Cancelled: the account's timer ran out.", "TR-43"),
    Reason.TIMER_NOT_DUE: Explanation("The account's timer is not set or not due yet.", "TR-43"),
    Reason.UNKNOWN_INSTRUMENT: Explanation(
        "The exchange has not listed such an instrument.", "TR-03, TR-04, RG-24"
    ),
    Reason.WRONG_MODE: Explanation("This instrument's book does not take this command.", "TR-60"),
    Reason.PHASE_CLOSED: Explanation(
        "The market is not in a phase that takes this command.", "TR-30, TR-33, TR-34, RG-08, ST-14"
    ),
    Reason.SIDE_INVALID: Explanation("The side must be buy or sell.", "TR-60"),
    Reason.PRICE_INVALID: Explanation(
        "The price must be a positive number of ticks of 0.01 yuan below 100,000 yuan.", "TR-10"
    ),
    Reason.PRICE_OUT_OF_BAND: Explanation(
        "The price lies outside today's price limits of the instrument.", "TR-20, TR-23, TR-26"
    ),
    Reason.QTY_INVALID: Explanation(
        "The quantity must be a whole number of tonnes, 1 or more.", "TR-10, TR-11"
    ),
    Reason.QTY_ABOVE_MAX: Explanation(
        "A listed declaration must stay strictly below 100,000 tonnes, all legs together.",
        "TR-11, TR-66",
    ),
    Reason.QTY_BELOW_FILLED: Explanation(
        "The new quantity must exceed what is already filled.", "price_time mode"
    ),
    Reason.UNKNOWN_ORDER: Explanation("There is no such open order for you.", "TR-43, TR-69"),
    Reason.SELF_TRADE: Explanation("You cannot trade with yourself.", "TR-50"),
    Reason.OUTSIDE_FIVE_LEVELS: Explanation(
        "The listing is outside the best five price levels of its side.", "TR-61"
    ),
    Reason.BETTER_PRICE_AVAILABLE: Explanation(
        "A better price is available and must be taken first.", "TR-61, TR-65"
    ),
    Reason.QTY_ABOVE_LEAVES: Explanation(
        "The listing has less than this quantity left.", "TR-64, TR-69"
    ),
    Reason.WOULD_CROSS: Explanation(
        "The listing would cross the best opposite price: take that one instead.", "TR-67"
    ),
    Reason.NOTHING_TO_TAKE: Explanation(
        "Nothing can be taken within five levels and your limit.", "TR-61"
    ),
    Reason.TOO_MANY_OPEN_ORDERS: Explanation(
        "The account has as many open orders as it may have.", "reliability 8.1"
    ),
    Reason.INSUFFICIENT_FUNDS: Explanation(
        "The available cash does not cover the amount and its fees.", "TR-40, TR-41, TR-42"
    ),
    Reason.INSUFFICIENT_HOLDING: Explanation(
        "The available holding does not cover the quantity.", "TR-40, TR-42, RG-06, RG-07"
    ),
    Reason.HOLDING_BOUGHT_TODAY: Explanation(
        "What was bought today cannot be sold or moved out today.", "TR-47, TR-49, RG-08"
    ),
    Reason.CASH_NOT_SETTLED: Explanation(
        "Proceeds of today's sales can be withdrawn after settlement.", "TR-48, ST-14"
    ),
    Reason.AMOUNT_INVALID: Explanation("The amount must be a positive number of fen.", "ST-15"),
    Reason.DATE_INVALID: Explanation("The date must follow the last trading day.", "CA-01, CA-04"),
    Reason.DAY_UNCONFIRMED: Explanation(
        "The last day's books are not posted: no new day can open.", "ST-16, ST-17"
    ),
    Reason.PHASE_ORDER: Explanation("The day has no such step at this point.", "TR-30, ST-16"),
    Reason.FILE_DIFFERS: Explanation(
        "This is not the deal file that was confirmed.", "ST-04, ST-17"
    ),
    Reason.DUPLICATE_INSTRUCTION: Explanation(
        "This registry instruction was carried out before.", "IN-02"
    ),
    Reason.ACCOUNT_EXISTS: Explanation("Accounts are opened once and in order.", "TR-08"),
    Reason.INSTRUMENT_EXISTS: Explanation("Instruments are admitted once and in order.", "TR-04"),
    Reason.UNKNOWN_PARAMETER: Explanation("The rulebook has no such parameter.", "TR-14, TR-27"),
    Reason.PARAMETER_INVALID: Explanation(
        "The value is outside what the parameter allows.", "TR-14, TR-27"
    ),
    Reason.UNKNOWN_KIND: Explanation("There is no such command.", ""),
    Reason.BY_OWNER: Explanation("Cancelled by its owner.", "TR-43"),
    Reason.TAKE_REMAINDER: Explanation(
        "What an instruction could not take does not rest in the book.", "TR-61, TR-65"
    ),
    Reason.END_OF_DAY: Explanation("Lapsed at the close of the day.", "TR-43, ST-16"),
}
