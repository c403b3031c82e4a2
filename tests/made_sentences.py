"""Finds the sentences that are made in English where nobody reads them: messages of errors, what is waited for, warnings.

Each f-string becomes a template with named placeholders, by which `conformance/i18n/sentences.py` says the sentence again in
another language. They are found mechanically, from where they go to (an exception, a wait, a list of warnings) back to where they
are written, so that none can be forgotten.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Final, TypeAlias

from conformance.i18n.sentences import BETWEEN, OPEN, WITHIN

_FunctionDef: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_EXCEPTIONS_OF_CLICK: Final = ("BadParameter", "UsageError", "ClickException")

_UNREAD: Final = frozenset({"Violation", "Spoiled", "Undecodable", "TooMuch", "_Unread", "NotJSON", "Lost"})
"""Exceptions whose messages nobody reads so: a violation's has templates of its own, the others are caught and told otherwise."""

_TAKERS: Final[Mapping[str, int]] = {
    "wait": 0, "begin": 0, "pause": 0, "let_pass": 0, "tell": 0, "_tell": 0, "tell_error": 0, "lost": 1, "Line": 2,
    "_unanswered": 0, "complain": 0, "_complain": 0, "say": 0, "mark": 0,
    "hindered": 0, "_wrong": 0, "finish": 2, "__init__": 0, "_TooLarge": 0, "Exception": 0,
}  # fmt: skip
"""Functions and methods that take a sentence, and as which argument."""

_LISTS: Final = frozenset({"warnings", "undone", "kept", "left_undone", "problems", "notes", "stopped"})
"""Lists to which sentences are added."""

_TELLERS: Final = frozenset({
    "warnings", "unkept", "doubt_warnings", "doubt_words", "refusal", "preflight", "blocked_message", "in_words",
    "left_elsewhere", "wrong_accounts", "_of_memory", "_of_persistence", "callback_fault", "why_none", "doubt",
    "_complaint", "_remedy", "_variable", "gone_words", "answer_words", "too_slow", "_failure", "_reason", "problem",
    "_why_unfinished", "_gone_words", "_kept", "problems", "_strange_words", "fault_of", "_way", "remedy", "missing_need",
    "says_nothing",
})  # fmt: skip
"""Functions whose results are sentences, or lists of them."""

_ATTRIBUTES: Final = frozenset({"stopped", "cut_short", "_gone", "failure", "why", "reason"})
"""Attributes that hold a sentence."""

_WORD: Final = re.compile(r"(?<![\w.\-\[{`/\"])[a-z]{2,}(?![\w\]])", re.IGNORECASE)

WORDS_AT_LEAST: Final = 2
"""What has fewer words of its own could be anything."""

DEEP: Final = 6
"""From one place to another it is not followed any farther."""

_PASSES_ON: Final = frozenset(
    {"str", "text", "line", "lines", "clean", "join", "tuple", "list", "dict", "fromkeys", "sorted", "said"}
)
"""Functions and methods that give back what they are given."""


def made_sentences(modules: Mapping[str, str]) -> dict[str, list[str]]:
    """Templates, and constant sentences, by where they are. `modules` is code by path."""
    reader = _Reader({path: ast.parse(code) for path, code in modules.items()})
    found: dict[str, list[str]] = {}
    alike: dict[str, str] = {}
    for path, sentence in sorted(reader.sentences(), key=lambda one: one[1]):
        kept = alike.setdefault(OPEN.sub("{}", sentence), sentence)
        if path not in found.setdefault(kept, []):
            found[kept].append(path)
    return found


