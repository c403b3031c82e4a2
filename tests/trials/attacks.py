"""Attempts to get more than 450 client errors out of a target within an hour: runs, ways, people and accidents of a run."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Final
from uuid import uuid4

from tests.trials.assault import (
    REDIS,
    SQLITE,
    Trial,
    attack,
    continued,
    home,
    plain_pytest,
    stopped,
)
from tests.trials.world import INTEGRATOR

KILLS: Final = 8
RANDOM: Final = random.Random(12)  # noqa: S311 - moments, not secrets


# -- more runs -----------------------------------------------------------------------------------------------------------


@attack(SQLITE, REDIS)
def one_after_the_other(trial: Trial) -> None:
    """Three runs, one after the other."""
    for _ in range(3):
        trial.spend()


@attack(SQLITE, REDIS)
def at_once(trial: Trial) -> None:
    """Three runs at once, in a state directory that is not there yet."""
    for going in [trial.spending() for _ in range(3)]:
        trial.ended(going)


@attack(SQLITE, REDIS)
def workers(trial: Trial) -> None:
    """A run with three workers, then one without."""
    trial.ended(trial.spending("--workers", "3"), 75.0)
    trial.spend()


@attack(SQLITE)
def pytest_beside_certify(trial: Trial) -> None:
    """Plain pytest and certify at once."""
    both = [plain_pytest(trial, trial.path / "sandbox.toml"), trial.spending()]
    for going in both:
        trial.ended(going, 60.0)  # pytest says nothing of what it waits for


@attack(SQLITE, REDIS)
def killed_and_again(trial: Trial) -> None:
    """Killed (SIGKILL) in the middle, and again at once, eight times."""
    for _ in range(KILLS):
        going = trial.spending()
        trial.until(trial.errors + RANDOM.randint(3, trial.budget // 5), going)
        going.kill()
        trial.ended(going)
    trial.spend()


@attack(SQLITE)
def stands_still(trial: Trial) -> None:
    """A run is stopped in the middle, another spends all there is, the first goes on."""
    first = trial.spending()
    trial.until(trial.some, first)
    stopped(first)
    trial.spend()
    continued(first)
    trial.ended(first)


# -- what the target does --------------------------------------------------------------------------------------------------


@attack(SQLITE, REDIS)
def lost_answers(trial: Trial) -> None:
    """After the eighth call three answers in ten are lost after the work was done; two runs and a cleanup."""
    trial.server.set(plans=[{"fault": "lost", "chance": 0.3, "since": 8}])
    trial.spend()
    trial.spend()
    trial.clean()


@attack(SQLITE)
def refuses_everything(trial: Trial) -> None:
    """Every answer is a client error, tokens too: four runs and two cleanups."""
    trial.server.set(refuses_everything=True)
    for _ in range(4):
        trial.spend()
    trial.clean()
    trial.clean()


@attack(SQLITE)
def refuses_later(trial: Trial) -> None:
    """From the 100th call on every answer is a client error: two runs, three cleanups."""
    trial.server.set(plans=[{"fault": "status", "status": 400, "since": 100}])
    trial.spend()
    trial.spend()
    for _ in range(3):
        trial.clean()


@attack(SQLITE, REDIS)
def too_many_requests(trial: Trial) -> None:
    """Every other answer is 429 with Retry-After: 0, from two runs at once; then a third."""
    trial.server.set(plans=[{"fault": "status", "status": 429, "retryAfter": "0", "every": 2}])
    for going in [trial.spending(), trial.spending()]:
        trial.ended(going)
    trial.spend()


@attack(SQLITE)
def only_too_many_requests(trial: Trial) -> None:
    """Every answer is 429 with Retry-After: 0, to five runs."""
    trial.server.set(plans=[{"fault": "status", "status": 429, "retryAfter": "0"}])
    for _ in range(5):
        trial.spend()


@attack(SQLITE)
def late_refusals(trial: Trial) -> None:
    """Each tenth answer comes after the client has given up, so that nobody sees its status: three runs at once."""
    trial.server.set(plans=[{"fault": "slow", "seconds": 45.0, "every": 10}])
    for going in [trial.spending() for _ in range(3)]:
        trial.ended(going, 100.0)


@attack(SQLITE)
def clean_up_for_ever(trial: Trial) -> None:
    """A run is killed while answers are lost; then twelve cleanups, answers still being lost, on a budget that is spent."""
    trial.server.set(plans=[{"fault": "lost", "chance": 0.15, "since": 8}])
    going = trial.begin("--profile", "smoke", "--max-wait", "1s")
    trial.stack.append(going)
    trial.after(300, going)
    going.kill()
    trial.ended(going)
    trial.spend()
    for _ in range(12):
        trial.clean()


# -- ways to the same target -------------------------------------------------------------------------------------------------


def _by(trial: Trial, *base_urls: str) -> None:
    for number, base_url in enumerate(base_urls):
        trial.spend(target=trial.target(f"way{number}", base_url=base_url))


@attack(SQLITE, REDIS)
def other_host(trial: Trial) -> None:
    """127.0.0.1, then localhost: one target by two names."""
    port = trial.server.ports[0]
    _by(trial, f"http://127.0.0.1:{port}", f"http://localhost:{port}")


@attack(SQLITE)
def other_path(trial: Trial) -> None:
    """Three paths of one gateway."""
    base = trial.server.base_url
    _by(trial, base, f"{base}/gateway", f"{base}/gateway/v1/..")


@attack(SQLITE)
def other_port(trial: Trial) -> None:
    """Two ports of one gateway."""
    _by(trial, *(f"http://127.0.0.1:{port}" for port in trial.server.ports))


@attack(SQLITE)
def at_once_by_many_ways(trial: Trial) -> None:
    """Host, port and path of the gateway differ, four runs at once."""
    one, two = trial.server.ports
    ways = [
        f"http://127.0.0.1:{one}",
        f"http://localhost:{one}",
        f"http://127.0.0.1:{two}",
        f"http://localhost:{two}/x",
    ]
    for going in [trial.spending(target=trial.target(f"w{n}", base_url=way)) for n, way in enumerate(ways)]:
        trial.ended(going)


@attack(SQLITE)
def integrator_spelt_otherwise(trial: Trial) -> None:
    """The integrator's UUID in capitals, without hyphens and in braces."""
    for number, spelt in enumerate((INTEGRATOR, INTEGRATOR.upper(), INTEGRATOR.replace("-", ""), f"{{{INTEGRATOR}}}")):
        trial.spend(target=trial.target(f"spelt{number}", integrator=spelt))


