CREATE TABLE allocation_files (
    id INTEGER NOT NULL,
    "plan" TEXT NOT NULL,
    year INTEGER NOT NULL,
    stage TEXT NOT NULL,
    document TEXT NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    entities INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    made_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT allocation_file_stage CHECK (stage IN ('pre', 'final', 'additional')),
    CONSTRAINT allocation_file_made CHECK (maker > 0 AND entities > 0)
)
 STRICT;

CREATE TRIGGER allocation_files_no_update BEFORE UPDATE ON allocation_files BEGIN SELECT RAISE(ABORT, 'allocation_files is append only'); END;

CREATE TRIGGER allocation_files_no_delete BEFORE DELETE ON allocation_files BEGIN SELECT RAISE(ABORT, 'allocation_files is append only'); END;

CREATE TABLE disclosures (
    id INTEGER NOT NULL,
    year INTEGER NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person INTEGER NOT NULL,
    published_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT disclosure_person CHECK (person > 0)
)
 STRICT;

CREATE TRIGGER disclosures_no_update BEFORE UPDATE ON disclosures BEGIN SELECT RAISE(ABORT, 'disclosures is append only'); END;

CREATE TRIGGER disclosures_no_delete BEFORE DELETE ON disclosures BEGIN SELECT RAISE(ABORT, 'disclosures is append only'); END;

CREATE TABLE projects (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    methodology TEXT NOT NULL,
    owner INTEGER NOT NULL,
    installation TEXT NOT NULL,
    covered INTEGER NOT NULL,
    document TEXT NOT NULL,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    entered_ns INTEGER NOT NULL,
    PRIMARY KEY (code),
    CONSTRAINT project_covered CHECK (covered IN (0, 1)),
    CONSTRAINT project_two_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(owner) REFERENCES accounts (id)
)
 STRICT;

CREATE TRIGGER projects_no_update BEFORE UPDATE ON projects BEGIN SELECT RAISE(ABORT, 'projects is append only'); END;

CREATE TRIGGER projects_no_delete BEFORE DELETE ON projects BEGIN SELECT RAISE(ABORT, 'projects is append only'); END;

