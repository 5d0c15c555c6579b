"""The trading clauses of the rulebook by handle, each in one line of our own words.

Trading (TR), settlement (ST), registration (RG), the voluntary market (VM), the calendar (CA).
Where the code and the tests cite them is printed by ``tanshi rulebook``. Pure data.
"""

from __future__ import annotations

_TRADING = """
TR-01 spot allowances only: no margin, no short sale, no futures
TR-02 one allowance is one tonne of CO2 equivalent
TR-03 one instrument per allocation year, with its own book, close and limits
TR-04 first trading day of each vintage
TR-05 old vintages stay tradable
TR-06 who may trade: in practice key emitting entities
TR-07 officials, staff of the institutions and settlement banks may not trade
TR-08 one real-name trading account per subject, several operators with separate permissions
TR-10 prices in yuan a tonne, tick 0.01; whole tonnes
TR-11 a listed declaration has 1 to 99,999 t
TR-12 a bulk declaration has at least 100,000 t
TR-13 a bidding application has at least 100,000 t; bids have no published minimum
TR-14 the exchange may change the sizes
TR-20 listed prices within 10 % of the reference
TR-21 bulk prices within 30 % of the reference
TR-22 bidding floor at the reference or 10 % below; bids up to 10 % above
TR-23 limits are rounded half up to the tick
TR-24 first reference: the composite close of the day before; 48.00 at the launch
TR-25 a vintage that does not trade keeps its close as reference
TR-26 a declaration outside the limits is refused at entry
TR-27 the exchange may change the limits
TR-30 listed trading 09:30-11:30 and 13:00-15:00
TR-31 bulk trading 13:00-15:00
TR-32 bidding in windows of their own, seen in the morning
TR-33 no call auction, no entry before the open
TR-34 lunch: no new declarations, cancelling goes on
TR-35 changes of hours are announced
TR-40 a sale is covered by tradable goods, a purchase by available money
TR-41 everything is paid for in advance, fees included
TR-42 a declaration holds for its day and freezes what it needs
TR-43 open quantity may be cancelled; what is left lapses at the close
TR-44 states of a declaration
TR-45 no amendment: cancel and enter again
TR-46 a deal binds once the system has made it
TR-47 goods bought today are sold tomorrow at the earliest
TR-48 proceeds may be spent the same day, withdrawn after settlement
TR-49 T+1 counts by vintage and quantity, not by account
TR-50 nobody trades with itself
TR-51 records are kept for 20 years
TR-60 listings rest; others deal by choosing one: no automatic match
TR-61 the best five levels, better prices first
TR-62 a deal is at the lister's price
TR-63 any listing of a level may be picked: no time priority
TR-64 a deal has the taker's quantity, up to what the listing has left
TR-65 no take past a better price that the taker could have
TR-66 one instruction may take several listings in turn
TR-67 a listing that crosses the other side is refused
TR-68 quotes are anonymous
TR-69 two takers race in order of arrival
TR-70 bulk: offer, negotiate or accept, confirm
TR-71 bulk runs through the system only
TR-72 states of a negotiation; offers expire at 15:00
TR-73 the initiator is frozen at the offer, the responder when it agrees
TR-74 agreed terms keep the limits and the size
TR-75 offers are public or directed at one party
TR-76 bulk deals touch no open, high, low or close
TR-80 the exchange holds one-way bidding
TR-81 application, notice, window, deal in the system
TR-82 sellers start sessions; the mirror for buyers is behind a flag
TR-83 uniform price or pay-as-bid
TR-84 bids rank by price, then time; what winners pay
TR-85 floor, cap and least quantity of a session
TR-86 less than was offered may sell; the rest returns
TR-87 the marginal bid is cut; of equal prices the earlier comes first
TR-88 a session without a valid bid fails
TR-89 several bids each, changeable until the window closes, sealed
TR-90 each bid is frozen in full at its own price
TR-91 the offered quantity is frozen from approval to the end
TR-92 no free period, no increments, no deposit
TR-93 bidding does not enter the close
TR-94 known results of sessions
TR-95 no sale by the state yet; a government seller is optional
TR-100 close: mean of the day's listed trades, half up; without one the close before
TR-101 open: the first listed trade; without one the close before
TR-102 high and low of listed trades; 0.00 without one
TR-103 change against the close before; none shown on a first day
TR-104 composite price: weighted mean of the vintages' prices
TR-105 composite open, latest, high and low are made at each listed trade
TR-106 the composite price moves no vintage's price
TR-107 the price line's volume is listed only; totals add bulk and bidding
TR-110 price limits are a risk control
TR-111 holding limit, off until a number is set
TR-112 report of large holders
TR-113 risk warnings in stages
TR-114 the exchange's risk reserve fund
TR-115 restrictions of accounts in abnormal trading
TR-116 guard against selling what will have to be surrendered
TR-117 suspension and resumption
TR-118 market adjustment by the ministry
TR-119 no circuit breaker, no market makers
TR-120 manipulation and insider dealing are forbidden
TR-121 a deal may be voided before settlement
TR-130 a trading fee and a settlement fee for each deal
TR-131 fees are reasonable and public
TR-132 fee rates are 0 until set, per modality, each leg half up
TR-133 value-added tax
TR-140 real-time quotes with five levels a side
TR-141 the daily bulletin
TR-142 daily figures per vintage and modality
TR-143 weekly, monthly and yearly reports
TR-144 reports to the ministry on limit days, swings and incidents
"""

