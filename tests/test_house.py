"""The house is in order: a name stands for one thing, and is imported from where that is."""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "convertro_cli"


@cache
def trees() -> dict[Path, ast.Module]:
    """The files of the package, parsed."""
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in PACKAGE.rglob("*.py")}


def test_no_two_classes_have_the_same_name() -> None:
    """Whoever looks for one finds it, and an import says all."""
    places = defaultdict(list)
    for path, tree in trees().items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(PACKAGE)))
    assert len(places) > 200
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_file_only_hands_on_what_others_define() -> None:
    """A name is imported from the file that defines it."""
    plain = (ast.Import, ast.ImportFrom, ast.Expr)
    for path, tree in trees().items():
        kinds = Counter(type(node) for node in tree.body if not _is_list_of_names(node))
        assert kinds.keys() - set(plain) or not kinds.keys() & {ast.Import, ast.ImportFrom}, path


def _is_list_of_names(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