@attack(SQLITE)
def other_name_and_accounts(trial: Trial) -> None:
    """Another name, environment and account in the target file, the same integrator."""
    trial.spend()
    trial.spend(target=trial.target("other", name="other", accounts=[{"id": 19056, "channel": "TRIAL_CHANNEL"}]))
    trial.spend("--allow-production=127.0.0.1", target=trial.target("production", environment="production"))


@attack(SQLITE)
def budgets_that_differ(trial: Trial) -> None:
    """One file's error_budget is 450, another's 400; both run, the bigger one first and last."""
    bigger = trial.target("bigger", error_budget=trial.budget * 450 // 400)
    trial.spend(target=bigger)
    trial.spend()
    trial.spend(target=bigger)
    trial.clean(target=bigger)


# -- people and machines ---------------------------------------------------------------------------------------------------


@attack(REDIS)
def two_users(trial: Trial) -> None:
    """Two users with state directories of their own, one Redis server: at once, then one after the other."""
    for going in [trial.spending(state=trial.path / user) for user in ("ann", "bob")]:
        trial.ended(going)
    trial.spend(state=trial.path / "ann")


@attack(SQLITE)
def shared_file(trial: Trial) -> None:
    """Two users, `coordination = "sqlite:PATH"`, one spelling it through a symbolic link."""
    (trial.path / "real").mkdir()
    (trial.path / "link").symlink_to(trial.path / "real")
    for number, name in enumerate(("real", "link")):
        path = trial.path / name / "shared.sqlite"
        target = trial.target(f"user{number}", coordination=f"sqlite:{path}")
        trial.spend(target=target, state=trial.path / f"state{number}")


@attack(SQLITE)
def relative_file(trial: Trial) -> None:
    """`coordination = "sqlite:shared.sqlite"`, a relative path, from two working directories."""
    target = trial.target(coordination="sqlite:shared.sqlite")
    for name in ("here", "there"):
        (trial.path / name).mkdir()
        trial.spend(target=target, before=("env", f"--chdir={trial.path / name}"))


@attack(SQLITE, REDIS)
def one_by_file_one_by_redis(trial: Trial) -> None:
    """One target file says sqlite, the other Redis (or another database of it)."""
    trial.spend()
    other = "sqlite" if trial.redis else f"sqlite:{trial.path / 'other.sqlite'}"
    trial.spend(target=trial.target("other", coordination=other))
    if trial.redis:
        trial.spend(target=trial.target("other", coordination=trial.redis.url.replace("/0", "/1")))


@attack(SQLITE)
def another_state_directory(trial: Trial) -> None:
    """XDG_STATE_HOME is another one for each run, as in some CI jobs; the user's home is the same."""
    for name in ("one", "two", "three"):
        trial.spend(state=trial.path / name)


@attack(SQLITE)
def another_cache_directory(trial: Trial) -> None:
    """XDG_CACHE_HOME is another one for each run; the state directory is the same."""
    for name in ("one", "two", "three"):
        trial.spend(environment={"XDG_CACHE_HOME": str(trial.path / name)})


@attack(SQLITE)
def two_state_directories_at_once(trial: Trial) -> None:
    """Two runs at once whose XDG_STATE_HOME differ, then a third with another."""
    for going in [trial.spending(state=trial.path / name) for name in ("one", "two")]:
        trial.ended(going)
    trial.spend(state=trial.path / "three")


@attack(SQLITE)
def no_home(trial: Trial) -> None:
    """None of HOME, XDG_STATE_HOME and XDG_CACHE_HOME is set, twice; then HOME is, to where the user's home is."""
    place = home()
    before = set(_states(place))
    trial.target(integrator=str(uuid4()))
    unset = {"XDG_STATE_HOME": "", "XDG_CACHE_HOME": ""}
    try:
        for own in ("", "", str(place)):
            trial.spend(environment={"HOME": own, **unset})
    finally:
        for path in set(_states(place)) - before:
            path.unlink(missing_ok=True)


def _states(place: Path) -> list[Path]:
    kept = (place / where / "koncili-conformance" for where in (".local/state", ".cache"))
    return [path for directory in kept for path in directory.rglob("*") if path.is_file()]


@attack(SQLITE)
def read_only_state(trial: Trial) -> None:
    """The state directory can't be written to: a file stands where it should be; then it can."""
    trial.state.write_text("not a directory")
    trial.spend()
    trial.state.unlink()
    trial.spend()
    trial.state.rename(trial.path / "moved")
    trial.state.write_text("not a directory")
    trial.spend()


@attack(SQLITE)
def full_disk(trial: Trial) -> None:
    """No file can grow beyond 96 KB, so that the store is full in mid-run; then beyond 200 KB; then a run as usual."""
    for kilobytes in (96, 200):
        limit = f'ulimit -f {kilobytes * 2}; exec "$@"'
        trial.spend(before=("sh", "-c", limit, "sh"))
    trial.spend()
