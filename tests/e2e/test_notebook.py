"""The notebook of docs/tutorial runs from the top and prints what it shows.

``python -m tests.e2e.test_notebook --write`` runs it and writes its outputs into the file. Pictures
are drawn anew but not compared: their bytes depend on the fonts of a machine.
"""

from __future__ import annotations

import copy
import io
import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import nbformat
import pytest
from traitlets.config import Config

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries, when they are imported
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs/tutorial/a-season-in-a-notebook.ipynb"
CELL_SECONDS = 120
WHOLE_SECONDS = 280
ADDRESS = re.compile(r"0x[0-9a-f]{6,}")  # of an object: another one each time


def played(notebook: Any) -> Any:
    """Return a copy that has been run from the top in a kernel of its own, without old outputs."""
    found = copy.deepcopy(notebook)
    for cell in found.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    client = NotebookClient(
        found,
        timeout=CELL_SECONDS,
        startup_timeout=CELL_SECONDS,
        kernel_name="python3",
        record_timing=False,
        config=Config({"KernelManager": {"transport": "ipc"}}),  # no ports
        resources={"metadata": {"path": str(ROOT)}},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the client's event loop
        client.execute(env=os.environ | {"PYTHONWARNINGS": "ignore", "JUPYTER_PLATFORM_DIRS": "1"})
    return found


def printed(cell: Any) -> str:
    """Return what a cell said as text, pictures left out."""
    parts = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            parts.append(output.text)
        elif "image/png" not in output.get("data", {}):
            parts.append(output.get("data", {}).get("text/plain", ""))
    return ADDRESS.sub("0x", "".join(parts)).strip()


def pictures(notebook: Any) -> list[str]:
    """Return the pictures of a notebook, base64 of PNG."""
    return [
        output.data["image/png"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def differences(shown: Any, run: Any) -> list[str]:
    """Return where a notebook shows something else than its run printed."""
    pairs = zip(shown.cells, run.cells, strict=True)
    return [
        f"cell {number}:\n{printed(old)}\n--- is now ---\n{printed(new)}"
        for number, (old, new) in enumerate(pairs)
        if printed(old) != printed(new)
    ]


def read() -> Any:
    """Return the notebook as it is in the repository."""
    return nbformat.read(io.StringIO(NOTEBOOK.read_text(encoding="utf-8")), as_version=4)


@pytest.fixture(scope="module")
def run() -> Any:
    return played(read())


@pytest.mark.timeout(WHOLE_SECONDS)
def test_the_notebook_prints_what_it_shows(run: Any) -> None:
    found = differences(read(), run)
    assert not found, "\n".join(
        [*found, "write it anew: python -m tests.e2e.test_notebook --write"]
    )


@pytest.mark.timeout(WHOLE_SECONDS)
def test_every_cell_said_something_and_nothing_went_wrong(run: Any) -> None:
    code = [cell for cell in run.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    silent = [cell.source for cell in code if not cell.outputs]
    assert len(silent) == 1, "only the cell that simulates the arms says nothing"
    assert len(pictures(run)) == len(pictures(read())) == 2


@pytest.mark.timeout(WHOLE_SECONDS)
def test_a_cell_that_fails_or_says_something_else_is_seen() -> None:
    broken = read()
    broken.cells = broken.cells[:2]
    broken.cells[1].source = "raise ValueError('as wanted')"
    with pytest.raises(CellExecutionError, match="as wanted"):
        played(broken)
    other = read()
    other.cells = other.cells[:2]
    harmed = copy.deepcopy(other)
    harmed.cells[1].outputs[0].data["text/plain"] += " and more"
    assert differences(other, other) == []
    assert len(differences(harmed, other)) == 1


def test_the_file_is_clean() -> None:
    """Nothing of the machine it was written on; small enough to be read on a page."""
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert str(ROOT) not in text
    assert "/tmp/" not in text
    assert len(text) < 600_000
    shown = read()
    nbformat.validate(shown)
    assert set(shown.metadata) == {"kernelspec", "language_info"}
    links = {
        link
        for cell in shown.cells
        if cell.cell_type == "markdown"
        for link in re.findall(r"\]\(([^)#]+)", cell.source)
    }
    assert links
    assert not [each for each in links if not (NOTEBOOK.parent / each).exists()]


def write() -> None:
    """Run the notebook and keep what it printed, without traces of the kernel."""
    found = played(read())
    found.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in found.cells:
        cell.metadata = {}
    NOTEBOOK.write_text(nbformat.writes(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if "--write" in sys.argv:
        write()
    else:
        print("\n".join(printed(cell) for cell in played(read()).cells))