CREATE TABLE provinces (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    account INTEGER NOT NULL,
    PRIMARY KEY (code),
    UNIQUE (account),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 STRICT;

CREATE TABLE batches (
    unit INTEGER NOT NULL,
    project TEXT NOT NULL,
    registered INTEGER NOT NULL,
    period_first INTEGER NOT NULL,
    period_last INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    txn INTEGER NOT NULL,
    document TEXT NOT NULL,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    entered_ns INTEGER NOT NULL,
    PRIMARY KEY (unit),
    CONSTRAINT batch_old_or_new CHECK (registered < 20170314 OR registered >= 20240122),
    CONSTRAINT batch_period CHECK (period_first <= period_last AND period_last <= registered),
    CONSTRAINT batch_tonnes CHECK (tonnes > 0),
    CONSTRAINT batch_two_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(project) REFERENCES projects (code),
    UNIQUE (txn),
    FOREIGN KEY(txn) REFERENCES transactions (id)
)
 STRICT;

CREATE INDEX batches_project ON batches (project);

CREATE TRIGGER batches_no_update BEFORE UPDATE ON batches BEGIN SELECT RAISE(ABORT, 'batches is append only'); END;

CREATE TRIGGER batches_no_delete BEFORE DELETE ON batches BEGIN SELECT RAISE(ABORT, 'batches is append only'); END;

CREATE TABLE entities (
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    province TEXT NOT NULL,
    sector TEXT NOT NULL,
    account INTEGER,
    industry TEXT DEFAULT '' NOT NULL,
    process TEXT DEFAULT '' NOT NULL,
    PRIMARY KEY (code),
    CONSTRAINT entity_sector CHECK (sector IN ('power', 'steel', 'cement', 'aluminium')),
    FOREIGN KEY(province) REFERENCES provinces (code),
    UNIQUE (account),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 STRICT;

CREATE INDEX entities_province ON entities (province);

CREATE TABLE allocations (
    id INTEGER NOT NULL,
    file INTEGER NOT NULL,
    "plan" TEXT NOT NULL,
    year INTEGER NOT NULL,
    entity TEXT NOT NULL,
    stage TEXT NOT NULL,
    unit INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    waived_tonnes INTEGER NOT NULL,
    deduction_tonnes INTEGER NOT NULL,
    issued_tonnes INTEGER NOT NULL,
    earmarked_tonnes INTEGER NOT NULL,
    taken_back_tonnes INTEGER NOT NULL,
    owed_tonnes INTEGER NOT NULL,
    reason TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    decided_ns INTEGER NOT NULL,
    txn INTEGER,
    PRIMARY KEY (id),
    CONSTRAINT allocation_stage CHECK (stage IN ('pre', 'final', 'additional')),
    CONSTRAINT allocation_reason CHECK (reason IN ('', 'court_freeze', 'unpaid', 'risk', 'closed', 'lawsuit', 'debts')),
    CONSTRAINT allocation_tonnes CHECK (tonnes >= 0 AND waived_tonnes >= 0 AND issued_tonnes >= 0 AND earmarked_tonnes >= 0 AND taken_back_tonnes >= 0 AND owed_tonnes >= 0),
    CONSTRAINT earmarked_at_the_end CHECK (stage <> 'pre' OR earmarked_tonnes = 0),
    FOREIGN KEY(file) REFERENCES allocation_files (id),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(txn) REFERENCES transactions (id)
)
 STRICT;

CREATE INDEX allocations_entity ON allocations (entity, year);

CREATE UNIQUE INDEX allocations_once ON allocations (entity, year, stage) WHERE stage != 'additional';

CREATE TRIGGER allocations_no_update BEFORE UPDATE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations is append only'); END;

CREATE TRIGGER allocations_no_delete BEFORE DELETE ON allocations BEGIN SELECT RAISE(ABORT, 'allocations is append only'); END;

CREATE TABLE applications (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    origin TEXT NOT NULL,
    payer INTEGER NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    late INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    applied_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    txn_pending INTEGER,
    txn_done INTEGER,
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
)
 STRICT;

CREATE INDEX applications_obligation ON applications (entity, year);

CREATE INDEX applications_year ON applications (year, status);

CREATE TABLE cancellations (
    id INTEGER NOT NULL,
    account INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    kind TEXT NOT NULL,
    tonnes INTEGER NOT NULL,
    beneficiary TEXT NOT NULL,
    obligation_year INTEGER,
    purpose TEXT NOT NULL,
    document TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    status TEXT NOT NULL,
    maker INTEGER NOT NULL,
    applied_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    txn_pending INTEGER NOT NULL,
    txn_done INTEGER,
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
)
 STRICT;

CREATE INDEX cancellations_account ON cancellations (account);

CREATE INDEX cancellations_unit ON cancellations (unit);

CREATE TABLE carry_applications (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    unit INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    late INTEGER NOT NULL,
    document TEXT NOT NULL,
    due INTEGER NOT NULL,
    status TEXT NOT NULL,
    maker INTEGER NOT NULL,
    applied_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    txn_pending INTEGER NOT NULL,
    txn_done INTEGER,
    txn_converted INTEGER,
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
)
 STRICT;

CREATE INDEX carry_applications_entity ON carry_applications (entity);

CREATE INDEX carry_applications_status ON carry_applications (status);

CREATE TABLE carry_notices (
    entity TEXT NOT NULL,
    account INTEGER NOT NULL,
    base_tonnes INTEGER NOT NULL,
    sold_tonnes INTEGER NOT NULL,
    bought_tonnes INTEGER NOT NULL,
    position_tonnes INTEGER NOT NULL,
    limit_tonnes INTEGER NOT NULL,
    books_txn INTEGER NOT NULL,
    notice_ns INTEGER NOT NULL,
    PRIMARY KEY (entity),
    CONSTRAINT carry_limit CHECK (base_tonnes > 0 AND sold_tonnes >= 0 AND bought_tonnes >= 0 AND limit_tonnes > 0 AND limit_tonnes <= position_tonnes),
    CONSTRAINT carry_formula CHECK (CASE WHEN sold_tonnes > bought_tonnes THEN 2 * limit_tonnes <= 2 * base_tonnes + 3 * (sold_tonnes - bought_tonnes) ELSE limit_tonnes <= base_tonnes END),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER carry_notices_no_update BEFORE UPDATE ON carry_notices BEGIN SELECT RAISE(ABORT, 'carry_notices is append only'); END;

CREATE TRIGGER carry_notices_no_delete BEFORE DELETE ON carry_notices BEGIN SELECT RAISE(ABORT, 'carry_notices is append only'); END;

CREATE TABLE certificates (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    surrendered_tonnes INTEGER NOT NULL,
    offset_tonnes INTEGER NOT NULL,
    late INTEGER NOT NULL,
    fulfilled_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (entity, year, version),
    CONSTRAINT certificate_covers CHECK (surrendered_tonnes + offset_tonnes >= tonnes),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE TRIGGER certificates_no_update BEFORE UPDATE ON certificates BEGIN SELECT RAISE(ABORT, 'certificates is append only'); END;

CREATE TRIGGER certificates_no_delete BEFORE DELETE ON certificates BEGIN SELECT RAISE(ABORT, 'certificates is append only'); END;

CREATE TABLE deductions (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    from_year INTEGER NOT NULL,
    grounds TEXT NOT NULL,
    tonnes INTEGER NOT NULL,
    document TEXT NOT NULL,
    decided_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT deduction_grounds CHECK (grounds IN ('correction', 'unpaid', 'borrowed', 'hardship', 'claw_back', 'penalty')),
    CONSTRAINT deduction_tonnes CHECK (tonnes > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE INDEX deductions_entity ON deductions (entity);

CREATE TRIGGER deductions_no_update BEFORE UPDATE ON deductions BEGIN SELECT RAISE(ABORT, 'deductions is append only'); END;

CREATE TRIGGER deductions_no_delete BEFORE DELETE ON deductions BEGIN SELECT RAISE(ABORT, 'deductions is append only'); END;

CREATE TABLE facilities (
    entity TEXT NOT NULL,
    code TEXT NOT NULL,
    kind TEXT NOT NULL,
    unit_class TEXT NOT NULL,
    capacity_mw TEXT NOT NULL,
    fuel TEXT NOT NULL,
    commissioned INTEGER NOT NULL,
    closed INTEGER NOT NULL,
    PRIMARY KEY (entity, code),
    CONSTRAINT facility_kind CHECK (kind IN ('unit', 'enterprise', 'line', 'process')),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE findings (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    facility TEXT NOT NULL,
    year INTEGER NOT NULL,
    month INTEGER NOT NULL,
    version INTEGER NOT NULL,
    rule TEXT NOT NULL,
    severity TEXT NOT NULL,
    parameter TEXT NOT NULL,
    value TEXT NOT NULL,
    low TEXT NOT NULL,
    high TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT finding_severity CHECK (severity IN ('error', 'warning')),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE INDEX findings_year ON findings (year, entity);

CREATE TRIGGER findings_no_update BEFORE UPDATE ON findings BEGIN SELECT RAISE(ABORT, 'findings is append only'); END;

CREATE TRIGGER findings_no_delete BEFORE DELETE ON findings BEGIN SELECT RAISE(ABORT, 'findings is append only'); END;

CREATE TABLE guards (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    account INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    proposed_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT guard_tonnes CHECK (tonnes > 0),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(account) REFERENCES accounts (id),
    FOREIGN KEY(unit) REFERENCES units (id)
)
 STRICT;

CREATE INDEX guards_proposed ON guards (proposed_ns);

CREATE TRIGGER guards_no_update BEFORE UPDATE ON guards BEGIN SELECT RAISE(ABORT, 'guards is append only'); END;

CREATE TRIGGER guards_no_delete BEFORE DELETE ON guards BEGIN SELECT RAISE(ABORT, 'guards is append only'); END;

CREATE TABLE obligation_notices (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    line INTEGER NOT NULL,
    version INTEGER NOT NULL,
    verified_tonnes INTEGER NOT NULL,
    waived_tonnes INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    notice_ns INTEGER NOT NULL,
    PRIMARY KEY (entity, year, line),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER obligation_notices_no_update BEFORE UPDATE ON obligation_notices BEGIN SELECT RAISE(ABORT, 'obligation_notices is append only'); END;

CREATE TRIGGER obligation_notices_no_delete BEFORE DELETE ON obligation_notices BEGIN SELECT RAISE(ABORT, 'obligation_notices is append only'); END;

CREATE TABLE obligations (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    verified_tonnes INTEGER NOT NULL,
    waived_tonnes INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    deadline_ns INTEGER NOT NULL,
    ccer_max_tonnes INTEGER NOT NULL,
    notice_ns INTEGER NOT NULL,
    PRIMARY KEY (entity, year),
    CONSTRAINT obligation_tonnes CHECK (waived_tonnes >= 0 AND tonnes >= 0 AND tonnes = verified_tonnes - waived_tonnes AND version > 0),
    CONSTRAINT ccer_five_percent CHECK (ccer_max_tonnes >= 0 AND 20 * ccer_max_tonnes <= tonnes),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX obligations_year ON obligations (year);

CREATE TABLE offset_uses (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    batch TEXT NOT NULL,
    proof TEXT NOT NULL,
    proof_sha256 TEXT NOT NULL,
    registered INTEGER NOT NULL,
    status TEXT NOT NULL,
    late INTEGER NOT NULL,
    maker INTEGER NOT NULL,
    applied_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT offset_status CHECK (status IN ('pending', 'approved', 'rejected', 'withdrawn')),
    CONSTRAINT offset_made CHECK (tonnes > 0 AND late IN (0, 1) AND maker > 0),
    CONSTRAINT offset_two_people CHECK (CASE status WHEN 'pending' THEN checker IS NULL AND decided_ns IS NULL WHEN 'withdrawn' THEN checker = maker AND decided_ns IS NOT NULL ELSE checker > 0 AND checker <> maker AND decided_ns IS NOT NULL END),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE INDEX offset_uses_obligation ON offset_uses (entity, year);

CREATE UNIQUE INDEX offset_uses_once ON offset_uses (proof) WHERE status IN ('pending', 'approved');

CREATE TABLE pilots (
    entity TEXT NOT NULL,
    market TEXT NOT NULL,
    left_year INTEGER NOT NULL,
    PRIMARY KEY (entity, market),
    CONSTRAINT pilot_market CHECK (market IN ('beijing', 'tianjin', 'shanghai', 'chongqing', 'hubei', 'guangdong', 'shenzhen', 'fujian')),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE quality_plans (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER quality_plans_no_update BEFORE UPDATE ON quality_plans BEGIN SELECT RAISE(ABORT, 'quality_plans is append only'); END;

CREATE TRIGGER quality_plans_no_delete BEFORE DELETE ON quality_plans BEGIN SELECT RAISE(ABORT, 'quality_plans is append only'); END;

CREATE TABLE rechecks (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    subject TEXT NOT NULL,
    version INTEGER NOT NULL,
    words TEXT NOT NULL,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    answer_until_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT recheck_subject CHECK (subject IN ('verification', 'allocation')),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE TRIGGER rechecks_no_update BEFORE UPDATE ON rechecks BEGIN SELECT RAISE(ABORT, 'rechecks is append only'); END;

CREATE TRIGGER rechecks_no_delete BEFORE DELETE ON rechecks BEGIN SELECT RAISE(ABORT, 'rechecks is append only'); END;

CREATE TABLE reports (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    emissions_tonnes INTEGER NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT report_by CHECK (person > 0 AND emissions_tonnes >= 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX reports_year ON reports (year);

CREATE TRIGGER reports_no_update BEFORE UPDATE ON reports BEGIN SELECT RAISE(ABORT, 'reports is append only'); END;

CREATE TRIGGER reports_no_delete BEFORE DELETE ON reports BEGIN SELECT RAISE(ABORT, 'reports is append only'); END;

CREATE TABLE roster (
    year INTEGER NOT NULL,
    entity TEXT NOT NULL,
    sector TEXT NOT NULL,
    province TEXT NOT NULL,
    status TEXT NOT NULL,
    grounds TEXT NOT NULL,
    emissions_tonnes INTEGER,
    document TEXT NOT NULL,
    person INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL,
    PRIMARY KEY (year, entity),
    CONSTRAINT roster_sector CHECK (sector IN ('power', 'steel', 'cement', 'aluminium')),
    CONSTRAINT roster_status CHECK (status IN ('listed', 'removed')),
    CONSTRAINT roster_grounds CHECK (grounds IN ('threshold', 'listed_before', 'below_two_years', 'ceased')),
    CONSTRAINT removed_because CHECK ((status = 'removed') = (grounds IN ('below_two_years', 'ceased'))),
    CONSTRAINT roster_person CHECK (person > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TABLE roster_log (
    line INTEGER NOT NULL,
    year INTEGER NOT NULL,
    entity TEXT NOT NULL,
    status TEXT NOT NULL,
    grounds TEXT NOT NULL,
    emissions_tonnes INTEGER,
    document TEXT NOT NULL,
    person INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL,
    PRIMARY KEY (line),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 STRICT;

CREATE TRIGGER roster_log_no_update BEFORE UPDATE ON roster_log BEGIN SELECT RAISE(ABORT, 'roster_log is append only'); END;

CREATE TRIGGER roster_log_no_delete BEFORE DELETE ON roster_log BEGIN SELECT RAISE(ABORT, 'roster_log is append only'); END;

CREATE TABLE verified (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    emissions_tonnes INTEGER NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    verifier INTEGER NOT NULL,
    decided_ns INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT verified_tonnes CHECK (emissions_tonnes BETWEEN 0 AND 9007199254740992),
    CONSTRAINT verified_by CHECK (version > 0 AND verifier > 0),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX verified_year ON verified (year);

CREATE TRIGGER verified_no_update BEFORE UPDATE ON verified BEGIN SELECT RAISE(ABORT, 'verified is append only'); END;

CREATE TRIGGER verified_no_delete BEFORE DELETE ON verified BEGIN SELECT RAISE(ABORT, 'verified is append only'); END;

CREATE TABLE warnings (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    province TEXT NOT NULL,
    year INTEGER NOT NULL,
    level TEXT NOT NULL,
    due_tonnes INTEGER NOT NULL,
    short_tonnes INTEGER NOT NULL,
    short_if_sold_tonnes INTEGER NOT NULL,
    price_fen INTEGER NOT NULL,
    cash_fen INTEGER NOT NULL,
    warned_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT warning_level CHECK (level IN ('over_selling', 'short', 'unaffordable')),
    CONSTRAINT warning_figures CHECK (due_tonnes > 0 AND short_tonnes >= 0 AND short_if_sold_tonnes >= short_tonnes AND price_fen >= 0 AND cash_fen >= 0),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(province) REFERENCES provinces (code)
)
 STRICT;

CREATE INDEX warnings_entity ON warnings (entity, year);

CREATE INDEX warnings_province ON warnings (province);

CREATE TRIGGER warnings_no_update BEFORE UPDATE ON warnings BEGIN SELECT RAISE(ABORT, 'warnings is append only'); END;

CREATE TRIGGER warnings_no_delete BEFORE DELETE ON warnings BEGIN SELECT RAISE(ABORT, 'warnings is append only'); END;

CREATE TABLE borrowings (
    id INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    obligation_tonnes INTEGER NOT NULL,
    allocation_tonnes INTEGER NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    maker INTEGER NOT NULL,
    asked_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    application INTEGER,
    deduction INTEGER,
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
)
 STRICT;

CREATE INDEX borrowings_entity ON borrowings (entity);

CREATE TABLE corrections (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    grounds TEXT NOT NULL,
    document TEXT NOT NULL,
    maker INTEGER NOT NULL,
    checker INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    CONSTRAINT correction_people CHECK (maker > 0 AND checker > 0 AND maker <> checker),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER corrections_no_update BEFORE UPDATE ON corrections BEGIN SELECT RAISE(ABORT, 'corrections is append only'); END;

CREATE TRIGGER corrections_no_delete BEFORE DELETE ON corrections BEGIN SELECT RAISE(ABORT, 'corrections is append only'); END;

CREATE TABLE deduction_uses (
    allocation INTEGER NOT NULL,
    deduction INTEGER NOT NULL,
    tonnes INTEGER NOT NULL,
    PRIMARY KEY (allocation, deduction),
    CONSTRAINT deduction_use_tonnes CHECK (tonnes <> 0),
    FOREIGN KEY(allocation) REFERENCES allocations (id),
    FOREIGN KEY(deduction) REFERENCES deductions (id)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX deduction_uses_deduction ON deduction_uses (deduction);

CREATE TRIGGER deduction_uses_no_update BEFORE UPDATE ON deduction_uses BEGIN SELECT RAISE(ABORT, 'deduction_uses is append only'); END;

CREATE TRIGGER deduction_uses_no_delete BEFORE DELETE ON deduction_uses BEGIN SELECT RAISE(ABORT, 'deduction_uses is append only'); END;

CREATE TABLE deposits (
    entity TEXT NOT NULL,
    facility TEXT NOT NULL,
    month INTEGER NOT NULL,
    version INTEGER NOT NULL,
    set_name TEXT NOT NULL,
    content TEXT NOT NULL,
    emissions_t TEXT NOT NULL,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (entity, facility, month, version),
    FOREIGN KEY(entity, facility) REFERENCES facilities (entity, code),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE INDEX deposits_month ON deposits (month);

CREATE TRIGGER deposits_no_update BEFORE UPDATE ON deposits BEGIN SELECT RAISE(ABORT, 'deposits is append only'); END;

CREATE TRIGGER deposits_no_delete BEFORE DELETE ON deposits BEGIN SELECT RAISE(ABORT, 'deposits is append only'); END;

CREATE TABLE earmarks (
    id INTEGER NOT NULL,
    allocation INTEGER NOT NULL,
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    unit INTEGER NOT NULL,
    account INTEGER NOT NULL,
    reason TEXT NOT NULL,
    tonnes INTEGER NOT NULL,
    forced_tonnes INTEGER NOT NULL,
    released_tonnes INTEGER NOT NULL,
    recovered_tonnes INTEGER NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT earmark_reason CHECK (reason IN ('court_freeze', 'unpaid', 'risk', 'closed', 'lawsuit', 'debts')),
    CONSTRAINT earmark_tonnes CHECK (tonnes > 0 AND forced_tonnes >= 0 AND released_tonnes >= 0 AND recovered_tonnes >= 0 AND forced_tonnes + released_tonnes + recovered_tonnes <= tonnes),
    UNIQUE (allocation),
    FOREIGN KEY(allocation) REFERENCES allocations (id),
    FOREIGN KEY(entity) REFERENCES entities (code),
    FOREIGN KEY(unit) REFERENCES units (id),
    FOREIGN KEY(account) REFERENCES accounts (id)
)
 STRICT;

CREATE INDEX earmarks_entity ON earmarks (entity);

CREATE TABLE feedbacks (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER feedbacks_no_update BEFORE UPDATE ON feedbacks BEGIN SELECT RAISE(ABORT, 'feedbacks is append only'); END;

CREATE TRIGGER feedbacks_no_delete BEFORE DELETE ON feedbacks BEGIN SELECT RAISE(ABORT, 'feedbacks is append only'); END;

CREATE TABLE finding_answers (
    finding INTEGER NOT NULL,
    person INTEGER NOT NULL,
    words TEXT NOT NULL,
    at_ns INTEGER NOT NULL,
    PRIMARY KEY (finding),
    FOREIGN KEY(finding) REFERENCES findings (id)
)
 STRICT;

CREATE TRIGGER finding_answers_no_update BEFORE UPDATE ON finding_answers BEGIN SELECT RAISE(ABORT, 'finding_answers is append only'); END;

CREATE TRIGGER finding_answers_no_delete BEFORE DELETE ON finding_answers BEGIN SELECT RAISE(ABORT, 'finding_answers is append only'); END;

CREATE TABLE penalties (
    id INTEGER NOT NULL,
    subject TEXT NOT NULL,
    entity TEXT,
    offence TEXT NOT NULL,
    regime TEXT NOT NULL,
    clause TEXT NOT NULL,
    year INTEGER NOT NULL,
    short_tonnes INTEGER NOT NULL,
    missing_tonnes INTEGER NOT NULL,
    turnover_fen INTEGER NOT NULL,
    volume_tonnes INTEGER NOT NULL,
    gains_fen INTEGER NOT NULL,
    value_fen INTEGER NOT NULL,
    confiscated_fen INTEGER NOT NULL,
    least_fen INTEGER NOT NULL,
    most_fen INTEGER NOT NULL,
    fine_fen INTEGER NOT NULL,
    cut_tonnes INTEGER NOT NULL,
    cut_year INTEGER NOT NULL,
    document TEXT NOT NULL,
    status TEXT NOT NULL,
    maker INTEGER NOT NULL,
    made_ns INTEGER NOT NULL,
    checker INTEGER,
    decided_ns INTEGER,
    note TEXT NOT NULL,
    deduction INTEGER,
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
)
 STRICT;

CREATE INDEX penalties_entity ON penalties (entity, year);

CREATE TABLE proofs (
    id INTEGER NOT NULL,
    cancellation INTEGER NOT NULL,
    content TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    issued_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (cancellation),
    FOREIGN KEY(cancellation) REFERENCES cancellations (id)
)
 STRICT;

CREATE TRIGGER proofs_no_update BEFORE UPDATE ON proofs BEGIN SELECT RAISE(ABORT, 'proofs is append only'); END;

CREATE TRIGGER proofs_no_delete BEFORE DELETE ON proofs BEGIN SELECT RAISE(ABORT, 'proofs is append only'); END;

CREATE TABLE recheck_answers (
    recheck INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    words TEXT NOT NULL,
    version INTEGER,
    person INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (recheck),
    CONSTRAINT recheck_outcome CHECK (outcome IN ('upheld', 'corrected')),
    FOREIGN KEY(recheck) REFERENCES rechecks (id)
)
 STRICT;

CREATE TRIGGER recheck_answers_no_update BEFORE UPDATE ON recheck_answers BEGIN SELECT RAISE(ABORT, 'recheck_answers is append only'); END;

CREATE TRIGGER recheck_answers_no_delete BEFORE DELETE ON recheck_answers BEGIN SELECT RAISE(ABORT, 'recheck_answers is append only'); END;

CREATE TABLE verifications (
    entity TEXT NOT NULL,
    year INTEGER NOT NULL,
    version INTEGER NOT NULL,
    report_version INTEGER NOT NULL,
    words TEXT NOT NULL,
    late INTEGER NOT NULL,
    PRIMARY KEY (entity, year, version),
    FOREIGN KEY(entity, year, version) REFERENCES verified (entity, year, version),
    FOREIGN KEY(entity) REFERENCES entities (code)
)
 WITHOUT ROWID,
 STRICT;

CREATE TRIGGER verifications_no_update BEFORE UPDATE ON verifications BEGIN SELECT RAISE(ABORT, 'verifications is append only'); END;

CREATE TRIGGER verifications_no_delete BEFORE DELETE ON verifications BEGIN SELECT RAISE(ABORT, 'verifications is append only'); END;
