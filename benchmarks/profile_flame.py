"""A flame graph as one SVG without scripts: a panel per case, frames in the colour of their stage.

The width of a frame is its share of the samples; what it called stands on it. Hovering shows the
whole name and the share.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from benchmarks.profile_stacks import STAGES, Stacks, stage_of

WIDTH, MARGIN = 1200.0, 12.0
ROW, LETTER, TEXT = 16.0, 6.1, 10.5  # of a frame: height, width of a letter, size of the letters
LEAST = 1.5  # narrower frames are not drawn
HEAD, LEGEND = 44.0, 40.0
COLOURS = (  # by stage: blues come and go, greens write and match, warm ones tell
    *("#a9c6de", "#7fb2d9", "#f6c85f", "#c9a66b", "#8fbf6b", "#cfd3d8", "#5fa8a0", "#e0a58f"),
    *("#e07a5f", "#7f9fd9", "#9fb8e8", "#b08ccf", "#e6e6e2"),
)


@dataclass
class Node:
    """A frame with everything it called."""

    name: str
    stage: str = ""
    count: int = 0
    callees: dict[str, Node] = field(default_factory=dict)


def tree(stacks: Stacks) -> Node:
    """Return the frames of all stacks merged from the root on."""
    root = Node("all")
    for stack, count in sorted(stacks.items()):
        root.count += count
        node, path = root, list[str]()
        for frame in stack:
            path.append(frame)
            if frame not in node.callees:
                node.callees[frame] = Node(frame, stage_of(tuple(path)))
            node = node.callees[frame]
            node.count += count
    return root


def flame_svg(panels: Mapping[str, Stacks], title: str) -> str:
    """Return the SVG. panels: the stacks by the panel's caption.

    Raises:
        ValueError: a panel without samples.
    """
    parts, top = [], HEAD
    for caption, stacks in panels.items():
        if not any(stacks.values()):
            raise ValueError(f"no samples of {caption}")
        root = tree(stacks)
        depth = _depth(root, root.count)
        parts.append(_label(MARGIN, top + 14, caption, 13))
        parts.append(_drawn(root, top + 22 + (depth - 1) * ROW))
        top += 22 + depth * ROW + 10
    height = top + LEGEND
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:.0f} {height:.0f}"'
            ' font-family="Verdana, DejaVu Sans, sans-serif">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH:.0f}" height="{height:.0f}" fill="#ffffff"/>',
            _label(MARGIN, 26, title, 17),
            *parts,
            _legend(top),
            "</svg>\n",
        )
    )


def _depth(node: Node, whole: int) -> int:
    """Return how many frames stand on each other where they are wide enough to be drawn."""
    drawn = [each for each in node.callees.values() if _width(each, whole) >= LEAST]
    return 1 + max((_depth(each, whole) for each in drawn), default=0)


def _width(node: Node, whole: int) -> float:
    return node.count / whole * (WIDTH - 2 * MARGIN)


def _drawn(root: Node, bottom: float) -> str:
    found: list[str] = []

    def draw(node: Node, left: float, level: int) -> None:
        width = _width(node, root.count)
        if width < LEAST:
            return
        found.append(_frame(node, root.count, left, bottom - level * ROW, width))
        for callee in sorted(node.callees.values(), key=lambda each: each.name):
            draw(callee, left, level + 1)
            left += _width(callee, root.count)

    draw(root, MARGIN, 0)
    return "\n".join(found)


def _frame(node: Node, whole: int, left: float, top: float, width: float) -> str:
    colour = COLOURS[STAGES.index(node.stage)] if node.stage else "#eeeeee"
    words = escape(f"{node.name}: {node.count / whole:.1%}, {node.stage or 'everything'}")
    shown = _fitting(node.name, int((width - 6) / LETTER))
    text = _label(left + 3, top + 11.5, shown, TEXT) if shown else ""
    return (
        f'<g><title>{words}</title><rect x="{left:.1f}" y="{top:.1f}" width="{width - 0.4:.1f}"'
        f' height="{ROW - 1:.1f}" rx="1" fill="{colour}"/>{text}</g>'
    )


def _fitting(name: str, room: int) -> str:
    """Return what of a name has room: with its file, without, the last word, its beginning."""
    plain = name.split(" (", maxsplit=1)[0]
    for shown in (name, plain, plain.rsplit(".", 1)[-1]):
        if len(shown) <= room:
            return shown
    return shown[: room - 1] + "…" if room > 3 else ""


def _legend(top: float) -> str:
    parts, left = [], MARGIN
    for stage, colour in zip(STAGES, COLOURS, strict=True):
        width = 16 + LETTER * len(stage) + 12
        if left + width > WIDTH - MARGIN:
            left, top = MARGIN, top + 18
        parts.append(
            f'<rect x="{left:.1f}" y="{top:.1f}" width="12" height="12" fill="{colour}"/>'
            + _label(left + 16, top + 10, stage, TEXT)
        )
        left += width
    return "\n".join(parts)


def _label(left: float, base: float, text: str, size: float) -> str:
    return f'<text x="{left:.1f}" y="{base:.1f}" font-size="{size:g}">{escape(text)}</text>'
