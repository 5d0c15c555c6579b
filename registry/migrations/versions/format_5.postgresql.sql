CREATE TABLE correction_limits (
    penalty BIGINT NOT NULL,
    limit_ns BIGINT NOT NULL,
    PRIMARY KEY (penalty),
    CONSTRAINT correction_limit CHECK (limit_ns > 0),
    FOREIGN KEY(penalty) REFERENCES penalties (id)
);

CREATE FUNCTION correction_limits_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'correction_limits is append only'; END $$;

CREATE TRIGGER correction_limits_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON correction_limits FOR EACH STATEMENT EXECUTE FUNCTION correction_limits_guard();

CREATE FUNCTION accounts_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'what accounts has is referred to for ever' USING ERRCODE = 'foreign_key_violation'; END $$;

CREATE TRIGGER accounts_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF id ON accounts FOR EACH STATEMENT EXECUTE FUNCTION accounts_kept();

CREATE FUNCTION buckets_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'what buckets has is referred to for ever' USING ERRCODE = 'foreign_key_violation'; END $$;

CREATE TRIGGER buckets_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF account, unit, kind ON buckets FOR EACH STATEMENT EXECUTE FUNCTION buckets_kept();

CREATE FUNCTION days_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'what days has is referred to for ever' USING ERRCODE = 'foreign_key_violation'; END $$;

CREATE TRIGGER days_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF date ON days FOR EACH STATEMENT EXECUTE FUNCTION days_kept();

CREATE FUNCTION units_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'what units has is referred to for ever' USING ERRCODE = 'foreign_key_violation'; END $$;

CREATE TRIGGER units_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF id ON units FOR EACH STATEMENT EXECUTE FUNCTION units_kept();

CREATE FUNCTION entries_tied() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE amiss boolean; BEGIN EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT credit_account, unit, credit_kind FROM given) g WHERE NOT EXISTS (SELECT FROM buckets p WHERE p.account = g.credit_account AND p.unit = g.unit AND p.kind = g.credit_kind))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of entries refers to buckets that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT debit_account, unit, debit_kind FROM given) g WHERE NOT EXISTS (SELECT FROM buckets p WHERE p.account = g.debit_account AND p.unit = g.unit AND p.kind = g.debit_kind))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of entries refers to buckets that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT txn FROM given) g WHERE NOT EXISTS (SELECT FROM transactions p WHERE p.id = g.txn))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of entries refers to transactions that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$;

CREATE TRIGGER entries_tied AFTER INSERT ON entries REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION entries_tied();

CREATE FUNCTION deals_tied() RETURNS trigger LANGUAGE plpgsql AS $$ DECLARE amiss boolean; BEGIN EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT buyer FROM given) g WHERE NOT EXISTS (SELECT FROM accounts p WHERE p.id = g.buyer))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of deals refers to accounts that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT date FROM given) g WHERE NOT EXISTS (SELECT FROM days p WHERE p.date = g.date))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of deals refers to days that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT seller FROM given) g WHERE NOT EXISTS (SELECT FROM accounts p WHERE p.id = g.seller))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of deals refers to accounts that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; EXECUTE 'SELECT EXISTS (SELECT FROM (SELECT DISTINCT unit FROM given) g WHERE NOT EXISTS (SELECT FROM units p WHERE p.id = g.unit))' INTO amiss; IF amiss THEN RAISE EXCEPTION 'a row of deals refers to units that are not there' USING ERRCODE = 'foreign_key_violation'; END IF; RETURN NULL; END $$;

CREATE TRIGGER deals_tied AFTER INSERT ON deals REFERENCING NEW TABLE AS given FOR EACH STATEMENT EXECUTE FUNCTION deals_tied();
