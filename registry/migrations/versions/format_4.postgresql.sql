CREATE TABLE allocation_files (
    id BIGINT NOT NULL,
    plan TEXT NOT NULL,
    year BIGINT NOT NULL,
    stage TEXT NOT NULL,
    document TEXT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    entities BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    made_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT allocation_file_stage CHECK (stage IN ('pre', 'final', 'additional')),
    CONSTRAINT allocation_file_made CHECK (maker > 0 AND entities > 0)
);

CREATE FUNCTION allocation_files_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'allocation_files is append only'; END $$;

CREATE TRIGGER allocation_files_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocation_files FOR EACH STATEMENT EXECUTE FUNCTION allocation_files_guard();

CREATE TABLE disclosures (
    id BIGINT NOT NULL,
    year BIGINT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person BIGINT NOT NULL,
    published_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT disclosure_person CHECK (person > 0)
);

CREATE FUNCTION disclosures_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'disclosures is append only'; END $$;

CREATE TRIGGER disclosures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON disclosures FOR EACH STATEMENT EXECUTE FUNCTION disclosures_guard();

CREATE TABLE projects (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    methodology TEXT NOT NULL,
    owner BIGINT NOT NULL,
    installation TEXT NOT NULL,
    covered BIGINT NOT NULL,
    document TEXT NOT NULL,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    entered_ns BIGINT NOT NULL,
    PRIMARY KEY (code),
    CONSTRAINT project_covered CHECK (covered IN (0, 1)),
    CONSTRAINT project_two_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(owner) REFERENCES accounts (id)
);

CREATE FUNCTION projects_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'projects is append only'; END $$;

CREATE TRIGGER projects_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON projects FOR EACH STATEMENT EXECUTE FUNCTION projects_guard();

