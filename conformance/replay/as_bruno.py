"""A finding as a Bruno collection: the requests in order, what is new in each run as variables, a test at the last."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import Final

from conformance.replay.recipe import Recipe, Step

_NEW_VALUES: Final = """const offsets = Array.from({ length: 64 }, () => Math.floor(Math.random() * 10));
const codes = @CODES@;
codes.forEach((code, number) => bru.setVar(`code${number + 1}`, [...code].map((sign, place) =>
  /[0-9]/.test(sign) ? String((Number(sign) + offsets[place % 64]) % 10) : sign).join("")));
const days = 1 + Math.floor(Math.random() * 7000);
const instants = @INSTANTS@;
instants.forEach((instant, number) => {
  const moved = new Date(Date.parse(instant) - days * 86400000);
  bru.setVar(`instant${number + 1}`, isNaN(moved) ? instant : moved.toISOString());
});"""


def as_bruno(recipe: Recipe) -> dict[str, str]:
    """The files of the collection, by name."""
    files = {
        "bruno.json": json.dumps({"version": "1", "name": recipe.finding, "type": "collection"}, indent=2) + "\n",
        "environments/target.bru": f"vars {{\n  baseUrl: {recipe.base_url}\n}}\nvars:secret [\n  token\n]\n",
    }
    for number, step in enumerate(recipe.steps):
        name = f"{number + 1:02} {step.method} {_plain(step.path)}"
        files[f"{name}.bru"] = _request(recipe, number, step, name)
    return files


def _plain(path: str) -> str:
    return "-".join(part for part in path.partition("?")[0].split("/") if part) or "root"


def _request(recipe: Recipe, number: int, step: Step, name: str) -> str:
    has_body = step.body is not None
    blocks = [
        _block("meta", {"name": name, "type": "http", "seq": str(number + 1)}),
        _block(
            step.method.lower(),
            {
                "url": "{{baseUrl}}" + _filled(recipe, step.path, number),
                "body": "text" if has_body else "none",
                "auth": "none",
            },
        ),
        _block("headers", {**step.headers, **({"gumgaToken": "{{token}}"} if step.has_token else {})}),
    ]
    if step.body is not None:
        blocks.append(_text("body:text", _filled(recipe, step.body, number)))
    if number == 0:
        text = _NEW_VALUES.replace("@CODES@", json.dumps(list(recipe.codes)))
        blocks.append(_text("script:pre-request", text.replace("@INSTANTS@", json.dumps(list(recipe.instants)))))
    if step.creates:
        blocks.append(_text("script:post-response", f'bru.setVar("id{number + 1}", res.getBody().id);'))
    blocks.append(_text("tests", _test(recipe, step, last=number == len(recipe.steps) - 1)))
    return "\n".join(blocks)


def _filled(recipe: Recipe, text: str, number: int) -> str:
    """The text with variables in place of what is new in each run."""
    for place, code in enumerate(recipe.codes, 1):
        text = text.replace(json.dumps(code)[1:-1], f"{{{{code{place}}}}}")
    for place, instant in enumerate(recipe.instants, 1):
        text = text.replace(json.dumps(instant)[1:-1], f"{{{{instant{place}}}}}")
    for old, created in recipe.ids.items():
        if created < number:
            for space in ("", " "):
                text = text.replace(
                    f'"reconciliationId":{space}{old}', f'"reconciliationId":{space}{{{{id{created + 1}}}}}'
                )
    return text


def _test(recipe: Recipe, step: Step, *, last: bool) -> str:
    if not last:
        wanted = f"expect(Math.floor(res.getStatus() / 100)).to.equal({step.status // 100});"
        return f'test("goes as it did, so that the finding can be tried", function () {{\n  {wanted}\n}});'
    said = json.dumps(recipe.reason)
    if not recipe.statuses:
        wanted = f"expect(res.getStatus()).to.not.equal({step.status});"
    elif recipe.statuses.endswith("xx"):
        wanted = f"expect(Math.floor(res.getStatus() / 100)).to.equal({recipe.statuses[0]});"
    else:
        wanted = f"expect(res.getStatus()).to.equal({recipe.statuses});"
    codes = f"\n  expect({json.dumps(list(recipe.code))}).to.include(res.getBody().errorCode);" if recipe.code else ""
    return f"test({said}, function () {{\n  {wanted}{codes}\n}});"


def _block(name: str, values: Mapping[str, str]) -> str:
    lines = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return f"{name} {{\n{lines}}}\n"


def _text(name: str, text: str) -> str:
    return f"{name} {{\n{textwrap.indent(text, '  ')}\n}}\n"
