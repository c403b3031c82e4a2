"""The commands of `POST /_mock`: what a test asks of the mock and nobody could ask of Koncili. Each is looked at before any is
carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from conformance.contract.callbacks import callback_fault
from conformance.contract.jsontext import JSONValue
from conformance.contract.reconciliation_rules import is_whole
from conformance.mock.fault_plans import plans_of
from conformance.mock.koncili import SAMPLE_PAYLOADS
from conformance.mock.named_quirks import defects_named, variants_named
from conformance.mock.quirks import Defect, Quirk, readings_of
from conformance.mock.snapshot import world_of

if TYPE_CHECKING:
    from conformance.mock.koncili import Koncili

MOST_AT_ONCE: Final = 8
"""How many requests at once can be announced."""

Action: TypeAlias = Callable[["Koncili"], object]


def actions_of(command: Mapping[str, JSONValue], koncili: Koncili) -> list[Action]:
    """What a command has the mock do, in its sequence. Raises ValueError that names what is wrong with it."""
    if not command:
        raise ValueError("no command")
    actions = []
    for name, value in command.items():
        if name not in COMMANDS:
            raise ValueError(f"no command {name!r}; there are {', '.join(COMMANDS)}")
        try:
            actions.append(COMMANDS[name](value, koncili))
        except ValueError as error:
            raise ValueError(f"{name} {error}") from None
    return actions


def _takes(what: str, value: object) -> ValueError:
    return ValueError(f"takes {what}, not {value!r}")


def _advance(seconds: Any, _: Koncili) -> Action:
    if not isinstance(seconds, int | float | Decimal) or isinstance(seconds, bool) or not seconds >= 0:
        raise _takes("a number that is not negative", seconds)
    return lambda koncili: koncili.clock.advance(float(seconds))


def _call_back(url: Any, _: Koncili) -> Action:
    if url is not None and not isinstance(url, str):
        raise _takes("a URL or null", url)
    if url is not None and (fault := callback_fault(url)):
        raise ValueError(fault)
    return lambda koncili: setattr(koncili.notifier, "url", url)


def _enforce(on: Any, _: Koncili) -> Action:
    if not isinstance(on, bool):
        raise _takes("true or false", on)
    return lambda koncili: koncili.limits.enforce(on)


def _notify(type_: Any, _: Koncili) -> Action:
    if not isinstance(type_, str) or type_ not in SAMPLE_PAYLOADS:
        raise _takes(f"one of {', '.join(SAMPLE_PAYLOADS)}", type_)
    return lambda koncili: koncili.notify_sample(type_)


def _fail(number: Any, koncili: Koncili) -> Action:
    if not is_whole(number) or koncili.world.opened(number) is None:
        raise _takes("the id of one", number)

    def fail(koncili: Koncili) -> None:
        reconciliation = koncili.world.opened(number)
        if reconciliation is not None:
            reconciliation.fails = True

    return fail


def _abandon(yes: Any, _: Koncili) -> Action:
    if yes is not True:
        raise _takes("true", yes)

    def abandon(koncili: Koncili) -> None:
        koncili.world.all_reconciliations = [
            reconciliation
            for reconciliation in koncili.world.all_reconciliations
            if reconciliation.situation is not None
        ]

    return abandon


def _expect(requests: Any, _: Koncili) -> Action:
    if not is_whole(requests) or not 0 < requests <= MOST_AT_ONCE:
        raise _takes(f"a number of up to {MOST_AT_ONCE}", requests)
    return lambda koncili: koncili.in_flight.expect(requests)


def _reset(yes: Any, _: Koncili) -> Action:
    if yes is not True:
        raise _takes("true", yes)
    return lambda koncili: koncili.reset()


def _restore(snapshot: Any, koncili: Koncili) -> Action:
    world, now = world_of(snapshot, koncili.clock)

    def restore(koncili: Koncili) -> None:
        koncili.clock.advance(max(0.0, (now - koncili.clock.now()).total_seconds()))
        koncili.restore(world)

    return restore


def _names(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(name, str) for name in given):
        raise _takes("a list of names", given)
    return given


def _variants(given: Any, koncili: Koncili) -> Action:
    variants = variants_named(_names(given))
    readings_of(variants)
    over_a_socket = [one.name for one in variants if one.wire is not None and one not in koncili.quirks]
    if over_a_socket:
        name = over_a_socket[0]
        raise ValueError(f"can't switch to {name} while HTTP is spoken: start the mock with --variant {name}")
    return lambda koncili: koncili.switch([*_kept(koncili, of_defects=True), *variants])


def _defects(given: Any, _: Koncili) -> Action:
    defects = defects_named(_names(given))
    return lambda koncili: koncili.switch([*defects, *_kept(koncili, of_defects=False)])


def _kept(koncili: Koncili, *, of_defects: bool) -> list[Quirk]:
    return [quirk for quirk in koncili.quirks if isinstance(quirk, Defect) is of_defects]


def _play(given: Any, _: Koncili) -> Action:
    plans = plans_of(given)
    return lambda koncili: koncili.faults.play(plans)


def _play_also(given: Any, _: Koncili) -> Action:
    plans = plans_of(given)
    return lambda koncili: koncili.faults.play(plans, beside=True)


COMMANDS: Final[dict[str, Callable[[Any, Koncili], Action]]] = {
    "advanceSeconds": _advance,  # move the clock
    "callbackUrl": _call_back,  # where notifications go; null: nowhere
    "enforceLimits": _enforce,  # whether rates and the blacklist hold, all counts forgotten
    "notify": _notify,  # send this notification
    "failReconciliation": _fail,  # let the one of this id end in ERROR
    "abandonReconciliations": _abandon,  # forget those that are active
    "expectAtOnce": _expect,  # so many requests come at once, next
    "reset": _reset,  # forget all but clock, quirks, callback and tokens
    "restore": _restore,  # go on from what `GET /_mock/snapshot` gave
    "variants": _variants,  # be these, and no other variant
    "defects": _defects,  # have these, and no other defect
    "faults": _play,  # let these happen to calls and notifications, and no others
    "addFaults": _play_also,  # the same beside those that there are
}
"""By name: looks at its value, and gives what it does."""