CREATE TABLE provinces (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (code),
    UNIQUE (account),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE TABLE batches (
    unit BIGINT NOT NULL,
    project TEXT NOT NULL,
    registered BIGINT NOT NULL,
    period_first BIGINT NOT NULL,
    period_last BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    txn BIGINT NOT NULL,
    document TEXT NOT NULL,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    entered_ns BIGINT NOT NULL,
    PRIMARY KEY (unit),
    CONSTRAINT batch_old_or_new CHECK (registered < 20170314 OR registered >= 20240122),
    CONSTRAINT batch_period CHECK (period_first <= period_last AND period_last <= registered),
    CONSTRAINT batch_tonnes CHECK (tonnes > 0),
    CONSTRAINT batch_two_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(project) REFERENCES projects (code),
    UNIQUE (txn),
    FOREIGN KEY(txn) REFERENCES transactions (id)
);

CREATE INDEX batches_project ON batches (project);

CREATE FUNCTION batches_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'batches is append only'; END $$;

CREATE TRIGGER batches_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON batches FOR EACH STATEMENT EXECUTE FUNCTION batches_guard();

CREATE TABLE entities (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    province TEXT NOT NULL,
    sector TEXT NOT NULL,
    account BIGINT,
    industry TEXT DEFAULT '' NOT NULL,
    process TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (code),
    CONSTRAINT entity_sector CHECK (sector IN ('power', 'steel', 'cement', 'aluminium')),
    FOREIGN KEY(province) REFERENCES provinces (code),
    UNIQUE (account),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE INDEX entities_province ON entities (province);

CREATE TABLE allocations (
    id BIGINT NOT NULL,
    file BIGINT NOT NULL,
    plan TEXT NOT NULL,
    year BIGINT NOT NULL,
    entity TEXT NOT NULL,
    stage TEXT NOT NULL,
    unit BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    waived_tonnes BIGINT NOT NULL,
    deduction_tonnes BIGINT NOT NULL,
    issued_tonnes BIGINT NOT NULL,
    earmarked_tonnes BIGINT NOT NULL,
    taken_back_tonnes BIGINT NOT NULL,
    owed_tonnes BIGINT NOT NULL,
    reason TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    decided_ns BIGINT NOT NULL,
    txn BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT allocation_stage CHECK (stage IN ('pre', 'final', 'additional')),
    CONSTRAINT allocation_reason CHECK (reason IN ('', 'court_freeze', 'unpaid', 'risk', 'closed', 'lawsuit', 'debts')),
    CONSTRAINT allocation_tonnes CHECK (tonnes >= 0 AND waived_tonnes >= 0 AND issued_tonnes >= 0 AND earmarked_tonnes >= 0 AND taken_back_tonnes >= 0 AND owed_tonnes >= 0),
    CONSTRAINT earmarked_at_the_end CHECK (stage <> 'pre' OR earmarked_tonnes = 0),
    FOREIGN KEY(file) REFERENCES allocation_files (id),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(txn) REFERENCES transactions (id)
);

CREATE INDEX allocations_entity ON allocations (entity, year);

CREATE UNIQUE INDEX allocations_once ON allocations (entity, year, stage) WHERE stage != 'additional';

CREATE FUNCTION allocations_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'allocations is append only'; END $$;

CREATE TRIGGER allocations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON allocations FOR EACH STATEMENT EXECUTE FUNCTION allocations_guard();

CREATE TABLE applications (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    origin TEXT NOT NULL,
    payer BIGINT NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    late BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    applied_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    txn_pending BIGINT,
    txn_done BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT application_origin CHECK (origin IN ('own', 'help', 'forced', 'borrowed')),
    CONSTRAINT application_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT application_made CHECK (tonnes > 0 AND late IN (0, 1) AND maker > 0),
    CONSTRAINT application_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL AND txn_done IS NULL AND txn_pending IS NOT NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL AND txn_done IS NOT NULL END),
    CONSTRAINT application_document CHECK (origin = 'own' OR document <> ''),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(payer) REFERENCES accounts (id),
    FOREIGN KEY(txn_pending) REFERENCES transactions (id),
    FOREIGN KEY(txn_done) REFERENCES transactions (id)
);

CREATE INDEX applications_obligation ON applications (entity, year);

CREATE INDEX applications_year ON applications (year, status);

CREATE TABLE cancellations (
    id BIGINT NOT NULL,
    account BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    kind TEXT NOT NULL,
    tonnes BIGINT NOT NULL,
    beneficiary TEXT NOT NULL,
    obligation_year BIGINT,
    purpose TEXT NOT NULL,
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    maker BIGINT NOT NULL,
    applied_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    txn_pending BIGINT NOT NULL,
    txn_done BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT cancellation_kind CHECK (kind IN ('offset', 'voluntary', 'other')),
    CONSTRAINT cancellation_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT cancellation_made CHECK (tonnes > 0 AND maker > 0),
    CONSTRAINT offset_for_whom CHECK (CASE kind WHEN 'offset' THEN obligation_year IS NOT NULL AND beneficiary <> '' ELSE obligation_year IS NULL END),
    CONSTRAINT cancellation_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL AND txn_done IS NULL WHEN 'withdrawn' THEN checker = maker AND txn_done IS NOT NULL ELSE checker > 0 AND checker <> maker AND txn_done IS NOT NULL END),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES batches (unit),
    FOREIGN KEY(txn_pending) REFERENCES transactions (id),
    FOREIGN KEY(txn_done) REFERENCES transactions (id)
);

CREATE INDEX cancellations_account ON cancellations (account);

CREATE INDEX cancellations_unit ON cancellations (unit);

CREATE TABLE carry_applications (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    unit BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    late BIGINT NOT NULL,
    document TEXT NOT NULL,
    due BIGINT NOT NULL,
    status TEXT NOT NULL,
    maker BIGINT NOT NULL,
    applied_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    txn_pending BIGINT NOT NULL,
    txn_done BIGINT,
    txn_converted BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT carry_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT carry_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END AND maker > 0),
    CONSTRAINT carry_tonnes CHECK (tonnes > 0 AND late IN (0, 1)),
    CONSTRAINT carry_document CHECK ((late = 1) = (document <> '')),
    CONSTRAINT carry_done CHECK ((status = 'pending') = (txn_done IS NULL)),
    CONSTRAINT carry_converted CHECK ((status = 'approved') = (txn_converted IS NOT NULL)),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(txn_pending) REFERENCES transactions (id),
    FOREIGN KEY(txn_done) REFERENCES transactions (id),
    FOREIGN KEY(txn_converted) REFERENCES transactions (id)
);

CREATE INDEX carry_applications_entity ON carry_applications (entity);

CREATE INDEX carry_applications_status ON carry_applications (status);

