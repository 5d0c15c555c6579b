"""The exchange as a pure function: rules, books, ledger, day cycle. No clock, disk or network."""
