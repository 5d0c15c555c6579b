"""Allocation of allowances by the national plans (AL-01 to AL-87): pure, exact, explained.

``plan_file.load`` reads a plan, ``reading.read_rows`` or ``read_csv`` the units,
``engine.allocate`` computes a year, ``explain`` says why, ``calculator`` is the command. Nothing
here knows a database or a clock.
"""
