CREATE TABLE accounts (
    id INTEGER NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    registry_account TEXT NOT NULL,
    trading_account TEXT,
    trading_index INTEGER,
    blocks INTEGER DEFAULT '0' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT account_kind CHECK (kind IN ('key_emitting_entity', 'other', 'fees', 'bank', 'issue_reserve', 'risk_reserve')),
    CONSTRAINT trading_side CHECK ((trading_index IS NULL) = (trading_account IS NULL) AND trading_index >= 0),
    UNIQUE (code),
    UNIQUE (registry_account),
    UNIQUE (trading_account),
    UNIQUE (trading_index)
)
 STRICT;

CREATE TABLE formats (
    format INTEGER NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (format)
)
 STRICT;

CREATE TABLE inbox (
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (seq),
    CONSTRAINT inbox_kind CHECK (kind IN ('cash_out', 'transfer_out', 'freeze', 'release', 'deduct', 'void'))
)
 STRICT;

CREATE TRIGGER inbox_no_update BEFORE UPDATE ON inbox BEGIN SELECT RAISE(ABORT, 'inbox is append only'); END;

CREATE TRIGGER inbox_no_delete BEFORE DELETE ON inbox BEGIN SELECT RAISE(ABORT, 'inbox is append only'); END;

CREATE TABLE requests (
    id INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    made_at_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (id, maker),
    CONSTRAINT maker_known CHECK (maker > 0)
)
 STRICT;

CREATE TRIGGER requests_no_update BEFORE UPDATE ON requests BEGIN SELECT RAISE(ABORT, 'requests is append only'); END;

CREATE TRIGGER requests_no_delete BEFORE DELETE ON requests BEGIN SELECT RAISE(ABORT, 'requests is append only'); END;

CREATE TABLE transactions (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    date INTEGER,
    note TEXT NOT NULL,
    corrects INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT transaction_kind CHECK (kind IN ('issue', 'deposit', 'transfer_in', 'arrival', 'refusal', 'out', 'settlement', 'freeze', 'release', 'deduction', 'cancellation', 'succession', 'correction', 'bank_debit', 'top_up', 'reserve_in', 'cover', 'recovery')),
    UNIQUE (corrects),
    FOREIGN KEY(corrects) REFERENCES transactions (id)
)
 STRICT;

CREATE TRIGGER transactions_no_update BEFORE UPDATE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions is append only'); END;

CREATE TRIGGER transactions_no_delete BEFORE DELETE ON transactions BEGIN SELECT RAISE(ABORT, 'transactions is append only'); END;

CREATE TABLE units (
    id INTEGER NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code)
)
 STRICT;

CREATE TABLE voids (
    trade_no INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    PRIMARY KEY (trade_no),
    CONSTRAINT void_two_people CHECK (maker <> checker),
    UNIQUE (seq)
)
 STRICT;

CREATE TRIGGER voids_no_update BEFORE UPDATE ON voids BEGIN SELECT RAISE(ABORT, 'voids is append only'); END;

CREATE TRIGGER voids_no_delete BEFORE DELETE ON voids BEGIN SELECT RAISE(ABORT, 'voids is append only'); END;

CREATE TABLE attempts (
    id INTEGER NOT NULL,
    request INTEGER NOT NULL,
    person INTEGER NOT NULL,
    verb TEXT NOT NULL,
    code TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(request) REFERENCES requests (id)
)
 STRICT;

CREATE TRIGGER attempts_no_update BEFORE UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'attempts is append only'); END;

CREATE TRIGGER attempts_no_delete BEFORE DELETE ON attempts BEGIN SELECT RAISE(ABORT, 'attempts is append only'); END;

