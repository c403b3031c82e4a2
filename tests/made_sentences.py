"""Finds the sentences that are made in English where nobody reads them: messages of errors and
violations, what is waited for, warnings.

Each f-string becomes a template with named placeholders, by which `conformance/i18n/sentences.py` says the sentence again in
another language. They are found mechanically, from where they go to (an exception, a wait, a list of warnings) back to where they
are written, so that none can be forgotten.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, product
from typing import Final, NamedTuple, TypeAlias

from conformance.i18n.sentences import BETWEEN, OPEN, WITHIN
from tests.texts_in_code import (
    FunctionDef,
    assigned,
    called,
    caught,
    choice,
    everything,
    filled_in,
    is_sentence,
    is_text,
    made_of,
    may_be_said,
    name_of,
    named,
    own,
    parameters_of,
    parts_of,
    put_into,
    results,
)


class _Came(NamedTuple):
    """By which call it was followed into the function in which an expression stands."""

    path: str
    call: ast.Call
    scope: FunctionDef | None
    before: _Came | None


_Place: TypeAlias = tuple[str, ast.expr, FunctionDef | None, _Came | None]
"""An expression, its module, the function in which it stands, and how it was come there: what that function is given is what
that call gives it, and not what any other does."""

_EXCEPTIONS_OF_CLICK: Final = ("BadParameter", "UsageError", "ClickException")

_UNREAD: Final = frozenset({"Violation", "Spoiled", "Undecodable", "TooMuch", "_Unread", "NotJSON", "Lost"})
"""Exceptions whose messages nobody reads so: of a violation its parts are read, the others are caught and told otherwise."""

_NAMED: Final[Mapping[str, Sequence[str]]] = {
    "Violation": ("expected", "actual", "context"), "breaks": ("instead",), "replace": ("note",),
}  # fmt: skip
"""What takes sentences as arguments of these names. They are followed to those who call, too: what takes them is deep within."""

_THROUGH: Final = frozenset({"hindered", "cannot_tell", "breaks"})
"""Of the takers those whose sentences are followed so, too."""

_TAKERS: Final[Mapping[str, int]] = {
    "wait": 0, "begin": 0, "pause": 0, "let_pass": 0, "tell": 0, "_tell": 0, "tell_error": 0, "lost": 1, "Line": 2,
    "_unanswered": 0, "complain": 0, "_complain": 0, "say": 0, "mark": 0,
    "hindered": 0, "_wrong": 0, "finish": 2, "__init__": 0, "cannot_tell": 1, "breaks": 2, "_TooLarge": 0, "Exception": 0,
}  # fmt: skip
"""Functions and methods that take a sentence, and as which argument."""

_LISTS: Final = frozenset({"warnings", "undone", "kept", "left_undone", "problems", "notes", "stopped"})
"""Lists to which sentences are added."""

_TELLERS: Final = frozenset({
    "warnings", "unkept", "doubt_warnings", "doubt_words", "refusal", "preflight", "blocked_message", "in_words",
    "left_elsewhere", "wrong_accounts", "_of_memory", "_of_persistence", "callback_fault", "why_none", "doubt",
    "_complaint", "_remedy", "_variable", "gone_words", "answer_words", "too_slow", "_failure", "_reason", "problem",
    "_why_unfinished", "_gone_words", "_kept", "problems", "_strange_words", "fault_of", "_way", "remedy", "missing_need",
    "why_not", "objection", "_objections_to_opening", "_objections_to_release", "shown_words", "_verdict",
    "_file", "_entries", "_accepted", "_by_body", "_differs", "_wrong",
    "says_nothing",
})  # fmt: skip
"""Functions whose results are sentences, or lists of them."""

_ATTRIBUTES: Final = frozenset(
    {"stopped", "cut_short", "_gone", "failure", "why", "reason", "contradicted", "_contradicted", "refused_for"}
)
"""Attributes that hold a sentence."""

DEEP: Final = 12
"""From one place to another it is not followed any farther."""


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
    functions: dict[str, list[tuple[str, FunctionDef]]] = field(init=False, default_factory=dict)
    constants: dict[str, list[tuple[str, ast.expr]]] = field(init=False, default_factory=dict)
    imported: dict[tuple[str, str], str] = field(init=False, default_factory=dict)
    """Where a name of a module comes from."""
    around: dict[FunctionDef, FunctionDef] = field(init=False, default_factory=dict)
    """The function in which a function stands."""
    asks_callers: bool = field(init=False, default=False)
    """Whether it is followed to those who call, too."""
    known: dict[tuple[ast.expr, FunctionDef | None], bool] = field(init=False, default_factory=dict)
    """Whether an expression stands for a sentence, where that was asked."""
    calls: dict[str, list[tuple[str, ast.Call, FunctionDef | None]]] = field(init=False, default_factory=dict)
    """The calls of what has that name, where they are, and in which function."""

    def __post_init__(self) -> None:
        classes: dict[str, list[str]] = {}
        for path, tree in self.trees.items():
            for node in everything(tree):
                if isinstance(node, ast.ClassDef):
                    classes[node.name] = [name_of(base) for base in node.bases]
                elif isinstance(node, FunctionDef):
                    self.functions.setdefault(node.name, []).append((path, node))
                elif isinstance(node, ast.ImportFrom) and node.module:
                    home = node.module.replace(".", "/") + ".py"
                    self.imported |= {(path, one.asname or one.name): home for one in node.names}
            for statement in tree.body:
                for name, value in assigned(statement):
                    self.constants.setdefault(name, []).append((path, value))
            for scope in (None, *(node for node in everything(tree) if isinstance(node, FunctionDef))):
                for node in own(scope or tree):
                    if isinstance(node, ast.Call):
                        self.calls.setdefault(name_of(called(node).func), []).append((path, called(node), scope))
                    elif isinstance(node, FunctionDef) and scope is not None:
                        self.around[node] = scope
        known = {"Exception", "ValueError", "KeyError", "OSError"}
        while more := {name for name, bases in classes.items() if name not in known and known & {*bases}}:
            known |= more
        self.exceptions = frozenset(known - _UNREAD - {"Exception"}) | {*_EXCEPTIONS_OF_CLICK}

    def sentences(self) -> Iterator[tuple[str, str]]:
        """Every sentence, and where it is."""
        for self.asks_callers in (False, True):
            self.known.clear()
            for place in self._reached([*self._all_taken()]):
                yield from ((place[0], sentence) for sentence in self._said(*place[:3]))

    def _all_taken(self) -> Iterator[_Place]:
        for path, tree in self.trees.items():
            for scope in (None, *(node for node in everything(tree) if isinstance(node, FunctionDef))):
                for node in own(scope or tree):
                    yield from ((path, expression, scope, None) for expression in self._taken(node, scope))

    def _taken(self, node: ast.AST, scope: FunctionDef | None) -> Iterator[ast.expr]:
        """What is taken for a sentence at this place."""
        if isinstance(node, ast.Call):
            name = name_of(node.func)
            yield from (one.value for one in node.keywords if self.asks_callers and one.arg in _NAMED.get(name, ()))
            place = 0 if name in self.exceptions else _TAKERS.get(name)
            if place is not None and len(node.args) > place and self.asks_callers == (name in _THROUGH):
                yield node.args[place]
            if self.asks_callers:
                return
            if name in {"append", "extend"} and isinstance(node.func, ast.Attribute):
                yield from node.args if name_of(node.func.value) in _LISTS else ()
        elif self.asks_callers:
            return
        elif (
            isinstance(node, ast.Return | ast.Yield | ast.YieldFrom)
            and scope is not None
            and scope.name in _TELLERS
            and node.value
        ):
            yield node.value
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign) and node.value:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                holder = target.value if isinstance(target, ast.Subscript) else target
                if isinstance(holder, ast.Attribute) and holder.attr in _ATTRIBUTES | _LISTS:
                    yield node.value

    def _reached(self, places: list[_Place]) -> Iterator[_Place]:
        """These expressions, and all of which their values are made, each once."""
        seen = set[tuple[ast.expr, FunctionDef | None, _Came | None]]()
        for _ in range(DEEP):
            places = [one for one in dict.fromkeys(places) if one[1:] not in seen]
            seen |= {one[1:] for one in places}
            yield from places
            places = [behind for one in places for behind in self._behind(*one)]

    def _said(self, path: str, node: ast.expr, scope: FunctionDef | None) -> Iterator[str]:
        """The sentences that an expression itself is."""
        if isinstance(node, ast.Constant):
            if isinstance(node.value, str) and is_sentence(node.value):
                yield node.value.removeprefix(BETWEEN)
        elif is_text(node):
            yield from self._templates(path, [*parts_of(node)], scope)

    def _behind(self, path: str, node: ast.expr, scope: FunctionDef | None, came: _Came | None) -> Iterator[_Place]:
        """The expressions of which the value of this one is one, or is made, each with where it is."""
        if is_text(node):
            within = [filled_in(part) for part in parts_of(node) if not isinstance(part, ast.Constant)]
            yield from ((path, one, scope, came) for one in within if not [*choice(one)])
        elif isinstance(node, ast.Name):
            yield from self._held(path, node.id, scope, came)
        elif isinstance(node, ast.Attribute):
            for where, function in self.functions.get(node.attr, ()):
                if any(name_of(one) == "property" for one in function.decorator_list):
                    yield from ((where, one, function, None) for one in results(function))
        elif parts := made_of(node):
            yield from ((path, one, scope, came) for one in parts)
        elif isinstance(node, ast.Call):
            for where, function in self._meant(path, node):
                by_this = _Came(path, node, scope, came)
                yield from ((where, one, function, by_this) for one in results(function))

    def _held(self, path: str, name: str, scope: FunctionDef | None, came: _Came | None) -> Iterator[_Place]:
        """What a variable may hold: what is put into it here, or in a function around, or what a caller gives for it."""
        while scope is not None:
            here = [value for one in own(scope) for value in put_into(name, one)]
            yield from ((path, one, scope, came) for one in here)
            given = [*self._given(path, name, scope, came)] if self.asks_callers else []
            yield from given
            if here or given or name in parameters_of(scope):
                return
            scope, came = self.around.get(scope), None
        constants = self.constants.get(name, ())
        home = self.imported.get((path, name), path)
        near = [one for one in constants if one[0] == home] or (constants if len(constants) == 1 else ())
        yield from ((where, value, None, None) for where, value in near)

    def _given(self, path: str, name: str, scope: FunctionDef, came: _Came | None) -> Iterator[_Place]:
        """What callers give for a parameter: the one by which it was come here, or where that is none all."""
        parameters = parameters_of(scope)
        if name not in parameters or name in {"self", "cls"}:
            return
        place = parameters.index(name) - (parameters[0] in {"self", "cls"})
        callers = [(*one, None) for one in self.calls.get(scope.name, ())] if came is None else [came]
        for where, call, within, before in callers:
            if (
                came is None
                and isinstance(call.func, ast.Name)
                and self.imported.get((where, scope.name), where) != path
            ):
                continue
            if not any(isinstance(one, ast.Starred) for one in call.args[: place + 1]) and place < len(call.args):
                yield where, call.args[place], within, before
            yield from ((where, one.value, within, before) for one in call.keywords if one.arg == name)

    def _meant(self, path: str, call: ast.Call) -> Sequence[tuple[str, FunctionDef]]:
        """The function that is called, if that is plain: of several of the same name that of the module, or that is imported."""
        name = name_of(call.func)
        functions = self.functions.get(name, [])
        home = self.imported.get((path, name), path)
        near = [one for one in functions if one[0] == home]
        return next((those for those in (functions, near) if len(those) == 1), [])

    def _templates(self, path: str, parts: Sequence[ast.expr], scope: FunctionDef | None) -> Iterator[str]:
        """The templates of a text of several parts: one for each choice between constants in it."""
        choices = [[*choice(filled_in(part))] or [[part]] for part in parts]
        for chosen in product(*choices):
            seen: dict[str, str] = {}
            text = ""
            for one in chain.from_iterable(chosen):
                if isinstance(one, ast.Constant):
                    text += str(one.value).replace("{", "{{").replace("}", "}}")
                    continue
                source = ast.unparse(filled_in(one))
                is_beside = text.endswith("}") and not text.endswith("}}")
                if source not in seen:
                    within = self._is_said(path, filled_in(one), scope)
                    if within and is_beside and [*seen.values()][-1] in WITHIN:
                        continue  # it goes on with the sentence before
                    seen[source] = named(filled_in(one), within=within, taken=seen.values())
                text += f"{{{seen[source]}}}"
            if is_sentence(text):
                yield text.removeprefix(BETWEEN)

    def _is_said(self, path: str, node: ast.expr, scope: FunctionDef | None) -> bool:
        """Whether an expression stands for a sentence of its own: an exception does."""
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        if scope is not None and names & caught(scope):
            return True
        if (node, scope) not in self.known:
            self.known[node, scope] = any(may_be_said(one) for _, one, *_ in self._reached([(path, node, scope, None)]))
        return self.known[node, scope]
