"""A target file that names the wrong account or channel is told before anything is certified; a faulty endpoint is certified."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from conformance.contract.endpoints import Endpoint
from conformance.contract.judge import Request
from conformance.errors import CannotRun
from conformance.mock.koncili import Koncili
from conformance.mock.quirks import Answer, Quirk
from conformance.mock.world import CHANNEL, OTHER_CHANNEL
from conformance.run.own_accounts import listed, wrong_accounts
from tests.suite.support.command_runs import certify, command, kept_in, without_ci
from tests.suite.support.command_runs import run as run_to_end
from tests.suite.support.live_runs import one_run
from tests.suite.support.stage.mock import StagedMock, mock, target_file

HOME: Final = (19055, CHANNEL)
CODE: Final = "701-0000000-0000001"

Rewrite = Callable[[Request, Answer], Answer]


def answering(endpoint: Endpoint, answer: Answer) -> Quirk:
    """A mock that answers one endpoint always alike."""
    return Quirk(
        name="told", statement="", answers=lambda request, own: answer if request.endpoint is endpoint else own
    )


def found(tmp_path: Path, *places: tuple[int, str], quirks: tuple[Quirk, ...] = ()) -> tuple[list[str], int]:
    """What is said of these accounts, and how many client errors that took."""
    koncili = Koncili(quirks=quirks)
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        said = wrong_accounts(run.client, places, lambda: CODE)
        return said, run.client.journal.spent().client_errors


OF_THE_INTEGRATOR: Final = (
    Endpoint.LIST_ACCOUNTS,
    Endpoint.GET_ORDER,
    Endpoint.DELETE_ORDER,
    Endpoint.SUBMIT_ORDER,
)
"""By whose answers it is seen whether an integrator is let in."""

REFUSED: Final = {code: Answer(int(code[:3]), {"errorMessage": "no", "errorCode": code}) for code in ("404-1", "403-1")}


# -- what is wrong with the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ((19999, CHANNEL), "account 19999 on channel 'CHANNEL_NAME' is not one of this integrator's accounts"),
        ((19055, "CHANEL_NAME"), "account 19055 on channel 'CHANEL_NAME' is on channel 'CHANNEL_NAME'"),
        ((19055, OTHER_CHANNEL), "account 19055 on channel 'OTHER_CHANNEL' is on channel 'CHANNEL_NAME'"),
        ((20001, CHANNEL), "account 20001 on channel 'CHANNEL_NAME' is 'INACTIVE'"),
        ((20002, CHANNEL), "account 20002 on channel 'CHANNEL_NAME' is not enabled for API imports"),
    ],
)
def test_a_wrong_account_is_told_with_those_that_there_are(place: tuple[int, str], words: str, tmp_path: Path) -> None:
    said, errors = found(tmp_path, HOME, place)
    assert len(said) == 2
    assert said[0].startswith(f"{words} (GET /my-accounts), and is refused with 40")
    assert said[1].startswith("the accounts of this integrator: 19055 on 'CHANNEL_NAME', 19056 on 'CHANNEL_NAME', ")
    assert "20001 on 'CHANNEL_NAME' (is 'INACTIVE')" in said[1]
    assert errors == 2, "the account itself, and another that must not be refused like that"


def test_every_account_is_looked_at(tmp_path: Path) -> None:
    said, _ = found(tmp_path, (19999, CHANNEL), HOME, (19998, CHANNEL))
    assert [line.split()[1] for line in said[:2]] == ["19999", "19998"]


def test_right_accounts_cost_no_client_error(tmp_path: Path) -> None:
    assert found(tmp_path, HOME, (19056, CHANNEL), (19060, OTHER_CHANNEL)) == ([], 0)


def test_an_integrator_without_accounts_is_told(tmp_path: Path) -> None:
    koncili = Koncili()
    koncili.world.accounts.clear()
    with one_run(koncili, tmp_path / "store.sqlite") as run:
        said = wrong_accounts(run.client, [HOME], lambda: CODE)
    assert said[-1] == "the accounts of this integrator: none"


# -- what is wrong with the endpoint -------------------------------------------------------------------------------

LISTS: Final[dict[str, Any]] = {
    "no list": {"accounts": []},
    "an account without an id": [{"accountId": 19055, "channelName": CHANNEL}],
    "a fraction for an id": [{"id": 19055.5, "channelName": CHANNEL}],
    "an id that is a truth value": [{"id": True, "channelName": CHANNEL}],
    "an id of many digits": [{"id": "9" * 5000, "channelName": CHANNEL}],
    "no channel": [{"id": 19055, "channel": CHANNEL}],
    "texts": ["19055"],
    "nothing": None,
}


@pytest.mark.parametrize("rows", LISTS.values(), ids=LISTS)
def test_a_list_that_can_not_be_read_says_nothing(rows: Any, tmp_path: Path) -> None:
    wrong = answering(Endpoint.LIST_ACCOUNTS, Answer(200, rows))
    assert found(tmp_path, (19999, CHANNEL), quirks=(wrong,)) == ([], 0)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_nor_does_a_refusal(status: int, tmp_path: Path) -> None:
    said, _ = found(tmp_path, (19999, CHANNEL), quirks=(answering(Endpoint.LIST_ACCOUNTS, Answer(status, [])),))
    assert said == []


@pytest.mark.parametrize(
    "row",
    [
        {"id": 7, "channelName": CHANNEL},
        {"id": 19055, "channelName": "X"},
        {"id": 19055, "channelName": CHANNEL, "status": "A"},
    ],
)
def test_a_faulty_list_keeps_no_run_from_happening(row: Any, tmp_path: Path) -> None:
    """The account is as good as any other: its unknown order is unknown, not itself."""
    said, errors = found(tmp_path, HOME, quirks=(answering(Endpoint.LIST_ACCOUNTS, Answer(200, [row])),))
    assert (said, errors) == ([], 1)


@pytest.mark.parametrize("answer", REFUSED.values(), ids=REFUSED)
def test_a_query_that_refuses_every_account_is_the_endpoints_fault(answer: Answer, tmp_path: Path) -> None:
    refuses = answering(Endpoint.GET_ORDER, answer)
    assert found(tmp_path, HOME, quirks=(refuses,)) == ([], 0)
    assert found(tmp_path / "2", (19999, CHANNEL), quirks=(refuses,)) == ([], 2), "nor can 19055 be asked for"


def test_an_integrator_that_is_not_let_in_can_certify_nothing(tmp_path: Path) -> None:
    """Its address is not allow-listed, perhaps: no rule is broken by that."""
    refused = Answer(403, {"errorMessage": "no", "errorCode": "403"})
    with pytest.raises(CannotRun, match=r"refuses every call with it \(403\): is `integrator` the right one"):
        found(tmp_path, HOME, quirks=tuple(answering(endpoint, refused) for endpoint in OF_THE_INTEGRATOR))


@pytest.mark.parametrize("works", [Endpoint.DELETE_ORDER, Endpoint.SUBMIT_ORDER])
def test_a_target_that_refuses_only_some_calls_is_certified(works: Endpoint, tmp_path: Path) -> None:
    """One that answers 403 where an order is unknown, say, and lists no accounts: that is a finding."""
    refused = Answer(403, {"errorMessage": "no", "errorCode": "403"})
    some = tuple(answering(endpoint, refused) for endpoint in OF_THE_INTEGRATOR if endpoint is not works)
    said, errors = found(tmp_path, HOME, quirks=some)
    assert said == []
    assert errors <= len(OF_THE_INTEGRATOR)


def test_ids_may_be_told_as_texts() -> None:
    (one,) = listed([{"id": "19055", "channelName": CHANNEL, "status": "active", "apiImport": True}]) or []
    assert (one.id, one.problem) == (19055, "")


# -- a run -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StagedMock]:
    with mock(tmp_path_factory.mktemp("mock")) as running:
        yield running


def wrong_file(tmp_path: Path, staged: StagedMock, **changes: Any) -> Path:
    accounts = [{"id": 19055, "channel": CHANNEL}, {"id": 19999, "channel": "NOWHERE\x1b"}]
    kept = f"sqlite:{tmp_path / 'store.sqlite'}"
    return target_file(tmp_path / "sandbox.toml", staged.base_url, accounts=accounts, coordination=kept, **changes)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nothing_is_certified_with_a_wrong_target_file(workers: str, staged: StagedMock, tmp_path: Path) -> None:
    file = wrong_file(tmp_path, staged)
    run = certify(tmp_path / "reports", "--target", str(file), "--rule", "ORD-14", "--workers", workers)
    assert run.code == 3, run.output + run.errors
    assert "account 19999 on channel 'NOWHERE\\x1b' is not one of this integrator's accounts" in run.output + run.errors
    assert "mend [[accounts]]" in run.output + run.errors


def test_nor_by_plain_pytest(staged: StagedMock, tmp_path: Path) -> None:
    file = wrong_file(tmp_path, staged)
    options = [f"--koncili-target={file}", f"--koncili-reports={tmp_path / 'reports'}", "--koncili-rule=ORD-14"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "tests/certification", "-q", "-p", "no:cacheprovider", *options],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3], timeout=300,
        env={**without_ci(), **kept_in(tmp_path / "state")},
    )  # fmt: skip
    assert done.returncode == 3, done.stdout
    assert "account 19999" in done.stdout + done.stderr


def test_cleanup_only_warns(staged: StagedMock, tmp_path: Path) -> None:
    """The account may have been removed since; what was left on another is still to be cleared away."""
    file = wrong_file(tmp_path, staged)
    text = file.read_text()
    file.write_text(text.replace("19999", "19056").replace("NOWHERE\\u001b", CHANNEL))
    killed = command(
        "certify", "--target", str(file), "--reports", str(tmp_path / "r"), "--no-html", state=tmp_path / "state"
    )
    while staged.state()["counts"]["perEndpoint"].get("POST /order", 0) < 20:
        assert killed.poll() is None
    killed.kill()
    killed.communicate()
    file.write_text(text)
    run = run_to_end("cleanup", "--target", str(file), reports=tmp_path, state=tmp_path / "state")
    assert "account 19999" in run.output
    assert "\ndeleted " in run.output
    assert run.code == 0, run.output + run.errors
