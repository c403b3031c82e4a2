"""A plan in words, for the terminal: whole for `--dry-run`, short before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.escaping import line
from conformance.planning.costs import COMPLETE
from conformance.planning.plan import Plan
from conformance.planning.smaller_run import SmallerRun
from conformance.planning.timeline import RATES, least_seconds
from conformance.target.config import Target
from conformance.target.shared.budget_status import doubt_words

MINUTE, HOUR = 60, 3600

NO_CALLBACK = "○ without a callback_url some more client errors may show when a reconciliation is finished"

"""The row of the endpoints without a documented rate, which a run holds to one."""


def span(seconds: float) -> str:
    """A time as people say it: `45 s`, `7 min`, `1 h 20 min`."""
    whole = -(-seconds // 1)
    if whole < 2 * MINUTE:
        return f"{whole:.0f} s"
    minutes = round(seconds / MINUTE)
    if minutes < HOUR // MINUTE:
        return f"{minutes} min"
    hours, rest = divmod(minutes, HOUR // MINUTE)
    return f"{hours:,} h {rest} min" if rest else f"{hours:,} h"


def full(plan: Plan, target: Target) -> Iterator[str]:
    """All of it, line by line."""
    yield f"plan for {line(target.name)} ({target.base_url}): {_what(plan)}"
    yield ""
    yield from _table(plan)
    yield ""
    yield f"client errors: {_client_errors(plan)}"
    yield f"expected: {_expected(plan)}"
    for reason, number in _by_reason(plan.not_exercised.values()).items():
        yield f"○ {counted(number, 'rule')} not-exercised: {reason}"
    if plan.limits.budget_status is not None and target.fixtures.callback_url is None:
        yield NO_CALLBACK
    yield ""
    yield from warnings(plan)
    yield from _fit(plan)


def short(plan: Plan, target: Target) -> Iterator[str]:
    """The same in a few lines."""
    labels = ", ".join(f"{label} {number:,}" for label, number in plan.requests.items() if number)
    yield f"plan for {line(target.name)}: {_what(plan)}"
    yield f"requests: {sum(plan.requests.values()):,} ({labels})"
    yield f"client errors: {_client_errors(plan)}"
    yield f"expected: {_expected(plan)}"
    yield from _fit(plan)


def refusal(plan: Plan, max_wait: float | None) -> str:
    """Why a run that may wait for nothing longer than `max_wait` seconds is not begun: it would spend client errors and then
    end undecided. Empty where nothing is known that keeps it from its end."""
    if max_wait is None or plan.longest_wait <= max_wait:
        return ""
    waits = f"after {plan.free_scenarios} of {counted(plan.scenarios, 'scenario')}"
    return "\n".join(
        [
            f"--max-wait {span(max_wait)} does not suffice, so nothing is sent: {waits} the run would wait "
            f"{span(plan.longest_wait)} for the budget of client errors",
            f"client errors: {_client_errors(plan)}",
            _when(plan),
            _instead(plan.smaller),
            *warnings(plan),
        ]
    )


def _what(plan: Plan) -> str:
    asked = len(plan.rules) + len(plan.not_exercised)
    rules = f"{len(plan.rules)} of {counted(asked, 'rule')}" if plan.not_exercised else counted(asked, "rule")
    profile = "certification, every kind of fault" if plan.profile == COMPLETE else plan.profile
    return f"profile {profile}, {rules}, {counted(plan.scenarios, 'scenario')}"


def counted(number: int, what: str) -> str:
    """A number of things: `1 rule`, `1,204 requests`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _table(plan: Plan) -> Iterator[str]:
    width = max(map(len, plan.requests))
    if not plan.limits.paced:
        yield f"{'endpoint':{width}}  requests"
        yield from (f"{label:{width}}  {number:8,}" for label, number in plan.requests.items())
        yield f"{'all':{width}}  {sum(plan.requests.values()):8,}"
        return
    yield f"{'endpoint':{width}}  requests  a minute    at least"
    yield from (_row(label, width, number) for label, number in plan.requests.items())
    yield f"{'all':{width}}  {sum(plan.requests.values()):8,}            {span(plan.least_seconds):>10}"


def _row(label: str, width: int, number: int) -> str:
    return f"{label:{width}}  {number:8,}  {RATES[label]:8}  {span(least_seconds(number, RATES[label])):>10}"


def _client_errors(plan: Plan) -> str:
    budget_status = plan.limits.budget_status
    if budget_status is None:
        return f"{plan.client_errors:,}; this target counts none"
    left = f"{budget_status.left} of {budget_status.budget} are left in this hour{doubt_words(budget_status.doubted)}"
    return f"{plan.client_errors:,}; {left}"


def warnings(plan: Plan) -> Iterator[str]:
    """What is to be said before a run, whatever it is held to."""
    yield from plan.limits.budget_status.warnings if plan.limits.budget_status else ()


def _expected(plan: Plan) -> str:
    pace = "at the documented pace" if plan.limits.paced else "at an unlimited pace"
    waiting = f" ({span(plan.waiting)} of it waiting for the budget)" if plan.waiting else ""
    return f"{span(plan.seconds)} {pace}{waiting}, besides the target's own time to answer and to reconcile"


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    alike: dict[str, int] = {}
    for reason in reasons:
        alike[reason] = alike.get(reason, 0) + 1
    return alike


def _fit(plan: Plan) -> Iterator[str]:
    if not plan.rules:
        yield "Nothing would be exercised."
    elif plan.limits.budget_status is None:
        yield "It fits: no limits hold here."
    elif plan.fits:
        yield "It fits the budget that is left."
    else:
        waits = f"after {plan.free_scenarios} of {counted(plan.scenarios, 'scenario')} the run waits for the budget"
        yield f"It does not fit now: {waits} (--max-wait ends it there)."
        yield _when(plan)
        yield _instead(plan.smaller)


def _when(plan: Plan) -> str:
    if plan.fits_in is None:
        return "It never fits: its client errors are more than an hour's budget, and it waits for the next."
    return f"It fits in {span(plan.fits_in)}, when client errors of earlier runs have left the hour."


def _instead(smaller: SmallerRun | None) -> str:
    if smaller is None:
        return "Nothing fits now."
    rules = "".join(f" --rule {rule}" for rule in smaller.rules)
    what = [counted(len(smaller.rules), "rule")] if smaller.rules else []
    what += [counted(smaller.client_errors, "client error"), span(smaller.seconds)]
    return f"This fits now: --profile {smaller.profile}{rules} ({', '.join(what)})"