@dataclass
class _Reader:
    trees: Mapping[str, ast.Module]
    exceptions: frozenset[str] = field(init=False)
    functions: dict[str, list[tuple[str, _FunctionDef]]] = field(init=False, default_factory=dict)
    constants: dict[str, list[tuple[str, ast.expr]]] = field(init=False, default_factory=dict)
    imported: dict[tuple[str, str], str] = field(init=False, default_factory=dict)
    """Where a name of a module comes from."""

    def __post_init__(self) -> None:
        classes: dict[str, list[str]] = {}
        for path, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = [_name(base) for base in node.bases]
                elif isinstance(node, _FunctionDef):
                    self.functions.setdefault(node.name, []).append((path, node))
                elif isinstance(node, ast.ImportFrom) and node.module:
                    home = node.module.replace(".", "/") + ".py"
                    self.imported |= {(path, one.asname or one.name): home for one in node.names}
            for statement in tree.body:
                for name, value in _assigned(statement):
                    self.constants.setdefault(name, []).append((path, value))
        known = {"Exception", "ValueError", "KeyError", "OSError"}
        while more := {name for name, bases in classes.items() if name not in known and known & {*bases}}:
            known |= more
        self.exceptions = frozenset(known - _UNREAD - {"Exception"}) | {*_EXCEPTIONS_OF_CLICK}

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Every sentence, and where it is."""
        for path, tree in self.trees.items():
            for expression in chain.from_iterable(self._taken(node, None) for node in _own(tree)):
                yield from self._said(path, expression, None, 0)
            for scope in (node for node in ast.walk(tree) if isinstance(node, _FunctionDef)):
                for node in _own(scope):
                    for expression in self._taken(node, scope):
                        yield from self._said(path, expression, scope, 0)

    def _taken(self, node: ast.AST, scope: _FunctionDef | None) -> Iterator[ast.expr]:
        """What is taken for a sentence at this place."""
        if isinstance(node, ast.Call):
            name = _name(node.func)
            place = 0 if name in self.exceptions else _TAKERS.get(name)
            if place is not None and len(node.args) > place:
                yield node.args[place]
            if name in {"append", "extend"} and isinstance(node.func, ast.Attribute):
                yield from node.args if _name(node.func.value) in _LISTS else ()
        elif (
            isinstance(node, ast.Return | ast.Yield | ast.YieldFrom)
            and scope is not None
            and scope.name in _TELLERS
            and node.value
        ):
            yield node.value
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                if isinstance(target, ast.Attribute) and target.attr in _ATTRIBUTES | _LISTS:
                    yield node.value

    def _said(self, path: str, node: ast.expr, scope: _FunctionDef | None, deep: int) -> Iterator[tuple[str, str]]:
        """The sentences that an expression can be, and those within them."""
        if deep > DEEP:
            return
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and _is_sentence(node.value):
                yield path, node.value.removeprefix(BETWEEN)
        elif isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add)):
            parts = list(_parts(node))
            yield from ((path, one) for one in self._templates(path, parts, scope, deep))
            for part in parts:
                if not isinstance(part, ast.Constant) and not [*_choice(_of(part))]:
                    yield from self._said(path, _of(part), scope, deep + 1)
        else:
            yield from chain.from_iterable(self._said(*one, deep + 1) for one in self._behind(path, node, scope))

    def _behind(
        self, path: str, node: ast.expr, scope: _FunctionDef | None
    ) -> Iterator[tuple[str, ast.expr, _FunctionDef | None]]:
        """The expressions of which the value of this one is one, each with where it is."""
        if isinstance(node, ast.Name):
            here = [] if scope is None else [value for one in _own(scope) for value in _put_into(node.id, one)]
            yield from ((path, one, scope) for one in here)
            if not here:
                constants = self.constants.get(node.id, ())
                home = self.imported.get((path, node.id), path)
                near = [one for one in constants if one[0] == home] or (constants if len(constants) == 1 else ())
                yield from ((where, value, None) for where, value in near)
        elif isinstance(node, ast.Attribute):
            for where, function in self.functions.get(node.attr, ()):
                if any(_name(one) == "property" for one in function.decorator_list):
                    yield from ((where, one, function) for one in _results(function))
        elif within := _within(node):
            yield from ((path, one, scope) for one in within)
        elif isinstance(node, ast.Call) and len(functions := self.functions.get(_name(node.func), [])) == 1:
            where, function = functions[0]
            yield from ((where, one, function) for one in _results(function))

    def _templates(self, path: str, parts: Sequence[ast.expr], scope: _FunctionDef | None, deep: int) -> Iterator[str]:
        """The templates of a text of several parts: one for each choice between constants in it."""
        choices: list[list[str | ast.expr]] = []
        for part in parts:
            if isinstance(part, ast.Constant):
                choices.append([str(part.value)])
            else:
                choices.append([*_choice(_of(part))] or [part])
        for choice in product(*choices):
            seen: dict[str, str] = {}
            text = ""
            for one in choice:
                if isinstance(one, str):
                    text += one.replace("{", "{{").replace("}", "}}")
                    continue
                source = ast.unparse(_of(one))
                is_beside = text.endswith("}") and not text.endswith("}}")
                if source not in seen:
                    within = self._is_said(path, _of(one), scope, deep)
                    if within and is_beside and [*seen.values()][-1] in WITHIN:
                        continue  # it goes on with the sentence before
                    seen[source] = _named(_of(one), within=within, taken=seen.values())
                text += f"{{{seen[source]}}}"
            if _is_sentence(text):
                yield text.removeprefix(BETWEEN)

    def _is_said(self, path: str, node: ast.expr, scope: _FunctionDef | None, deep: int) -> bool:
        """Whether an expression stands for a sentence of its own: an exception does."""
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        handlers = [one for one in ast.walk(scope) if isinstance(one, ast.ExceptHandler)] if scope is not None else []
        return any(one.name in names for one in handlers) or any(True for _ in self._said(path, node, scope, deep + 1))


def _name(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


def _within(node: ast.expr) -> Sequence[ast.expr]:
    """The parts of an expression of which its value is one, or is made."""
    here: Sequence[ast.expr] = ()
    match node:
        case ast.IfExp():
            here = (node.body, node.orelse)
        case ast.BoolOp() | ast.Dict():
            here = node.values
        case ast.List() | ast.Tuple():
            here = node.elts
        case ast.Starred() | ast.Await() | ast.Subscript():
            here = (node.value,)
        case ast.GeneratorExp() | ast.ListComp():
            here = (node.elt,)
        case ast.Call(func=ast.Attribute(value=of, attr="format")):
            here = (of,)
        case ast.Call(func=ast.Attribute(value=of, attr="get")):
            here = (of, *node.args[1:])
        case ast.Call() if _name(node.func) in _PASSES_ON:
            here = node.args
    return here


def _own(scope: _FunctionDef | ast.Module) -> Iterator[ast.AST]:
    """The nodes of a function or of a module, without those of functions within."""
    waiting: list[ast.AST] = [*scope.body]
    while waiting:
        node = waiting.pop(0)
        yield node
        if not isinstance(node, _FunctionDef | ast.ClassDef):
            waiting[:0] = ast.iter_child_nodes(node)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from ((_name(one), value) for one, value in zip(target.elts, node.value.elts, strict=False))
            elif isinstance(target, ast.Name):
                yield target.id, node.value
    elif (
        isinstance(node, ast.AnnAssign | ast.AugAssign | ast.NamedExpr)
        and isinstance(node.target, ast.Name)
        and node.value
    ):
        yield node.target.id, node.value


def _put_into(name: str, node: ast.AST) -> Iterator[ast.expr]:
    """What a statement or call puts into a variable, or into the list that it holds."""
    yield from (value for one, value in _assigned(node) if one == name)
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr="append" | "extend")) if held == name:
            yield from node.args


def _results(function: _FunctionDef) -> Iterator[ast.expr]:
    for node in _own(function):
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom) and node.value is not None:
            yield node.value


def _parts(node: ast.expr) -> Iterator[ast.expr]:
    """The parts of a text that are put together."""
    if isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from _parts(value)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _parts(node.left)
        yield from _parts(node.right)
    else:
        yield node


def _of(node: ast.expr) -> ast.expr:
    """What is filled in, without how it is written."""
    return node.value if isinstance(node, ast.FormattedValue) else node


def _choice(node: ast.expr) -> Iterator[str]:
    """The constants between which an expression chooses; none where there is anything else."""
    if isinstance(node, ast.IfExp):
        if all(isinstance(one, ast.Constant | ast.IfExp) for one in (node.body, node.orelse)):
            yield from _choice(node.body)
            yield from _choice(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def _is_sentence(text: str) -> bool:
    return len(_WORD.findall(OPEN.sub(" ", text))) >= WORDS_AT_LEAST


def _named(node: ast.expr, *, within: bool, taken: Iterable[str]) -> str:
    """The name of a placeholder: of what is filled in, the last name."""
    names = [one.group() for one in re.finditer(r"[A-Za-z_]\w*", ast.unparse(node))]
    if isinstance(node, ast.Call) and _name(node.func) in {"shown", "join"}:
        names = [one for one in names if one not in {"shown", "join", "for", "in", "self", "sorted"}] or names
        name = names[0] if "join" in ast.unparse(node) else names[-1]
    elif isinstance(node, ast.BoolOp):
        name = _name(node.values[0]) or names[0]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
        name = _name(node.args[0]) or node.func.id
    else:
        name = _name(node) or next((one for one in names if one not in {"self", "str", "len"}), "what")
    name = name.strip("_").lower() or "it"
    if within and name not in WITHIN:
        name = "reason"
    number = 2
    base = name
    while name in taken:
        name, number = f"{base}{number}", number + 1
    return name
