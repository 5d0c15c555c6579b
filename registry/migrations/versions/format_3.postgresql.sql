CREATE TABLE accounts (
    id BIGINT NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    registry_account TEXT NOT NULL,
    trading_account TEXT,
    trading_index BIGINT,
    blocks BIGINT DEFAULT '0' NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT account_kind CHECK (kind IN ('key_emitting_entity', 'other', 'fees', 'bank', 'issue_reserve', 'risk_reserve')),
    CONSTRAINT trading_side CHECK ((trading_index IS NULL) = (trading_account IS NULL) AND trading_index >= 0),
    UNIQUE (code),
    UNIQUE (registry_account),
    UNIQUE (trading_account),
    UNIQUE (trading_index)
);

CREATE TABLE formats (
    format BIGINT NOT NULL,
    profile TEXT NOT NULL,
    PRIMARY KEY (format)
);

CREATE TABLE inbox (
    seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    answer TEXT NOT NULL,
    PRIMARY KEY (seq),
    CONSTRAINT inbox_kind CHECK (kind IN ('cash_out', 'transfer_out', 'freeze', 'release', 'deduct', 'void'))
);

CREATE FUNCTION inbox_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'inbox is append only'; END $$;

CREATE TRIGGER inbox_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON inbox FOR EACH STATEMENT EXECUTE FUNCTION inbox_guard();

CREATE TABLE requests (
    id BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    action TEXT NOT NULL,
    payload TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    made_at_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (id, maker),
    CONSTRAINT maker_known CHECK (maker > 0)
);

CREATE FUNCTION requests_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'requests is append only'; END $$;

CREATE TRIGGER requests_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON requests FOR EACH STATEMENT EXECUTE FUNCTION requests_guard();

CREATE TABLE transactions (
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    date BIGINT,
    note TEXT NOT NULL,
    corrects BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT transaction_kind CHECK (kind IN ('issue', 'deposit', 'transfer_in', 'arrival', 'refusal', 'out', 'settlement', 'freeze', 'release', 'deduction', 'cancellation', 'succession', 'correction', 'bank_debit', 'top_up', 'reserve_in', 'cover', 'recovery')),
    UNIQUE (corrects),
    FOREIGN KEY(corrects) REFERENCES transactions (id)
);

CREATE FUNCTION transactions_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'transactions is append only'; END $$;

CREATE TRIGGER transactions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transactions FOR EACH STATEMENT EXECUTE FUNCTION transactions_guard();

CREATE TABLE units (
    id BIGINT NOT NULL,
    code TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (code)
);

CREATE TABLE voids (
    trade_no BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    PRIMARY KEY (trade_no),
    CONSTRAINT void_two_people CHECK (maker <> checker),
    UNIQUE (seq)
);

CREATE FUNCTION voids_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'voids is append only'; END $$;

CREATE TRIGGER voids_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON voids FOR EACH STATEMENT EXECUTE FUNCTION voids_guard();

CREATE TABLE attempts (
    id BIGINT NOT NULL,
    request BIGINT NOT NULL,
    person BIGINT NOT NULL,
    verb TEXT NOT NULL,
    code TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(request) REFERENCES requests (id)
);

CREATE FUNCTION attempts_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'attempts is append only'; END $$;

CREATE TRIGGER attempts_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON attempts FOR EACH STATEMENT EXECUTE FUNCTION attempts_guard();

