"""The log of what runs have spent and left says the same whatever happens to the processes that write it."""

from __future__ import annotations

import errno
import math
import multiprocessing
import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
from hypothesis import strategies as st

from conformance.errors import CannotRun
from conformance.target.shared import usage_log
from conformance.target.shared.usage_lines import Known, known_of, read_lines, summarised
from conformance.target.shared.usage_log import MERGE_FILES, UsageLog
from tests.suite.support.properties import prove

W: Final = "client-errors"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "usage"


@pytest.fixture
def log(directory: Path) -> Iterator[UsageLog]:
    with closing(UsageLog(directory)) as log:
        log.of_store("one")
        yield log


def known(directory: Path) -> Known:
    """What another process reads."""
    return UsageLog(directory).read()


def what(found: Known) -> tuple[set[str], dict[str, str], dict[str, int]]:
    """Marks, records and sequences, without what time does to them."""
    marks = {mark for _, mark in found.marks}
    return marks, {key: value for key, (value, _) in found.records.items()}, dict(found.sequences)


def test_nothing_is_made_before_something_is_written(directory: Path) -> None:
    assert known(directory) == Known()
    assert not directory.exists()


def test_what_was_written_is_known_to_others(log: UsageLog, directory: Path) -> None:
    for number in range(3):
        log.marked(W, str(number), number + 1, 1e9)
    log.renewed(W, "0")
    log.unmarked(W, "1")
    log.put("order/a", '{"é": 1}\n')
    log.put("order/b", "there")
    log.put("order/b", "reconciled")
    log.put("order/c", "there")
    log.dropped(["order/c", "order/never"])
    log.blocked(3600)
    found = known(directory)
    assert what(found) == ({"0", "2"}, {"order/a": '{"é": 1}\n', "order/b": "reconciled"}, {"one": 3})
    assert found.dropped == {"order/c", "order/never"}
    assert found.block is not None
    assert 3500 < found.block[0] <= 3600
    assert found.whole
    assert all(age < 60 for age in found.marks.values())


def test_a_line_that_was_cut_off_spoils_no_other(log: UsageLog, directory: Path) -> None:
    log.marked(W, "a", 1, 1e9)
    (file,) = directory.glob("*.log")
    with file.open("ab") as opened:
        opened.write(b'\n["mark", 12')
    log.marked(W, "b", 2, 1e9)
    found = known(directory)
    assert what(found)[0] == {"a", "b"}
    assert not found.whole


GARBAGE: Final = st.binary(max_size=60) | st.sampled_from(
    [
        b"[]",
        b"{}",
        b"0",
        b'["mark", NaN, Infinity, "a", "b", 1, 1]',
        b'["mark", 1, 1, "a"]',
        b'["block", 1, 1, NaN]',
        b"[" * 9999,
    ]
)


def test_whatever_is_written_there_it_can_be_read() -> None:
    def law(lines: list[bytes]) -> None:
        whole = b'\n["where", "b", "s"]\n["put", 1, 1, "order/a", "there"]'
        read, _ = read_lines([whole, *(b"\n" + line for line in lines)])
        found = known_of(read, 0.0)
        assert "order/a" in found.records
        assert found.block is None or math.isfinite(found.block[0])

    prove(st.lists(GARBAGE, max_size=5), law, 200)


OPERATIONS: Final = st.lists(
    st.tuples(st.sampled_from(["marked", "renewed", "unmarked", "put", "dropped"]), st.integers(0, 4)), max_size=30
)


def carry_out(log: UsageLog, operations: list[tuple[str, int]]) -> None:
    for place, (operation, number) in enumerate(operations):
        match operation:
            case "marked":
                log.marked(W, str(number), place + 1, 1e9)
            case "renewed" | "unmarked":
                getattr(log, operation)(W, str(number))
            case "put":
                log.put(f"order/{number}", str(place))
            case _:
                log.dropped([f"order/{number}"])


@pytest.mark.parametrize("drops", [True, False])
def test_a_summary_says_what_all_of_it_says(tmp_path: Path, *, drops: bool) -> None:
    number = iter(range(10**6))

    def law(operations: list[tuple[str, int]]) -> None:
        directory = tmp_path / str(next(number))
        with closing(UsageLog(directory)) as log:
            log.of_store("one")
            carry_out(log, operations)
        contents = [path.read_bytes() for path in directory.glob("*.log")]
        lines, _ = read_lines(contents)
        assert what(known_of(summarised(lines, drops=drops), 0.0)) == what(known_of(lines, 0.0))

    prove(OPERATIONS, law, 60)


