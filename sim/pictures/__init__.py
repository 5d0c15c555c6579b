"""Pictures of simulated seasons: what happened, what was observed, how far apart; one report page.

One file a family of pictures. Every picture is a function ``name(runs, observed=None) -> Figure``:
``runs`` is a Run or several seeds of one season, ``observed`` the path of the exchange's daily file
(docs/reference/season.md). ``gallery`` has them all, ``report`` makes the page.
"""