CREATE TABLE buckets (
    account BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    kind TEXT NOT NULL,
    balance BIGINT NOT NULL,
    PRIMARY KEY (account, unit, kind),
    CONSTRAINT bucket_kind CHECK (kind IN ('issued', 'bank', 'registry_available', 'in_transit', 'trading_available', 'judicial', 'trading_judicial', 'cancelled', 'cash', 'fees', 'reserve')),
    CONSTRAINT balance_sign CHECK (CASE WHEN kind IN ('issued', 'bank') THEN balance <= 0 ELSE balance >= 0 END),
    CONSTRAINT bucket_unit CHECK (CASE WHEN kind IN ('bank', 'cash', 'fees', 'reserve') THEN unit = 0 WHEN kind = 'in_transit' THEN unit >= 0 ELSE unit > 0 END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
);

CREATE TABLE days (
    date BIGINT NOT NULL,
    status TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    tag BIGINT NOT NULL,
    deals BIGINT NOT NULL,
    report TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    seen_txn BIGINT NOT NULL,
    seen_instruction BIGINT NOT NULL,
    seen_voids BIGINT NOT NULL,
    told BIGINT DEFAULT '0' NOT NULL,
    txn BIGINT,
    PRIMARY KEY (date),
    CONSTRAINT day_status CHECK (status IN ('cleared', 'differs', 'posted')),
    CONSTRAINT posted_by_txn CHECK ((status = 'posted') = (txn IS NOT NULL)),
    CONSTRAINT reported CHECK ((status = 'differs') = (report <> '[]')),
    UNIQUE (txn),
    FOREIGN KEY(txn) REFERENCES transactions (id)
);

CREATE TABLE decisions (
    request BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    verdict TEXT NOT NULL,
    note TEXT NOT NULL,
    decided_at_ns BIGINT NOT NULL,
    txn BIGINT,
    directive BIGINT,
    PRIMARY KEY (request),
    CONSTRAINT decision_verdict CHECK (verdict IN ('approved', 'refused', 'withdrawn')),
    FOREIGN KEY(request, maker) REFERENCES requests (id, maker),
    CONSTRAINT checker_known CHECK (checker > 0),
    CONSTRAINT two_people CHECK ((verdict = 'withdrawn') = (maker = checker)),
    CONSTRAINT done_by CHECK (verdict = 'approved' OR (txn IS NULL AND directive IS NULL)),
    FOREIGN KEY(request) REFERENCES requests (id),
    FOREIGN KEY(txn) REFERENCES transactions (id)
);

CREATE FUNCTION decisions_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'decisions is append only'; END $$;

CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions FOR EACH STATEMENT EXECUTE FUNCTION decisions_guard();

CREATE TABLE defaults (
    id BIGINT NOT NULL,
    account BIGINT NOT NULL,
    amount_fen BIGINT NOT NULL,
    topped_up_fen BIGINT NOT NULL,
    covered_fen BIGINT NOT NULL,
    recovered_fen BIGINT NOT NULL,
    limit_at_ns BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT default_fields CHECK (amount_fen > 0 AND limit_at_ns > 0),
    CONSTRAINT default_mended CHECK (topped_up_fen >= 0 AND covered_fen >= 0 AND topped_up_fen + covered_fen <= amount_fen),
    CONSTRAINT default_recovered CHECK (recovered_fen BETWEEN 0 AND covered_fen),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE INDEX defaults_account ON defaults (account);

CREATE TABLE directives (
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    account BIGINT NOT NULL,
    unit BIGINT,
    amount BIGINT NOT NULL,
    owner BIGINT,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    seq BIGINT,
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
);

CREATE INDEX directives_pending ON directives (number) WHERE status = 'pending';

CREATE TABLE instructions (
    number BIGINT NOT NULL,
    kind TEXT NOT NULL,
    account BIGINT NOT NULL,
    unit BIGINT,
    amount BIGINT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (number),
    CONSTRAINT instruction_kind CHECK (kind IN ('open_account', 'cash_in', 'transfer_in')),
    CONSTRAINT instruction_status CHECK (status IN ('pending', 'done', 'refused')),
    CONSTRAINT instruction_fields CHECK (CASE kind WHEN 'open_account' THEN amount = 0 AND unit IS NULL WHEN 'cash_in' THEN amount > 0 AND unit = 0 ELSE amount > 0 AND unit > 0 END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
);

CREATE INDEX instructions_pending ON instructions (number) WHERE status = 'pending';

CREATE TABLE notices (
    id BIGINT NOT NULL,
    kind TEXT NOT NULL,
    account BIGINT,
    at_ns BIGINT NOT NULL,
    date BIGINT NOT NULL,
    sentence TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT notice_kind CHECK (kind IN ('unconfirmed', 'statements_missing', 'statements_written', 'default', 'covered', 'recovered', 'court', 'restriction', 'cancellation', 'succession', 'correction', 'objection')),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE INDEX notices_account ON notices (account);

CREATE FUNCTION notices_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'notices is append only'; END $$;

CREATE TRIGGER notices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON notices FOR EACH STATEMENT EXECUTE FUNCTION notices_guard();

CREATE TABLE asked (
    account BIGINT NOT NULL,
    date BIGINT NOT NULL,
    request_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit BIGINT NOT NULL,
    amount BIGINT NOT NULL,
    instruction BIGINT,
    seq BIGINT,
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
);

CREATE FUNCTION asked_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'asked is append only'; END $$;

CREATE TRIGGER asked_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON asked FOR EACH STATEMENT EXECUTE FUNCTION asked_guard();

CREATE TABLE deals (
    trade_no BIGINT NOT NULL,
    date BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    time_ns BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    price_ticks BIGINT NOT NULL,
    qty_tonnes BIGINT NOT NULL,
    value_fen BIGINT NOT NULL,
    buyer BIGINT NOT NULL,
    seller BIGINT NOT NULL,
    buy_trading_fee_fen BIGINT NOT NULL,
    buy_settlement_fee_fen BIGINT NOT NULL,
    sell_trading_fee_fen BIGINT NOT NULL,
    sell_settlement_fee_fen BIGINT NOT NULL,
    modality BIGINT NOT NULL,
    taker_side BIGINT NOT NULL,
    PRIMARY KEY (trade_no),
    CONSTRAINT deal_value CHECK (qty_tonnes > 0 AND value_fen = price_ticks * qty_tonnes),
    CONSTRAINT deal_sides CHECK (buyer <> seller),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(buyer) REFERENCES accounts (id),
    FOREIGN KEY(seller) REFERENCES accounts (id)
);

CREATE INDEX deals_buyer ON deals (buyer);

CREATE INDEX deals_date ON deals (date);

CREATE INDEX deals_seller ON deals (seller);

CREATE FUNCTION deals_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'deals is append only'; END $$;

CREATE TRIGGER deals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deals FOR EACH STATEMENT EXECUTE FUNCTION deals_guard();

CREATE TABLE entries (
    txn BIGINT NOT NULL,
    line BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    debit_account BIGINT NOT NULL,
    debit_kind TEXT NOT NULL,
    credit_account BIGINT NOT NULL,
    credit_kind TEXT NOT NULL,
    amount BIGINT NOT NULL,
    trade_no BIGINT,
    PRIMARY KEY (txn, line),
    FOREIGN KEY(debit_account, unit, debit_kind) REFERENCES buckets (account, unit, kind),
    FOREIGN KEY(credit_account, unit, credit_kind) REFERENCES buckets (account, unit, kind),
    CONSTRAINT amount_positive CHECK (amount > 0),
    CONSTRAINT two_buckets CHECK (debit_account <> credit_account OR debit_kind <> credit_kind),
    CONSTRAINT cancelled_for_ever CHECK (debit_kind <> 'cancelled'),
    FOREIGN KEY(txn) REFERENCES transactions (id)
);

CREATE FUNCTION entries_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'entries is append only'; END $$;

CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION entries_guard();

CREATE TABLE objections (
    date BIGINT NOT NULL,
    account BIGINT NOT NULL,
    line BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    wording TEXT NOT NULL,
    PRIMARY KEY (date, account, line),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE FUNCTION objections_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'objections is append only'; END $$;

CREATE TRIGGER objections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON objections FOR EACH STATEMENT EXECUTE FUNCTION objections_guard();

CREATE TABLE statements (
    date BIGINT NOT NULL,
    account BIGINT NOT NULL,
    opening_funds BIGINT NOT NULL,
    cash_in BIGINT NOT NULL,
    cash_out BIGINT NOT NULL,
    buy_amount BIGINT NOT NULL,
    buy_fee BIGINT NOT NULL,
    sell_amount BIGINT NOT NULL,
    sell_fee BIGINT NOT NULL,
    settlement_fee BIGINT NOT NULL,
    available_funds BIGINT NOT NULL,
    PRIMARY KEY (date, account),
    CONSTRAINT statement_sum CHECK (opening_funds + cash_in - cash_out - buy_amount - buy_fee + sell_amount - sell_fee - settlement_fee = available_funds AND opening_funds >= 0),
    FOREIGN KEY(date) REFERENCES days (date),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE TABLE statement_holdings (
    date BIGINT NOT NULL,
    account BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    opening_tonnes BIGINT NOT NULL,
    moved_in_tonnes BIGINT NOT NULL,
    moved_out_tonnes BIGINT NOT NULL,
    bought_tonnes BIGINT NOT NULL,
    sold_tonnes BIGINT NOT NULL,
    court_frozen_tonnes BIGINT NOT NULL,
    closing_tonnes BIGINT NOT NULL,
    PRIMARY KEY (date, account, unit),
    FOREIGN KEY(date, account) REFERENCES statements (date, account),
    CONSTRAINT holding_sum CHECK (opening_tonnes + moved_in_tonnes - moved_out_tonnes + bought_tonnes - sold_tonnes - court_frozen_tonnes = closing_tonnes AND opening_tonnes >= 0),
    FOREIGN KEY(unit) REFERENCES units (id)
);
