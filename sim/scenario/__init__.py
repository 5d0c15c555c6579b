"""Scenarios: one readable TOML file holds a season's rules, dates, population and behaviour."""
