"""How code makes a text: of which expressions, and what stands open in it. Pure; for `tests/made_sentences.py`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, TypeAlias

from conformance.i18n.sentences import OPEN, WITHIN

FunctionDef: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_WORD: Final = re.compile(r"(?<![\w.\-\[{`/\"])[a-z]{2,}(?![\w\]])", re.IGNORECASE)

WORDS_AT_LEAST: Final = 2
"""What has fewer words of its own could be anything."""

_PASSES_ON: Final = frozenset(
    {"str", "text", "line", "lines", "clean", "join", "tuple", "list", "dict", "fromkeys", "sorted", "said", "mark"}
)
"""Functions and methods that give back what they are given."""


def is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add))


def may_be_said(node: ast.expr) -> bool:
    """Whether an expression is a sentence in itself, whatever is filled in."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and is_sentence(node.value)
    parts = [*parts_of(node)] if is_text(node) else []
    return is_sentence("{it}".join(str(one.value) for one in parts if isinstance(one, ast.Constant)))


def name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def called(call: ast.Call) -> ast.Call:
    """The call that is made later, where this one is of `partial`."""
    if name_of(call.func) == "partial" and call.args:
        return ast.Call(call.args[0], call.args[1:], call.keywords)
    return call


def parameters_of(function: FunctionDef) -> list[str]:
    """The names of its parameters, those by place first."""
    return [one.arg for one in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def made_of(node: ast.expr) -> Sequence[ast.expr]:
    """The parts of an expression of which its value is one, or is made."""
    here: Sequence[ast.expr] = ()
    match node:
        case ast.IfExp():
            here = (node.body, node.orelse)
        case ast.BoolOp() | ast.Dict():
            here = node.values
        case ast.List() | ast.Tuple():
            here = node.elts
        case ast.Starred() | ast.Await() | ast.YieldFrom() | ast.Subscript():
            here = (node.value,)
        case ast.GeneratorExp() | ast.ListComp():
            here = (node.elt,)
        case ast.Call(func=ast.Attribute(value=of, attr="format")):
            here = (of,)
        case ast.Call(func=ast.Attribute(value=of, attr="get")):
            here = (of, *node.args[1:])
        case ast.Call() if name_of(node.func) in _PASSES_ON:
            here = node.args
    return here


@cache
def everything(tree: ast.Module) -> tuple[ast.AST, ...]:
    """All nodes of a module. (Kept)"""
    return tuple(ast.walk(tree))


@cache
def caught(scope: FunctionDef) -> frozenset[str | None]:
    """The names that a function gives to exceptions it catches. (Kept)"""
    return frozenset(one.name for one in ast.walk(scope) if isinstance(one, ast.ExceptHandler))


@cache
def own(scope: FunctionDef | ast.Module) -> tuple[ast.AST, ...]:
    """The nodes of a function or of a module, without those of functions within. (Kept: each is asked for a hundred times)"""
    found = list[ast.AST]()
    waiting: list[ast.AST] = [*reversed(scope.body)]
    while waiting:
        found.append(node := waiting.pop())
        if not isinstance(node, FunctionDef | ast.ClassDef):
            waiting.extend(reversed([*ast.iter_child_nodes(node)]))
    return tuple(found)


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from ((name_of(one), value) for one, value in zip(target.elts, node.value.elts, strict=False))
            elif isinstance(target, ast.Name):
                yield target.id, node.value
    elif (
        isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
        and isinstance(node.target, ast.Name)
        and node.value
    ):
        yield node.target.id, node.value


def put_into(name: str, node: ast.AST) -> Iterator[ast.expr]:
    """What a statement or call puts into a variable, or into the list that it holds."""
    yield from (value for one, value in assigned(node) if one == name)
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="append" | "extend")) if held == name:
            yield from node.args


def results(function: FunctionDef) -> Iterator[ast.expr]:
    for node in own(function):
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
            yield node.value


def parts_of(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of a text that are put together."""
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from parts_of(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from parts_of(node.left)
        yield from parts_of(node.right)
    else:
        yield node


def filled_in(node: ast.expr) -> ast.expr:
    """What is filled in, without how it is written."""
    return node.value if isinstance(node, ast.FormattedValue) else node


def choice(node: ast.expr) -> Iterator[Sequence[ast.expr]]:
    """The texts between which an expression chooses, each by its parts; none where there is anything else."""
    if isinstance(node, ast.IfExp):
        if all(isinstance(one, ast.Constant | ast.JoinedStr | ast.IfExp) for one in (node.body, node.orelse)):
            yield from choice(node.body)
            yield from choice(node.orelse)
    elif isinstance(node, ast.JoinedStr):
        yield [*parts_of(node)]
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield [node]


def is_sentence(text: str) -> bool:
    return len(_WORD.findall(OPEN.sub(" ", text))) >= WORDS_AT_LEAST


def named(node: ast.expr, *, within: bool, taken: Iterable[str]) -> str:
    """The name of a placeholder: of what is filled in, the last name."""
    names = [one.group() for one in re.finditer(r"[A-Za-z_]\w*", ast.unparse(node))]
    if isinstance(node, ast.Call) and name_of(node.func) in {"shown", "join"}:
        is_join = name_of(node.func) == "join"
        if is_join:
            names = [one.group() for one in re.finditer(r"[A-Za-z_]\w*", ast.unparse(node.args[0]))]
        names = [one for one in names if one not in {"shown", "join", "for", "in", "self", "sorted"}] or names
        name = names[0] if is_join or "join" in ast.unparse(node) else names[-1]
    elif isinstance(node, ast.BoolOp):
        name = name_of(node.values[0]) or names[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        name = name_of(node.args[0]) or node.func.id
    else:
        name = name_of(node) or next((one for one in names if one not in {"self", "str", "len"}), "what")
    name = name.strip("_").lower() or "it"
    if within and name not in WITHIN:
        name = "reason"
    number = 2
    base = name
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