CREATE TABLE carry_notices (
    entity TEXT NOT NULL,
    account BIGINT NOT NULL,
    base_tonnes BIGINT NOT NULL,
    sold_tonnes BIGINT NOT NULL,
    bought_tonnes BIGINT NOT NULL,
    position_tonnes BIGINT NOT NULL,
    limit_tonnes BIGINT NOT NULL,
    books_txn BIGINT NOT NULL,
    notice_ns BIGINT NOT NULL,
    PRIMARY KEY (entity),
    CONSTRAINT carry_limit CHECK (base_tonnes > 0 AND sold_tonnes >= 0 AND bought_tonnes >= 0 AND limit_tonnes > 0 AND limit_tonnes <= position_tonnes),
    CONSTRAINT carry_formula CHECK (CASE WHEN sold_tonnes > bought_tonnes THEN 2 * limit_tonnes <= 2 * base_tonnes + 3 * (sold_tonnes - bought_tonnes) ELSE limit_tonnes <= base_tonnes END),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE FUNCTION carry_notices_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'carry_notices is append only'; END $$;

CREATE TRIGGER carry_notices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON carry_notices FOR EACH STATEMENT EXECUTE FUNCTION carry_notices_guard();

CREATE TABLE certificates (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    surrendered_tonnes BIGINT NOT NULL,
    offset_tonnes BIGINT NOT NULL,
    late BIGINT NOT NULL,
    fulfilled_ns BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (entity, year, version),
    CONSTRAINT certificate_covers CHECK (surrendered_tonnes + offset_tonnes >= tonnes),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION certificates_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'certificates is append only'; END $$;

CREATE TRIGGER certificates_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON certificates FOR EACH STATEMENT EXECUTE FUNCTION certificates_guard();

CREATE TABLE deductions (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    from_year BIGINT NOT NULL,
    grounds TEXT NOT NULL,
    tonnes BIGINT NOT NULL,
    document TEXT NOT NULL,
    decided_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT deduction_grounds CHECK (grounds IN ('correction', 'unpaid', 'borrowed', 'hardship', 'claw_back', 'penalty')),
    CONSTRAINT deduction_tonnes CHECK (tonnes > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX deductions_entity ON deductions (entity);

CREATE FUNCTION deductions_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'deductions is append only'; END $$;

CREATE TRIGGER deductions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deductions FOR EACH STATEMENT EXECUTE FUNCTION deductions_guard();

CREATE TABLE facilities (
    entity TEXT NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit_class TEXT NOT NULL,
    capacity_mw TEXT NOT NULL,
    fuel TEXT NOT NULL,
    commissioned BIGINT NOT NULL,
    closed BIGINT NOT NULL,
    PRIMARY KEY (entity, code),
    CONSTRAINT facility_kind CHECK (kind IN ('unit', 'enterprise', 'line', 'process')),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE TABLE findings (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    facility TEXT NOT NULL,
    year BIGINT NOT NULL,
    month BIGINT NOT NULL,
    version BIGINT NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    parameter TEXT NOT NULL,
    value TEXT NOT NULL,
    low TEXT NOT NULL,
    high TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT finding_severity CHECK (severity IN ('error', 'warning')),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX findings_year ON findings (year, entity);

CREATE FUNCTION findings_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'findings is append only'; END $$;

CREATE TRIGGER findings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON findings FOR EACH STATEMENT EXECUTE FUNCTION findings_guard();

CREATE TABLE guards (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    account BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    proposed_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT guard_tonnes CHECK (tonnes > 0),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
);

CREATE INDEX guards_proposed ON guards (proposed_ns);

CREATE FUNCTION guards_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'guards is append only'; END $$;

CREATE TRIGGER guards_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON guards FOR EACH STATEMENT EXECUTE FUNCTION guards_guard();

CREATE TABLE obligation_notices (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    line BIGINT NOT NULL,
    version BIGINT NOT NULL,
    verified_tonnes BIGINT NOT NULL,
    waived_tonnes BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    notice_ns BIGINT NOT NULL,
    PRIMARY KEY (entity, year, line),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION obligation_notices_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'obligation_notices is append only'; END $$;

CREATE TRIGGER obligation_notices_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON obligation_notices FOR EACH STATEMENT EXECUTE FUNCTION obligation_notices_guard();

CREATE TABLE obligations (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    verified_tonnes BIGINT NOT NULL,
    waived_tonnes BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    deadline_ns BIGINT NOT NULL,
    ccer_max_tonnes BIGINT NOT NULL,
    notice_ns BIGINT NOT NULL,
    PRIMARY KEY (entity, year),
    CONSTRAINT obligation_tonnes CHECK (waived_tonnes >= 0 AND tonnes >= 0 AND tonnes = verified_tonnes - waived_tonnes AND version > 0),
    CONSTRAINT ccer_five_percent CHECK (ccer_max_tonnes >= 0 AND 20 * ccer_max_tonnes <= tonnes),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX obligations_year ON obligations (year);

CREATE TABLE offset_uses (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    batch TEXT NOT NULL,
    proof TEXT NOT NULL,
    proof_sha256 TEXT NOT NULL,
    registered BIGINT NOT NULL,
    status TEXT NOT NULL,
    late BIGINT NOT NULL,
    maker BIGINT NOT NULL,
    applied_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offset_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT offset_made CHECK (tonnes > 0 AND late IN (0, 1) AND maker > 0),
    CONSTRAINT offset_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX offset_uses_obligation ON offset_uses (entity, year);

CREATE UNIQUE INDEX offset_uses_once ON offset_uses (proof) WHERE status IN ('pending', 'approved');

CREATE TABLE pilots (
    entity TEXT NOT NULL,
    market TEXT NOT NULL,
    left_year BIGINT NOT NULL,
    PRIMARY KEY (entity, market),
    CONSTRAINT pilot_market CHECK (market IN ('beijing', 'tianjin', 'shanghai', 'chongqing', 'hubei', 'guangdong', 'shenzhen', 'fujian')),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE TABLE quality_plans (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION quality_plans_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'quality_plans is append only'; END $$;

CREATE TRIGGER quality_plans_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON quality_plans FOR EACH STATEMENT EXECUTE FUNCTION quality_plans_guard();

CREATE TABLE rechecks (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    subject TEXT NOT NULL,
    version BIGINT NOT NULL,
    words TEXT NOT NULL,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    answer_until_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT recheck_subject CHECK (subject IN ('verification', 'allocation')),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION rechecks_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'rechecks is append only'; END $$;

CREATE TRIGGER rechecks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON rechecks FOR EACH STATEMENT EXECUTE FUNCTION rechecks_guard();

CREATE TABLE reports (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    emissions_tonnes BIGINT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT report_by CHECK (person > 0 AND emissions_tonnes >= 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX reports_year ON reports (year);

CREATE FUNCTION reports_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'reports is append only'; END $$;

CREATE TRIGGER reports_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON reports FOR EACH STATEMENT EXECUTE FUNCTION reports_guard();

CREATE TABLE roster (
    year BIGINT NOT NULL,
    entity TEXT NOT NULL,
    sector TEXT NOT NULL,
    province TEXT NOT NULL,
    status TEXT NOT NULL,
    grounds TEXT NOT NULL,
    emissions_tonnes BIGINT,
    document TEXT NOT NULL,
    person BIGINT NOT NULL,
    decided_ns BIGINT NOT NULL,
    PRIMARY KEY (year, entity),
    CONSTRAINT roster_sector CHECK (sector IN ('power', 'steel', 'cement', 'aluminium')),
    CONSTRAINT roster_status CHECK (status IN ('listed', 'removed')),
    CONSTRAINT roster_grounds CHECK (grounds IN ('threshold', 'listed_before', 'below_two_years', 'ceased')),
    CONSTRAINT removed_because CHECK ((status = 'removed') = (grounds IN ('below_two_years', 'ceased'))),
    CONSTRAINT roster_person CHECK (person > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE TABLE roster_log (
    line BIGINT NOT NULL,
    year BIGINT NOT NULL,
    entity TEXT NOT NULL,
    status TEXT NOT NULL,
    grounds TEXT NOT NULL,
    emissions_tonnes BIGINT,
    document TEXT NOT NULL,
    person BIGINT NOT NULL,
    decided_ns BIGINT NOT NULL,
    PRIMARY KEY (line),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION roster_log_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'roster_log is append only'; END $$;

CREATE TRIGGER roster_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON roster_log FOR EACH STATEMENT EXECUTE FUNCTION roster_log_guard();

CREATE TABLE verified (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    emissions_tonnes BIGINT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verifier BIGINT NOT NULL,
    decided_ns BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT verified_tonnes CHECK (emissions_tonnes BETWEEN 0 AND 9007199254740992),
    CONSTRAINT verified_by CHECK (version > 0 AND verifier > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX verified_year ON verified (year);

CREATE FUNCTION verified_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'verified is append only'; END $$;

CREATE TRIGGER verified_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verified FOR EACH STATEMENT EXECUTE FUNCTION verified_guard();

CREATE TABLE warnings (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    province TEXT NOT NULL,
    year BIGINT NOT NULL,
    level TEXT NOT NULL,
    due_tonnes BIGINT NOT NULL,
    short_tonnes BIGINT NOT NULL,
    short_if_sold_tonnes BIGINT NOT NULL,
    price_fen BIGINT NOT NULL,
    cash_fen BIGINT NOT NULL,
    warned_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT warning_level CHECK (level IN ('over_selling', 'short', 'unaffordable')),
    CONSTRAINT warning_figures CHECK (due_tonnes > 0 AND short_tonnes >= 0 AND short_if_sold_tonnes >= short_tonnes AND price_fen >= 0 AND cash_fen >= 0),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(province) REFERENCES provinces (code)
);

CREATE INDEX warnings_entity ON warnings (entity, year);

CREATE INDEX warnings_province ON warnings (province);

CREATE FUNCTION warnings_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'warnings is append only'; END $$;

CREATE TRIGGER warnings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON warnings FOR EACH STATEMENT EXECUTE FUNCTION warnings_guard();

CREATE TABLE borrowings (
    id BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    obligation_tonnes BIGINT NOT NULL,
    allocation_tonnes BIGINT NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    maker BIGINT NOT NULL,
    asked_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    application BIGINT,
    deduction BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT borrowing_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT borrowing_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END AND maker > 0),
    CONSTRAINT borrowing_limits CHECK (tonnes > 0 AND 2 * tonnes <= obligation_tonnes - allocation_tonnes AND 10 * (obligation_tonnes - allocation_tonnes) >= obligation_tonnes),
    CONSTRAINT borrowing_done CHECK ((status = 'approved') = (application IS NOT NULL) AND (application IS NULL) = (deduction IS NULL)),
    FOREIGN KEY(entity) REFERENCES entities (code),
    UNIQUE (application),
    FOREIGN KEY(application) REFERENCES applications (id),
    UNIQUE (deduction),
    FOREIGN KEY(deduction) REFERENCES deductions (id)
);

CREATE INDEX borrowings_entity ON borrowings (entity);

CREATE TABLE corrections (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    grounds TEXT NOT NULL,
    document TEXT NOT NULL,
    maker BIGINT NOT NULL,
    checker BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT correction_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION corrections_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'corrections is append only'; END $$;

CREATE TRIGGER corrections_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON corrections FOR EACH STATEMENT EXECUTE FUNCTION corrections_guard();

CREATE TABLE deduction_uses (
    allocation BIGINT NOT NULL,
    deduction BIGINT NOT NULL,
    tonnes BIGINT NOT NULL,
    PRIMARY KEY (allocation, deduction),
    CONSTRAINT deduction_use_tonnes CHECK (tonnes <> 0),
    FOREIGN KEY(allocation) REFERENCES allocations (id),
    FOREIGN KEY(deduction) REFERENCES deductions (id)
);

CREATE INDEX deduction_uses_deduction ON deduction_uses (deduction);

CREATE FUNCTION deduction_uses_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'deduction_uses is append only'; END $$;

CREATE TRIGGER deduction_uses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deduction_uses FOR EACH STATEMENT EXECUTE FUNCTION deduction_uses_guard();

CREATE TABLE deposits (
    entity TEXT NOT NULL,
    facility TEXT NOT NULL,
    month BIGINT NOT NULL,
    version BIGINT NOT NULL,
    set_name TEXT NOT NULL,
    content TEXT NOT NULL,
    emissions_t TEXT NOT NULL,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (entity, facility, month, version),
    FOREIGN KEY(entity, facility) REFERENCES facilities (entity, code),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE INDEX deposits_month ON deposits (month);

CREATE FUNCTION deposits_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'deposits is append only'; END $$;

CREATE TRIGGER deposits_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON deposits FOR EACH STATEMENT EXECUTE FUNCTION deposits_guard();

CREATE TABLE earmarks (
    id BIGINT NOT NULL,
    allocation BIGINT NOT NULL,
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    unit BIGINT NOT NULL,
    account BIGINT NOT NULL,
    reason TEXT NOT NULL,
    tonnes BIGINT NOT NULL,
    forced_tonnes BIGINT NOT NULL,
    released_tonnes BIGINT NOT NULL,
    recovered_tonnes BIGINT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT earmark_reason CHECK (reason IN ('court_freeze', 'unpaid', 'risk', 'closed', 'lawsuit', 'debts')),
    CONSTRAINT earmark_tonnes CHECK (tonnes > 0 AND forced_tonnes >= 0 AND released_tonnes >= 0 AND recovered_tonnes >= 0 AND forced_tonnes + released_tonnes + recovered_tonnes <= tonnes),
    UNIQUE (allocation),
    FOREIGN KEY(allocation) REFERENCES allocations (id),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(account) REFERENCES accounts (id)
);

CREATE INDEX earmarks_entity ON earmarks (entity);

CREATE TABLE feedbacks (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION feedbacks_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'feedbacks is append only'; END $$;

CREATE TRIGGER feedbacks_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON feedbacks FOR EACH STATEMENT EXECUTE FUNCTION feedbacks_guard();

CREATE TABLE finding_answers (
    finding BIGINT NOT NULL,
    person BIGINT NOT NULL,
    words TEXT NOT NULL,
    at_ns BIGINT NOT NULL,
    PRIMARY KEY (finding),
    FOREIGN KEY(finding) REFERENCES findings (id)
);

CREATE FUNCTION finding_answers_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'finding_answers is append only'; END $$;

CREATE TRIGGER finding_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON finding_answers FOR EACH STATEMENT EXECUTE FUNCTION finding_answers_guard();

CREATE TABLE penalties (
    id BIGINT NOT NULL,
    subject TEXT NOT NULL,
    entity TEXT,
    offence TEXT NOT NULL,
    regime TEXT NOT NULL,
    clause TEXT NOT NULL,
    year BIGINT NOT NULL,
    short_tonnes BIGINT NOT NULL,
    missing_tonnes BIGINT NOT NULL,
    turnover_fen BIGINT NOT NULL,
    volume_tonnes BIGINT NOT NULL,
    gains_fen BIGINT NOT NULL,
    value_fen BIGINT NOT NULL,
    confiscated_fen BIGINT NOT NULL,
    least_fen BIGINT NOT NULL,
    most_fen BIGINT NOT NULL,
    fine_fen BIGINT NOT NULL,
    cut_tonnes BIGINT NOT NULL,
    cut_year BIGINT NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    maker BIGINT NOT NULL,
    made_ns BIGINT NOT NULL,
    checker BIGINT,
    decided_ns BIGINT,
    note TEXT NOT NULL,
    deduction BIGINT,
    PRIMARY KEY (id),
    CONSTRAINT penalty_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT penalty_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END AND maker > 0),
    CONSTRAINT penalty_facts CHECK (short_tonnes >= 0 AND missing_tonnes >= 0 AND turnover_fen >= 0 AND volume_tonnes >= 0 AND gains_fen >= 0 AND value_fen >= 0 AND confiscated_fen >= 0),
    CONSTRAINT penalty_range CHECK (least_fen >= 0 AND fine_fen BETWEEN least_fen AND most_fen),
    CONSTRAINT penalty_cut CHECK (cut_tonnes >= 0 AND (cut_tonnes > 0) = (cut_year > 0) AND (cut_tonnes = 0 OR entity IS NOT NULL)),
    CONSTRAINT penalty_deduction CHECK (deduction IS NULL OR status = 'approved'),
    FOREIGN KEY(entity) REFERENCES entities (code),
    UNIQUE (deduction),
    FOREIGN KEY(deduction) REFERENCES deductions (id)
);

CREATE INDEX penalties_entity ON penalties (entity, year);

CREATE TABLE proofs (
    id BIGINT NOT NULL,
    cancellation BIGINT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    issued_ns BIGINT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (cancellation),
    FOREIGN KEY(cancellation) REFERENCES cancellations (id)
);

CREATE FUNCTION proofs_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'proofs is append only'; END $$;

CREATE TRIGGER proofs_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON proofs FOR EACH STATEMENT EXECUTE FUNCTION proofs_guard();

CREATE TABLE recheck_answers (
    recheck BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    words TEXT NOT NULL,
    version BIGINT,
    person BIGINT NOT NULL,
    at_ns BIGINT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (recheck),
    CONSTRAINT recheck_outcome CHECK (outcome IN ('upheld', 'corrected')),
    FOREIGN KEY(recheck) REFERENCES rechecks (id)
);

CREATE FUNCTION recheck_answers_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'recheck_answers is append only'; END $$;

CREATE TRIGGER recheck_answers_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON recheck_answers FOR EACH STATEMENT EXECUTE FUNCTION recheck_answers_guard();

CREATE TABLE verifications (
    entity TEXT NOT NULL,
    year BIGINT NOT NULL,
    version BIGINT NOT NULL,
    report_version BIGINT NOT NULL,
    words TEXT NOT NULL,
    late BIGINT NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
);

CREATE FUNCTION verifications_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'verifications is append only'; END $$;

CREATE TRIGGER verifications_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON verifications FOR EACH STATEMENT EXECUTE FUNCTION verifications_guard();