def test_a_process_that_writes_much_keeps_its_file_short(
    log: UsageLog, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_log, "COMPACT_BYTES", 5000)
    for number in range(300):
        log.marked(W, str(number), number + 1, 1e9)
        log.unmarked(W, str(number))
    log.put("order/a", "there")
    log.marked(W, "last", 301, 1e9)
    (file,) = directory.glob("*.log")
    assert file.stat().st_size < 7000
    assert what(known(directory)) == ({"last"}, {"order/a": "there"}, {"one": 301})


def test_where_much_still_counts_the_file_is_seldom_written_anew(
    log: UsageLog, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usage_log, "COMPACT_BYTES", 2000)
    files = set()
    for number in range(500):
        log.marked(W, str(number), number + 1, 1e9)
        files |= {path.name for path in directory.glob("*.log")}
    assert len(files) < 10
    assert len(known(directory).marks) == 500


def test_files_of_processes_that_ended_become_one(log: UsageLog, directory: Path) -> None:
    log.put("order/of-the-living", "there")
    for number in range(MERGE_FILES + 3):
        with closing(UsageLog(directory)) as ended:
            ended.of_store("one")
            ended.marked(W, str(number), number + 1, 1e9)
            ended.put(f"order/{number}", "there")
            ended.dropped([f"order/{number - 1}"])
    before = what(known(directory))
    assert what(known(directory)) == before
    assert len(list(directory.glob("*.log"))) == 2
    log.put("order/another", "there")
    assert known(directory).records.keys() == {
        "order/of-the-living",
        "order/another",
        f"order/{MERGE_FILES + 2}",
    }


def write_many(directory: str, number: int) -> None:
    with closing(UsageLog(Path(directory))) as log:
        log.of_store("one")
        for place in range(200):
            log.marked(W, f"{number} {place}", place + 1, 1e9)
            if place % 20 == 0:
                log.read()