CREATE TABLE buckets (
    account INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    kind TEXT NOT NULL,
    balance INTEGER NOT NULL,
    PRIMARY KEY (account, unit, kind),
    CONSTRAINT bucket_kind CHECK (kind IN ('issued', 'bank', 'registry_available', 'in_transit', 'trading_available', 'judicial', 'trading_judicial', 'cancelled', 'cash', 'fees', 'reserve')),
    CONSTRAINT balance_sign CHECK (CASE WHEN kind IN ('issued', 'bank') THEN balance <= 0 ELSE balance >= 0 END),
    CONSTRAINT bucket_unit CHECK (CASE WHEN kind IN ('bank', 'cash', 'fees', 'reserve') THEN unit = 0 WHEN kind = 'in_transit' THEN unit >= 0 ELSE unit > 0 END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE days (
    date INTEGER NOT NULL,
    status TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    tag INTEGER NOT NULL,
    deals INTEGER NOT NULL,
    report TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    seen_txn INTEGER NOT NULL,
    seen_instruction INTEGER NOT NULL,
    seen_voids INTEGER NOT NULL,
    told INTEGER DEFAULT '0' NOT NULL,
    txn INTEGER,
    PRIMARY KEY (date),
    CONSTRAINT day_status CHECK (status IN ('cleared', 'differs', 'posted')),
    CONSTRAINT posted_by_txn CHECK ((status = 'posted') = (txn IS NOT NULL)),
    CONSTRAINT reported CHECK ((status = 'differs') = (report <> '[]')),
    UNIQUE (txn),
    FOREIGN KEY(txn) REFERENCES transactions (id)
)
 STRICT;

CREATE TABLE decisions (
    request INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_at_ns INTEGER NOT NULL,
    txn INTEGER,
    directive INTEGER,
    PRIMARY KEY (request),
    CONSTRAINT decision_verdict CHECK (verdict IN ('approved', 'refused', 'withdrawn')),
    FOREIGN KEY(request, maker) REFERENCES requests (id, maker),
    CONSTRAINT checker_known CHECK (checker > 0),
    CONSTRAINT two_people CHECK ((verdict = 'withdrawn') = (maker = checker)),
    CONSTRAINT done_by CHECK (verdict = 'approved' OR (txn IS NULL AND directive IS NULL)),
    FOREIGN KEY(request) REFERENCES requests (id),
    FOREIGN KEY(txn) REFERENCES transactions (id)
)
 STRICT;

CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append only'); END;

CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append only'); END;

CREATE TABLE defaults (
    id INTEGER NOT NULL,
    account INTEGER NOT NULL,
    amount_fen INTEGER NOT NULL,
    topped_up_fen INTEGER NOT NULL,
    covered_fen INTEGER NOT NULL,
    recovered_fen INTEGER NOT NULL,
    limit_at_ns INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT default_fields CHECK (amount_fen > 0 AND limit_at_ns > 0),
    CONSTRAINT default_mended CHECK (topped_up_fen >= 0 AND covered_fen >= 0 AND topped_up_fen + covered_fen <= amount_fen),
    CONSTRAINT default_recovered CHECK (recovered_fen BETWEEN 0 AND covered_fen),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 STRICT;

CREATE INDEX defaults_account ON defaults (account);

CREATE TABLE directives (
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account INTEGER NOT NULL,
    unit INTEGER,
    amount INTEGER NOT NULL,
    owner INTEGER,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    seq INTEGER,
    PRIMARY KEY (number),
    CONSTRAINT directive_kind CHECK (kind IN ('freeze', 'release', 'deduct', 'restrict', 'lift')),
    CONSTRAINT directive_status CHECK (status IN ('pending', 'done', 'refused')),
    CONSTRAINT directive_fields CHECK (CASE WHEN kind IN ('freeze', 'release', 'deduct') THEN unit > 0 AND maker > 0 AND checker > 0 AND maker <> checker ELSE unit IS NULL END),
    CONSTRAINT directive_owner CHECK ((kind = 'deduct') = (owner IS NOT NULL)),
    CONSTRAINT directive_answered CHECK ((status = 'pending') = (seq IS NULL)),
    CONSTRAINT directive_amount CHECK (amount > 0),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(owner) REFERENCES accounts (id),
    UNIQUE (seq)
)
 STRICT;

CREATE INDEX directives_pending ON directives (number) WHERE status = 'pending';

CREATE TABLE instructions (
    number INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account INTEGER NOT NULL,
    unit INTEGER,
    amount INTEGER NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT instruction_kind CHECK (kind IN ('open_account', 'cash_in', 'transfer_in')),
    CONSTRAINT instruction_status CHECK (status IN ('pending', 'done', 'refused')),
    CONSTRAINT instruction_fields CHECK (CASE kind WHEN 'open_account' THEN amount = 0 AND unit IS NULL WHEN 'cash_in' THEN amount > 0 AND unit = 0 ELSE amount > 0 AND unit > 0 END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
)
 STRICT;

CREATE INDEX instructions_pending ON instructions (number) WHERE status = 'pending';

CREATE TABLE notices (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account INTEGER,
    at_ns INTEGER NOT NULL,
    date INTEGER NOT NULL,
    sentence TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT notice_kind CHECK (kind IN ('unconfirmed', 'statements_missing', 'statements_written', 'default', 'covered', 'recovered', 'court', 'restriction', 'cancellation', 'succession', 'correction', 'objection')),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 STRICT;

CREATE INDEX notices_account ON notices (account);

CREATE TRIGGER notices_no_update BEFORE UPDATE ON notices BEGIN SELECT RAISE(ABORT, 'notices is append only'); END;

CREATE TRIGGER notices_no_delete BEFORE DELETE ON notices BEGIN SELECT RAISE(ABORT, 'notices is append only'); END;

CREATE TABLE asked (
    account INTEGER NOT NULL,
    date INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    instruction INTEGER,
    seq INTEGER,
    PRIMARY KEY (account, date, request_id),
    CONSTRAINT asked_kind CHECK (kind IN ('cash_in', 'transfer_in', 'cash_out', 'transfer_out')),
    CONSTRAINT asked_amount CHECK (amount > 0),
    CONSTRAINT asked_seq CHECK ((kind IN ('cash_out', 'transfer_out')) = (seq IS NOT NULL)),
    CONSTRAINT asked_instruction CHECK (CASE kind WHEN 'transfer_in' THEN instruction IS NOT NULL WHEN 'cash_in' THEN TRUE ELSE instruction IS NULL END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id),
    UNIQUE (instruction),
    FOREIGN KEY(instruction) REFERENCES instructions (number),
    UNIQUE (seq)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER asked_no_update BEFORE UPDATE ON asked BEGIN SELECT RAISE(ABORT, 'asked is append only'); END;

CREATE TRIGGER asked_no_delete BEFORE DELETE ON asked BEGIN SELECT RAISE(ABORT, 'asked is append only'); END;

CREATE TABLE deals (
    trade_no INTEGER NOT NULL,
    date INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    price_ticks INTEGER NOT NULL,
    qty_tonnes INTEGER NOT NULL,
    value_fen INTEGER NOT NULL,
    buyer INTEGER NOT NULL,
    seller INTEGER NOT NULL,
    buy_trading_fee_fen INTEGER NOT NULL,
    buy_settlement_fee_fen INTEGER NOT NULL,
    sell_trading_fee_fen INTEGER NOT NULL,
    sell_settlement_fee_fen INTEGER NOT NULL,
    modality INTEGER NOT NULL,
    taker_side INTEGER NOT NULL,
    PRIMARY KEY (trade_no),
    CONSTRAINT deal_value CHECK (qty_tonnes > 0 AND value_fen = price_ticks * qty_tonnes),
    CONSTRAINT deal_sides CHECK (buyer <> seller),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(buyer) REFERENCES accounts (id),
    FOREIGN KEY(seller) REFERENCES accounts (id)
)
 STRICT;

CREATE INDEX deals_buyer ON deals (buyer);

CREATE INDEX deals_date ON deals (date);

CREATE INDEX deals_seller ON deals (seller);

CREATE TRIGGER deals_no_update BEFORE UPDATE ON deals BEGIN SELECT RAISE(ABORT, 'deals is append only'); END;

CREATE TRIGGER deals_no_delete BEFORE DELETE ON deals BEGIN SELECT RAISE(ABORT, 'deals is append only'); END;

CREATE TABLE entries (
    txn INTEGER NOT NULL,
    line INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    debit_account INTEGER NOT NULL,
    debit_kind TEXT NOT NULL,
    credit_account INTEGER NOT NULL,
    credit_kind TEXT NOT NULL,
    amount INTEGER NOT NULL,
    trade_no INTEGER,
    PRIMARY KEY (txn, line),
    FOREIGN KEY(debit_account, unit, debit_kind) REFERENCES buckets (account, unit, kind),
    FOREIGN KEY(credit_account, unit, credit_kind) REFERENCES buckets (account, unit, kind),
    CONSTRAINT amount_positive CHECK (amount > 0),
    CONSTRAINT two_buckets CHECK (debit_account <> credit_account OR debit_kind <> credit_kind),
    CONSTRAINT cancelled_for_ever CHECK (debit_kind <> 'cancelled'),
    FOREIGN KEY(txn) REFERENCES transactions (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries is append only'); END;

CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries is append only'); END;

CREATE TABLE objections (
    date INTEGER NOT NULL,
    account INTEGER NOT NULL,
    line INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (date, account, line),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER objections_no_update BEFORE UPDATE ON objections BEGIN SELECT RAISE(ABORT, 'objections is append only'); END;

CREATE TRIGGER objections_no_delete BEFORE DELETE ON objections BEGIN SELECT RAISE(ABORT, 'objections is append only'); END;

CREATE TABLE statements (
    date INTEGER NOT NULL,
    account INTEGER NOT NULL,
    opening_funds INTEGER NOT NULL,
    cash_in INTEGER NOT NULL,
    cash_out INTEGER NOT NULL,
    buy_amount INTEGER NOT NULL,
    buy_fee INTEGER NOT NULL,
    sell_amount INTEGER NOT NULL,
    sell_fee INTEGER NOT NULL,
    settlement_fee INTEGER NOT NULL,
    available_funds INTEGER NOT NULL,
    PRIMARY KEY (date, account),
    CONSTRAINT statement_sum CHECK (opening_funds + cash_in - cash_out - buy_amount - buy_fee + sell_amount - sell_fee - settlement_fee = available_funds AND opening_funds >= 0),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE statement_holdings (
    date INTEGER NOT NULL,
    account INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    opening_tonnes INTEGER NOT NULL,
    moved_in_tonnes INTEGER NOT NULL,
    moved_out_tonnes INTEGER NOT NULL,
    bought_tonnes INTEGER NOT NULL,
    sold_tonnes INTEGER NOT NULL,
    court_frozen_tonnes INTEGER NOT NULL,
    closing_tonnes INTEGER NOT NULL,
    PRIMARY KEY (date, account, unit),
    FOREIGN KEY(date, account) REFERENCES statements (date, account),
    CONSTRAINT holding_sum CHECK (opening_tonnes + moved_in_tonnes - moved_out_tonnes + bought_tonnes - sold_tonnes - court_frozen_tonnes = closing_tonnes AND opening_tonnes >= 0),
    FOREIGN KEY(unit) REFERENCES units (id)
)
 WITHOUT ROWID,
 STRICT;
