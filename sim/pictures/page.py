"""A page of HTML that needs nothing but itself: tables, figures, light and dark, paper."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence

# Nothing may be fetched, whatever stands in a scenario's texts.
HASH_LETTERS = 40  # a word longer than this may be broken
NUMBER = "n"  # class of a cell that holds a number
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
CSS = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #ffffff; --soft: #f3f5f7;
  --line: #d5dadf; --link: #005a9c; --good: #005a9c; --bad: #a63d00; --muted: #5c6670; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaec; --paper: #15181b; --soft: #20252a;
  --line: #3a4249; --link: #7cc0ff; --good: #7cc0ff; --bad: #ff9d66; --muted: #9aa5af; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem; max-width: 60rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0.5rem 0; }
h2 { font-size: 1.25rem; margin: 2rem 0 0.5rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 0.3rem; }
a { color: var(--link); }
nav a { margin-right: 0.9rem; white-space: nowrap; }
.wide { overflow-x: auto; margin: 0.5rem 0 1rem; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
th, td { padding: 0.25rem 0.6rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
td.hash { overflow-wrap: anywhere; min-width: 16rem; font-family: ui-monospace, monospace; }
thead th { background: var(--soft); }
td:first-child { white-space: nowrap; }
td.n, th.n { text-align: right; white-space: nowrap; }
tr.ok td:first-child { border-left: 4px solid var(--good); }
tr.bad td:first-child { border-left: 4px solid var(--bad); }
tr.none td { color: var(--muted); }
code, pre { font: 0.85em/1.45 ui-monospace, monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--soft); padding: 0.7rem; overflow-x: auto; }
figure { margin: 1.2rem 0; }
figure .wide { margin: 0; background: #ffffff; border: 1px solid var(--line); }
figure img { display: block; width: 100%; min-width: 36rem; height: auto; }
figcaption { font-size: 0.85rem; color: var(--muted); margin-top: 0.3rem; }
@media (max-width: 40rem) { body { padding: 0.7rem; } table { font-size: 0.8rem; }
  th, td { padding: 0.2rem 0.3rem; } td:first-child { white-space: normal; min-width: 6rem; } }
.note { color: var(--muted); font-size: 0.85rem; }
@media print { body { max-width: none; font-size: 10pt; padding: 0; --ink: #000; --paper: #fff; }
  nav { display: none; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  figure img { min-width: 0; } .wide { overflow: visible; } details > * { display: block; } }
"""


def text(words: object) -> str:
    """``words`` as HTML."""
    return html.escape(str(words))


def table(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    numbers: Sequence[int] = (),
    classes: Sequence[str] = (),
) -> str:
    """A table that scrolls by itself. ``numbers``: columns set right; ``classes``: one a row."""

    def cells(tag: str, row: Sequence[object]) -> str:
        return "".join(
            f"<{tag}{_class(_kind(each, at in numbers))}>{text(each)}</{tag}>"
            for at, each in enumerate(row)
        )

    lines = []
    for at, row in enumerate(rows):
        kind = classes[at] if at < len(classes) else ""
        lines.append(f"<tr{_class(kind)}>{cells('td', row)}</tr>")
    body = "\n".join(lines)
    return (
        f'<div class="wide"><table><thead><tr>{cells("th", head)}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _kind(cell: object, number: bool) -> str:
    """Class of a cell: a number stays on its line, a hash may be broken anywhere."""
    if number:
        return NUMBER
    words = str(cell)
    return "hash" if len(words) > HASH_LETTERS and " " not in words else ""


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""


def paragraph(words: str, kind: str = "") -> str:
    """One paragraph of plain words."""
    return f"<p{_class(kind)}>{text(words)}</p>"


def picture(svg: bytes, name: str, title: str, told: str) -> str:
    """A picture inside the page, on white so that it reads in the dark as well."""
    data = base64.b64encode(svg).decode("ascii")
    image = f'<img alt="{text(title)}" src="data:image/svg+xml;base64,{data}">'
    return (
        f'<figure id="{text(name)}"><div class="wide">{image}</div>'
        f"<figcaption>{text(told)}</figcaption></figure>"
    )


def section(name: str, title: str, *parts: str) -> str:
    """A section that the head of the page leads to."""
    body = "\n".join(parts)
    return f'<section id="{text(name)}"><h2>{text(title)}</h2>\n{body}\n</section>'


def page(title: str, lead: str, sections: Sequence[tuple[str, str, str]], css: str = "") -> str:
    """The whole page. ``sections``: name, title, and the HTML of each; ``css``: more style."""
    links = "\n".join(f'<a href="#{text(name)}">{text(words)}</a>' for name, words, _ in sections)
    body = "\n".join(each for _, _, each in sections)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{text(title)}</title>\n<style>{CSS}{css}</style>\n</head>\n<body>\n"
        f"<header><h1>{text(title)}</h1>\n{lead}\n<nav>{links}</nav></header>\n"
        f"<main>\n{body}\n</main>\n</body>\n</html>\n"
    )
