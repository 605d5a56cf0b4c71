"""The template's parts in infra/template, put together to the one file that Chalice merges.

A part is CloudFormation in YAML with its short tags (`!Ref`, `!GetAtt`, ...). A part that begins with
`ForEach`, a list of rows, is repeated for each row: in keys and texts `<column>` is replaced by the row's
value. A text that is nothing but `<column>` becomes the value itself, a number too; a member whose value
becomes null this way is left out. Parts may complete each other's members, but none says anything twice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml

from infra.package.errors import PackagingError

FOR_EACH = "ForEach"
_COLUMN = re.compile(r"<([a-z_]+)>")


class _Loader(yaml.SafeLoader):
    """Reads the short tags in their long form; knows nothing of anybody else's loader."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    value: object
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(cast("yaml.MappingNode", node), deep=True)
    return {name: value}


_Loader.add_multi_constructor("!", _tagged)


def assemble(directory: Path) -> dict[str, Any]:
    """The template that the parts in `directory` make. Raises PackagingError, which names part and member."""
    template: dict[str, Any] = {}
    for file in sorted(directory.glob("*.yaml")):
        try:
            part = yaml.load(file.read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
            for copy in _repeated(part):
                _complete(template, copy, ())
        except (yaml.YAMLError, PackagingError) as error:
            raise PackagingError(f"{file.name}: {error}") from error
    return template


def write(directory: Path, file: Path) -> Path:
    """Write the assembled template of `directory` into `file`, and return `file`. Raises PackagingError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.dump(assemble(directory), Dumper=_Plain, sort_keys=False), "utf-8")
    return file


class _Plain(yaml.SafeDumper):
    """Writes what is used twice twice: whoever reads the result need not look for anchors."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - of nothing
        return True


def _repeated(part: dict[str, Any]) -> list[dict[str, Any]]:
    rows = part.pop(FOR_EACH, None)
    return [part] if rows is None else [_filled(part, row) for row in rows]


def _filled(node: Any, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - whatever YAML holds
    """`node` with the row's values in place of its columns."""
    if isinstance(node, dict):
        filled = {_filled(key, row): (value, _filled(value, row)) for key, value in node.items()}
        return {key: new for key, (old, new) in filled.items() if new is not None or old is None}
    if isinstance(node, list):
        return [_filled(item, row) for item in node]
    return _text(node, row) if isinstance(node, str) else node


def _text(text: str, row: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a row's value
    unknown = set(_COLUMN.findall(text)) - set(row)
    if unknown:
        raise PackagingError(f"no column is called {', '.join(sorted(unknown))}")
    if whole := _COLUMN.fullmatch(text):
        return row[whole[1]]
    return _COLUMN.sub(lambda found: str(row[found[1]]), text)


def _complete(template: dict[str, Any], part: Mapping[str, Any], path: tuple[str, ...]) -> None:
    """Add the members of `part`, at any depth, to those of `template`."""
    for name, value in part.items():
        present = template.get(name)
        if isinstance(present, dict) and isinstance(value, dict):
            _complete(present, value, (*path, name))
        elif name not in template:
            template[name] = value
        elif (*path, name)[-1] != "Type" or present != value:
            raise PackagingError(f"{'/'.join((*path, name))} is said twice")