_SETTLEMENT = """
ST-01 the registry settles, from the exchange's deals
ST-02 money lies in one special account, a sub-ledger per subject
ST-03 delivery against payment, trade by trade, gross, the same evening
ST-04 nothing is delivered before both institutions confirm
ST-05 settlement data go out the same day, else deposits are held
ST-06 objections in writing before the next open; silence is assent
ST-07 two people: one makes, another approves
ST-08 settlement risk reserve
ST-09 joint emergency measures of both institutions
ST-10 warnings and restrictions for unusual changes and court orders
ST-11 default: a time to top up, then the reserve
ST-12 an account under investigation may be restricted
ST-13 how many deals are cleared a day
ST-14 money in at once; money out only if settled and not frozen; cut-offs
ST-15 price x quantity is exact to the fen
ST-16 the order of the evening's steps
ST-17 if the books differ nothing is posted and no day begins
"""

_REGISTRATION = """
RG-01 the registry's record decides who owns an allowance
RG-02 what the registry records
RG-03 real-name accounts, one per subject
RG-04 classes of accounts
RG-05 unqualified or misused accounts can be restricted or closed
RG-06 buckets of a holding: registry, trading, frozen by court or by business
RG-07 goods are moved to the trading side to be sold, and back to be surrendered
RG-08 transfers have a window; goods bought today stay
RG-09 a vintage is issued to provinces, then to entities
RG-10 trades are registered from the exchange's deals
RG-11 surrender is registered as the province confirms
RG-12 offsets are checked against the other registry
RG-13 voluntary cancellation is final
RG-14 succession, merger and enforcement move holdings on valid documents
RG-15 court freeze and deduction
RG-16 frozen goods count at year end but can do nothing
RG-17 wrong entries are corrected by new ones, never deleted
RG-18 goods are handed back when verified data fall
RG-19 connection with the trading system and recovery from disaster
RG-20 records are kept for 20 years
RG-21 pledges
RG-22 how many accounts are open
RG-23 goods that were credited, not bought, may be sold the same day
RG-24 an issued vintage cannot trade before the exchange lists it
"""

_VOLUNTARY = """
VM-01 CCER of one tonne; the exchange itself settles
VM-02 restart in 2024, first trades in March 2025
VM-03 only listed agreement is in operation
VM-04 organisations may trade, people and institutions of the market may not
VM-05 6 per mille of turnover from each side
VM-06 one instrument per project or batch
VM-07 hours and days as for allowances
VM-08 sizes and limits as for listed allowances; a batch's first day is free
VM-09 paid in advance, settled the same day by the exchange, then registered
VM-10 kinds of cancellation
VM-11 use for compliance
VM-12 facts of the market
"""

_CALENDAR = """
CA-01 trading days: weekdays that are not closed; made-up weekends are closed
CA-02 trading days of each year
CA-03 closed weekdays
CA-04 the day before is the trading day before
CA-05 compliance calendar
CA-06 carry-over calendar
"""


def _lines(*texts: str) -> dict[str, str]:
    pairs = [line.partition(" ") for text in texts for line in text.strip().splitlines()]
    return {handle: title for handle, _, title in pairs}


CLAUSES = _lines(_TRADING, _SETTLEMENT, _REGISTRATION, _VOLUNTARY, _CALENDAR)

# What is not simulated, and why. A clause that a test cites all the same counts as tested.
OUT_OF_SCOPE = _lines(
    """
TR-02 a definition: tonnes are the unit everywhere, there is nothing to execute
TR-06 who qualifies is decided when the registry opens an account, by a person
TR-07 who somebody works for is not known to an exchange; it is checked outside it
TR-35 an announcement; the hours themselves are dated parameters
TR-51 keeping files for years is the operator's; nothing here deletes a journal
TR-114 a fund of the exchange's own books; no clause says what pays into it
TR-118 never used, no trigger published; a supervisor acts by hand with the other controls
TR-131 publishing a tariff is not trading; rates are parameters with dates
TR-133 taxes are outside the trading rules
RG-02 says what the other clauses regulate one by one
RG-20 keeping files for years is the operator's; nothing here deletes a registry's entry
RG-21 there is no uniform procedure for pledges
RG-22 a fact, no rule
VM-04 who somebody is, is seen when the account is opened, by a person
"""
)

# The edge cases of trading, settlement and registration, by the clauses they come from.
EDGE_CASES = {
    handle: tuple(clauses.split())
    for handle, clauses in _lines(
        """
E01 TR-61 TR-65
E02 TR-63
E03 TR-62 TR-64
E04 TR-64
E05 TR-61
E07 TR-11
E08 TR-10
E09 TR-23
E11 TR-23
E12 TR-25
E14 TR-47 TR-49
E15 TR-48
E16 TR-40 TR-42
E17 TR-43 ST-16
E18 TR-69
E20 CA-04
E21 CA-01
E22 TR-67
E23 TR-100
E24 TR-76 TR-101 TR-102
E25 TR-93
E26 TR-100
E29 TR-105 TR-141
E31 TR-12
E32 TR-31
E34 TR-74
E35 TR-73 TR-40
E36 TR-72
E37 TR-13
E38 TR-22 TR-23
E39 TR-84 TR-87
E41 TR-86
E43 TR-47
E44 RG-07
E45 RG-07
E46 RG-06
E47 RG-08
E48 ST-03
E49 ST-04 ST-17
E51 RG-15
E52 RG-13
E53 ST-06
E54 RG-14
E86 RG-24
"""
    ).items()
}
