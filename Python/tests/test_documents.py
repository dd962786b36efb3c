"""The examples of the guide and of the package's page run, and print what they show; so does the notebook."""

import contextlib
import io
import re

import pytest

# Blocks of Python, each with what it prints, if that is shown in a block right behind it.
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.M | re.S)


@pytest.mark.parametrize("name", ["Documentation/python.md", "Python/README.md"])
def test_examples_print_what_they_show(name, root, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = BLOCK.findall((root / name).read_text())
    assert blocks
    scope = {}
    for code, shown in blocks:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, name, "exec"), scope)
        assert printed.getvalue() == shown


def test_the_notebook_runs(root, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    notebook = nbformat.read(root / "Python" / "examples" / "first-look.ipynb", as_version=4)
    shown = [set().union(*(o.get("data", {}) for o in c.get("outputs", []))) for c in notebook.cells]
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    again = [set().union(*(o.get("data", {}) for o in c.get("outputs", []))) for c in notebook.cells]
    assert again == shown, "the notebook as it is kept shows other kinds of output"
    kinds = set().union(*again)
    assert {"image/svg+xml", "text/html"} <= kinds
