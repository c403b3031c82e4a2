"""A plan in words, for the terminal: whole for `--dry-run`, short before a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.escaping import line
from conformance.i18n.formats import number as numeral
from conformance.i18n.messages import mark, ntr, tr
from conformance.i18n.sentences import said
from conformance.planning.costs import COMPLETE
from conformance.planning.plan import Plan
from conformance.planning.smaller_run import SmallerRun
from conformance.planning.timeline import RATES, least_seconds
from conformance.target.config import Target
from conformance.target.shared.budget_status import doubt_words

MINUTE, HOUR = 60, 3600

NO_CALLBACK = mark("○ without a callback_url some more client errors may show when a reconciliation is finished")

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
    return f"{numeral(hours)} h {rest} min" if rest else f"{numeral(hours)} h"


def full(plan: Plan, target: Target) -> Iterator[str]:
    """All of it, line by line."""
    yield tr("plan for {name} ({url}): {what}", name=line(target.name), url=target.base_url, what=_what(plan))
    yield ""
    yield from _table(plan)
    yield ""
    yield tr("client errors: {errors}", errors=_client_errors(plan))
    yield tr("expected: {time}", time=_expected(plan))
    for reason, number in _by_reason(plan.not_exercised.values()).items():
        yield tr("○ {rules} not-exercised: {reason}", rules=counted(number, "rule"), reason=said(reason))
    if plan.limits.budget_status is not None and target.fixtures.callback_url is None:
        yield tr(NO_CALLBACK)
    yield ""
    yield from warnings(plan)
    yield from _fit(plan)


def short(plan: Plan, target: Target) -> Iterator[str]:
    """The same in a few lines."""
    labels = ", ".join(f"{label} {numeral(number)}" for label, number in plan.requests.items() if number)
    yield tr("plan for {name}: {what}", name=line(target.name), what=_what(plan))
    yield tr("requests: {number:,} ({labels})", number=sum(plan.requests.values()), labels=labels)
    yield tr("client errors: {errors}", errors=_client_errors(plan))
    yield tr("expected: {time}", time=_expected(plan))
    yield from _fit(plan)


def refusal(plan: Plan, max_wait: float | None) -> str:
    """Why a run that may wait for nothing longer than `max_wait` seconds is not begun: it would spend client errors and then
    end undecided. Empty where nothing is known that keeps it from its end."""
    if max_wait is None or plan.longest_wait <= max_wait:
        return ""
    return "\n".join(
        [
            tr(
                "--max-wait {most} does not suffice, so nothing is sent: after {number} of {scenarios} the run would wait "
                "{time} for the budget of client errors",
                most=span(max_wait),
                number=plan.free_scenarios,
                scenarios=counted(plan.scenarios, "scenario"),
                time=span(plan.longest_wait),
            ),
            tr("client errors: {errors}", errors=_client_errors(plan)),
            _when(plan),
            _instead(plan.smaller),
            *warnings(plan),
        ]
    )


def _what(plan: Plan) -> str:
    asked = len(plan.rules) + len(plan.not_exercised)
    rules = counted(asked, "rule")
    if plan.not_exercised:
        rules = tr("{number} of {rules}", number=len(plan.rules), rules=rules)
    profile = tr("certification, every kind of fault") if plan.profile == COMPLETE else plan.profile
    return tr("profile {name}", name=profile) + f", {rules}, {counted(plan.scenarios, 'scenario')}"


def counted(number: int, what: str) -> str:
    """A number of things, one of COUNTED: `1 rule`, `1,204 requests`."""
    return ntr(f"{{number:,}} {what}", f"{{number:,}} {what}s", number)


def _table(plan: Plan) -> Iterator[str]:
    head, every, number, pace, least = tr("endpoint"), tr("all"), tr("requests"), tr("a minute"), tr("at least")
    width = max(map(len, [head, *plan.requests]))
    requests = max(8, len(number))
    whole = f"{every:{width}}  {numeral(sum(plan.requests.values())):>{requests}}"
    if not plan.limits.paced:
        yield f"{head:{width}}  {number}"
        yield from (f"{label:{width}}  {numeral(sent):>{requests}}" for label, sent in plan.requests.items())
        yield whole
        return
    paced = max(8, len(pace))
    yield f"{head:{width}}  {number:>{requests}}  {pace:>{paced}}  {least:>10}"
    for label, sent in plan.requests.items():
        time = span(least_seconds(sent, RATES[label]))
        yield f"{label:{width}}  {numeral(sent):>{requests}}  {RATES[label]:{paced}}  {time:>10}"
    yield f"{whole}  {'':{paced}}  {span(plan.least_seconds):>10}"


def _client_errors(plan: Plan) -> str:
    budget_status = plan.limits.budget_status
    if budget_status is None:
        return tr("{number:,}; this target counts none", number=plan.client_errors)
    return tr(
        "{number:,}; {left} of {budget} are left in this hour{doubt}",
        number=plan.client_errors,
        left=budget_status.left,
        budget=budget_status.budget,
        doubt=said(doubt_words(budget_status.doubted)),
    )


def warnings(plan: Plan) -> Iterator[str]:
    """What is to be said before a run, whatever it is held to."""
    yield from plan.limits.budget_status.warnings if plan.limits.budget_status else ()


def _expected(plan: Plan) -> str:
    pace = tr("at the documented pace") if plan.limits.paced else tr("at an unlimited pace")
    waiting = tr(" ({time} of it waiting for the budget)", time=span(plan.waiting)) if plan.waiting else ""
    if plan.reconciling is not None:
        return tr(
            "{time} {pace}{waiting}, of which {reconciling} for {reconciliations} one after the other, besides the target's own "
            "time to answer",
            time=span(max(plan.seconds, plan.reconciling)),
            pace=pace,
            waiting=waiting,
            reconciling=span(plan.reconciling),
            reconciliations=counted(plan.one_after_other, "reconciliation"),
        )
    return tr(
        "{time} {pace}{waiting}, besides the target's own time to answer and to reconcile",
        time=span(plan.seconds),
        pace=pace,
        waiting=waiting,
    )


def _by_reason(reasons: Iterable[str]) -> dict[str, int]:
    alike: dict[str, int] = {}
    for reason in reasons:
        alike[reason] = alike.get(reason, 0) + 1
    return alike


def _fit(plan: Plan) -> Iterator[str]:
    if not plan.rules:
        yield tr("Nothing would be exercised.")
    elif plan.limits.budget_status is None:
        yield tr("It fits: no limits hold here.")
    elif plan.kinds_left:
        yield ntr(
            "It fits the budget that is left, since it leaves {number:,} kind of faults to later runs.",
            "It fits the budget that is left, since it leaves {number:,} kinds of faults to later runs.",
            plan.kinds_left,
        )
    elif plan.fits:
        yield tr("It fits the budget that is left.")
    else:
        yield tr(
            "It does not fit now: after {number} of {scenarios} the run waits for the budget (--max-wait ends it there).",
            number=plan.free_scenarios,
            scenarios=counted(plan.scenarios, "scenario"),
        )
        yield _when(plan)
        yield _instead(plan.smaller)


def _when(plan: Plan) -> str:
    if plan.fits_in is None:
        return tr("It never fits: its client errors are more than an hour's budget, and it waits for the next.")
    return tr("It fits in {time}, when client errors of earlier runs have left the hour.", time=span(plan.fits_in))


def _instead(smaller: SmallerRun | None) -> str:
    if smaller is None:
        return tr("Nothing fits now.")
    rules = "".join(f" --rule {rule}" for rule in smaller.rules)
    what = [counted(len(smaller.rules), "rule")] if smaller.rules else []
    what += [counted(smaller.client_errors, "client error"), span(smaller.seconds)]
    return tr("This fits now: {options} ({what})", options=f"--profile {smaller.profile}{rules}", what=", ".join(what))