def test_processes_at_once_lose_nothing(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_log, "COMPACT_BYTES", 4000)
    fork = multiprocessing.get_context("fork")
    processes = [fork.Process(target=write_many, args=(str(directory), number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert len(known(directory).marks) == 800


def test_it_is_the_users_alone(log: UsageLog, directory: Path) -> None:
    log.blocked(1)
    known(directory)
    assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
    assert directory.stat().st_mode & 0o777 == 0o700


def test_on_a_full_disk_nothing_can_run(log: UsageLog, monkeypatch: pytest.MonkeyPatch) -> None:
    log.put("a", "b")

    def full(_: int, __: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for write in (full, lambda _, text: len(text) - 1):
        monkeypatch.setattr("conformance.target.shared.usage_log.os.write", write)
        with pytest.raises(
            CannotRun, match=r"nothing is sent without it: make room, make it writable, or let XDG_STATE_HOME"
        ):
            log.marked(W, "m", 1, 1e9)


def test_where_no_directory_can_be_made_nothing_can_run(tmp_path: Path) -> None:
    (tmp_path / "usage").write_text("")
    with pytest.raises(CannotRun, match="cannot be written down there"):
        UsageLog(tmp_path / "usage" / "x").put("a", "b")


def test_a_process_that_goes_on_writes_anew_what_was_taken_away(log: UsageLog, directory: Path, tmp_path: Path) -> None:
    """Its own lines, and what others had spent when it began."""
    log.marked(W, "an earlier run's", 1, 1e9)
    log.put("order/of-it", "there")
    with closing(UsageLog(directory)) as later:
        later.of_store("one")
        later.read()
        later.marked(W, "its own", 2, 1e9)
        later.put("order/its-own", "there")
        directory.rename(tmp_path / "elsewhere")
        assert known(directory) == Known()
        later.read()
        marks, records, _ = what(known(directory))
        assert marks == {"an earlier run's", "its own"}
        assert records == {"order/its-own": "there"}
        later.marked(W, "and more", 3, 1e9)
        assert "and more" in what(known(directory))[0]


# -- kept in two places ------------------------------------------------------------------------------------------------


@pytest.fixture
def second(tmp_path: Path) -> Path:
    return tmp_path / "second"


@pytest.fixture
def both(directory: Path, second: Path) -> Iterator[UsageLog]:
    with closing(UsageLog(directory, second)) as both:
        both.of_store("one")
        yield both


PLACES: Final = pytest.mark.parametrize("lost", ["directory", "second"])


def test_each_place_knows_all(both: UsageLog, directory: Path, second: Path) -> None:
    carry_out(both, [("marked", 0), ("marked", 1), ("unmarked", 0), ("put", 2), ("put", 3), ("dropped", 2)])
    assert what(known(directory)) == what(known(second)) == what(UsageLog(directory, second).read())
    assert what(known(second)) == ({"1"}, {"order/3": "4"}, {"one": 2})


def test_one_place_named_twice_is_one(directory: Path) -> None:
    with closing(UsageLog(directory, directory)) as log:
        log.put("order/a", "there")
    assert len(list(directory.glob("*.log"))) == 1


@PLACES
def test_what_one_place_has_lost_the_next_process_writes_there_anew(
    tmp_path: Path, directory: Path, second: Path, lost: str
) -> None:
    """Else the loss of the other one, later, would forget it."""
    with closing(UsageLog(directory, second)) as first:
        first.of_store("one")
        carry_out(first, [("marked", 0), ("put", 0), ("put", 1), ("dropped", 1)])
    before = what(known(directory))
    shutil.rmtree(tmp_path / ("usage" if lost == "directory" else lost))
    with closing(UsageLog(directory, second)) as later:
        assert what(later.read()) == before
        later.of_store("one")
        later.put("order/later", "there")
    for place in (directory, second):
        assert what(known(place)) == (before[0], {**before[1], "order/later": "there"}, before[2])


@PLACES
def test_a_place_that_is_taken_away_in_the_middle_is_written_anew_with_the_next_line(
    both: UsageLog, directory: Path, second: Path, lost: str, tmp_path: Path
) -> None:
    carry_out(both, [("marked", 0), ("put", 0)])
    gone = directory if lost == "directory" else second
    gone.rename(tmp_path / "elsewhere")
    both.put("order/later", "there")
    assert (
        what(known(directory)) == what(known(second)) == ({"0"}, {"order/0": "1", "order/later": "there"}, {"one": 1})
    )


def test_a_second_place_that_cannot_be_written_stops_nothing(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    second = tmp_path / "file" / "usage"
    with closing(UsageLog(directory, second)) as log:
        assert log.read() == Known()
        log.of_store("one")
        carry_out(log, [("marked", 0), ("put", 0)])
        assert log.unkept.keys() == {second}
        assert "Not a directory" in log.unkept[second]
        assert what(log.read()) == what(known(directory)) == ({"0"}, {"order/0": "1"}, {"one": 1})


def test_a_second_place_whose_disk_is_full_stops_nothing(
    both: UsageLog, directory: Path, second: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is what was written there before taken for damaged."""
    both.put("order/a", "there")
    write, inode = os.write, next(second.glob("*.log")).stat().st_ino

    def full(opened: int, content: bytes) -> int:
        return write(opened, content[:5] if os.fstat(opened).st_ino == inode else content)

    monkeypatch.setattr("conformance.target.shared.usage_log.os.write", full)
    for number in range(3):
        both.marked(W, str(number), number + 1, 1e9)
    assert both.unkept.keys() == {second}
    found = UsageLog(directory, second).read()
    assert found.whole
    assert what(found) == ({"0", "1", "2"}, {"order/a": "there"}, {"one": 3})


def test_what_one_who_lives_has_left_is_told_from_what_the_dead_have(directory: Path, second: Path) -> None:
    with closing(UsageLog(directory, second)) as dead:
        dead.put("order/of-the-dead", "there")
    with closing(UsageLog(directory, second)) as living:
        living.put("order/of-the-living", "there")
        assert living.read().living == frozenset()
        shutil.rmtree(directory)
        found = UsageLog(directory, second).read()
        assert found.records.keys() == {"order/of-the-dead", "order/of-the-living"}
        assert found.living == {"order/of-the-living"}
