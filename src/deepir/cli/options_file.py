"""Options of a command in a YAML file, read as the text that stands there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from deepir.errors import DeepirError, UsageError

if TYPE_CHECKING:
    from yaml import Node

Value = str | dict[str, str]
"""Text of an option; of a group of options, such as ``mixture``, the texts by their names."""

MOST_BYTES = 2**18

NOTHING, TEXT, LIST, NAMES = "nothing", "one text", "a list", "names with values"


def read_options(path: Path) -> dict[str, Value]:
    """Options in a YAML file by name; those without a text are left out.

    ``bf16: on`` or ``lr: 1e-3`` mean here what they mean as options. Of a ``run.json`` the options
    of its run.

    Raises:
        UsageError: PyYAML is not installed; no such file, no YAML, no names with values, a name
            that stands there twice, or a value that no option can have.
    """
    named = _named(_tree(path), repr(str(path)))
    if "format" in named and "options" in named:
        named = _named(named["options"], f"'options' in {str(path)!r}")
    if "config" in named:
        raise UsageError(f"{str(path)!r} holds options itself, it cannot name another file: config")
    values = {name: _value(name, node, str(path)) for name, node in named.items()}
    return {name: value for name, value in values.items() if value != ""}


def _tree(path: Path) -> Node | None:
    """Nodes of the file, None where it is empty; aliases are not followed, nothing is built."""
    from deepir.data.listing import read_limited
    from deepir.data.nesting import check_nesting

    try:
        import yaml
    except ImportError:
        raise UsageError(
            "--config needs PyYAML, not installed here: pip install 'deepir[train]'"
        ) from None
    try:
        text = read_limited(path, MOST_BYTES).decode("utf-8-sig")
        check_nesting(text)
        tree: Node | None = yaml.compose(text, yaml.BaseLoader)
    except DeepirError as error:
        raise UsageError(str(error)) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read the options {str(path)!r}: {reason}") from None
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{str(path)!r} is no YAML: {reason}") from None
    return tree


def _kind(node: Node | None) -> str:
    from yaml import MappingNode, SequenceNode

    if node is None:
        return NOTHING
    if isinstance(node, MappingNode):
        return NAMES
    return LIST if isinstance(node, SequenceNode) else TEXT


def _named(node: Node | None, place: str) -> dict[str, Node]:
    """What stands in a mapping, by its names."""
    if node is None or _kind(node) != NAMES:
        raise UsageError(
            f"{place} is to hold names with values, such as 'iterations: 4000', it holds"
            f" {_kind(node)}"
        )
    named: dict[str, Node] = {}
    for key, value in node.value:
        name = key.value if _kind(key) == TEXT else _kind(key)
        if name in named or _kind(key) != TEXT:
            raise UsageError(
                f"{place}, line {key.start_mark.line + 1}: {name!r}"
                f" {'stands there twice' if name in named else 'is no name'}: leave it out"
            )
        named[name] = value
    return named


def _value(name: str, node: Node, path: str) -> Value:
    """Text of an option, or the texts of a group."""
    if _kind(node) == TEXT:
        return str(node.value)
    place = f"{name!r} in {path!r}"
    group = _named(node, place) if _kind(node) == NAMES else {"": node}
    for inner in group.values():
        if _kind(inner) != TEXT:
            raise UsageError(f"{place}: a text is wanted, it holds {_kind(inner)}")
    return {inner: str(text.value) for inner, text in group.items()}
