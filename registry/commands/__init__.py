"""The steps of ``tanshi registry``: each opens the books, does one thing, says what became of it.

Exit codes: 0 everything was done; 1 some rows were refused, the rest was done; 2 nothing could be
done, nothing has changed.
"""
