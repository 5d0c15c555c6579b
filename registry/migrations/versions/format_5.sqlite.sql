CREATE TABLE correction_limits (
    penalty INTEGER NOT NULL,
    limit_ns INTEGER NOT NULL,
    PRIMARY KEY (penalty),
    CONSTRAINT correction_limit CHECK (limit_ns > 0),
    FOREIGN KEY(penalty) REFERENCES penalties (id)
)
 STRICT;

CREATE TRIGGER correction_limits_no_update BEFORE UPDATE ON correction_limits BEGIN SELECT RAISE(ABORT, 'correction_limits is append only'); END;

CREATE TRIGGER correction_limits_no_delete BEFORE DELETE ON correction_limits BEGIN SELECT RAISE(ABORT, 'correction_limits is append only'); END;
