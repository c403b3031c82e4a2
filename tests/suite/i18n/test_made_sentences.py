"""Sentences that are made in English where nobody reads them are found in the code, all of them, and said again."""

from __future__ import annotations

import pytest

from conformance.commandline import telling
from conformance.errors import CannotRun
from conformance.i18n.catalogues import source
from conformance.i18n.made import MADE, made_templates
from conformance.i18n.messages import speaking
from conformance.i18n.sentences import said
from conformance.report.waits import words
from tests.made_sentences import made_sentences
from tests.message_catalogue import made_file, messages, written

MODULE = """
class CannotRun(Exception): ...
class WaitTooLong(CannotRun): ...
class Violation(Exception): ...

REMEDY = "give another one"

def why(error, code):
    if code:
        return "the door is shut"
    return f"somebody said {code}"

def run(path, waiting, session, error, code, self):
    remedy = "mend it and run again" if code else REMEDY
    {statement}
"""


def found(statement: str) -> set[str]:
    """The sentences in a module with that statement."""
    return set(made_sentences({"module.py": MODULE.replace("{statement}", statement)}))


@pytest.mark.parametrize(
    ("statement", "sentences"),
    [
        ('raise CannotRun("no such door")', {"no such door"}),
        ('raise CannotRun(f"{path}: no such door in {code!r}")', {"{path}: no such door in {code}"}),
        ('raise WaitTooLong(f"too long for {self._name}")', {"too long for {name}"}),
        ('error = CannotRun(f"{path}: " "no such door")', {"{path}: no such door"}),
        (
            'raise CannotRun("no such door" if code else f"no way to {path}")',
            {"no such door", "no way to {path}"},
        ),
        (
            "raise CannotRun(f\"nothing {'at all ' if code else ''}is left of {path}\")",
            {"nothing at all is left of {path}", "nothing is left of {path}"},
        ),
        (
            'raise CannotRun(f"{path}: no such door; {remedy}")',
            {"{path}: no such door; {remedy}", "mend it and run again", "give another one"},
        ),
        (
            "raise CannotRun(why(error, code))",
            {"the door is shut", "somebody said {code}"},
        ),
        (
            'raise CannotRun(f"no way to {path}: {why(error, code)}")',
            {"no way to {path}: {error}", "the door is shut", "somebody said {code}"},
        ),
        (
            "lines = ['the door is shut']\n    lines.append(f'nobody is at {path}')\n    raise CannotRun('\\n'.join(lines))",
            {"the door is shut", "nobody is at {path}"},
        ),
        (
            "try: run()\n    except OSError as trouble: raise CannotRun(f'no way to {path}: {trouble}')",
            {"no way to {path}: {reason}"},
        ),
        ('waiting.wait(f"another try after a {code}", 3)', {"another try after a {code}"}),
        ('session.pause("an order to be seen", 3)', {"an order to be seen"}),
        ('self.ending.warnings.append("the store is new")', {"the store is new"}),
        ('self.stopped = f"worker {code} broke down"', {"worker {code} broke down"}),
        ('self.evidence.finish(path, code, f"{path} stood in the way: {error}")', {"{path} stood in the way: {error}"}),
        ("session.table = mark(f'nobody is at {path}')", {"nobody is at {path}"}),
        ('raise Violation("it was taken for good")', set()),
        ('raise CannotRun(f"{path}: {error}")', set()),
        ("raise CannotRun(str(error))", set()),
        ('print("no such door")', set()),
    ],
)
def test_a_sentence_is_found_where_it_is_made(statement: str, sentences: set[str]) -> None:
    assert found(statement) == sentences


LAWS = """
from functools import partial

_DELETED = "an order of this code was deleted"

class Bench:
    def observe(self, rule, expected, actual, exchange, context=""):
        violation = Violation(rule=rule, expected=expected, actual=actual, exchange=exchange, context=context)

def check_refused(*, rule, exchange, context=""):
    raise Violation(rule=rule, expected=f"it to be refused with {rule.refused}", actual=_words(exchange), context=context)

def _words(exchange):
    return f"its code was {exchange.code}" if exchange.code else "it had no code"

def law(bench, exchange, kind, place):
    {statement}

laws = [partial(law, bench, exchange, kind="of a million", place=place)]
"""

CHECKED = {"it to be refused with {refused}", "its code was {code}", "it had no code"}


@pytest.mark.parametrize(
    ("statement", "sentences"),
    [
        ("...", set()),
        (
            'bench.observe("ERR-02", "no server error", f"it was {place} again", exchange)',
            {"no server error", "it was {place} again"},
        ),
        ('bench.observe("ERR-02", "none", "none", exchange, context=_DELETED)', {"an order of this code was deleted"}),
        (
            'check_refused(rule="ERR-02", exchange=exchange, context=f"the order {kind} on {place}")',
            {"the order {kind} on {place}", "of a million"},
        ),
        (
            "context = f'the order was there'\n    def shown():\n        bench.observe('ERR-02', '', '', exchange, context)",
            {"the order was there"},
        ),
        (
            "problems = []\n    problems.append(f'{kind.name} was not {place}')\n"
            "    raise Violation(rule='ERR-02', expected='none', actual='; '.join(problems), exchange=None)",
            {"{name} was not {place}"},
        ),
        (
            "bench.observe('ERR-02', f\"the order to be {'gone' if kind else f'on {place}'}\", 'none', exchange)",
            {"the order to be gone", "the order to be on {place}"},
        ),
    ],
)
def test_the_words_of_a_violation_are_found_where_they_come_from(statement: str, sentences: set[str]) -> None:
    assert set(made_sentences({"laws.py": LAWS.replace("{statement}", statement)})) - CHECKED == sentences


PASSING_ON = """
def _whole(value):
    return value

def elsewhere(attempt):
    attempt.saw(_whole("see whether it is complete"))
"""


def test_what_a_function_gives_back_is_what_that_call_gives_it() -> None:
    """An id was named for a sentence, and what another caller gives the same function was gathered."""
    statement = "bench.observe('ERR-02', 'none', f'{_whole(place)} was there before', exchange)"
    laws = LAWS.replace("{statement}", statement) + PASSING_ON
    assert set(made_sentences({"laws.py": laws})) - CHECKED == {"{place} was there before"}


def test_a_new_violation_is_missed_in_the_catalogue() -> None:
    known = {message.id for message in written(source("pt-BR"))}
    law = 'raise Violation(rule="ORD-01", expected="the door to be open", actual=f"it was {path}", exchange=None)'
    assert found(law) - known == {"the door to be open", "it was {path}"}
    assert {"the order as it was sent", "it to be refused with {refused}"} <= known & set(messages())


def test_a_sentence_of_a_table_is_found() -> None:
    assert set(made_sentences({"module.py": 'MOST = 3\nWHY = mark(f"no more than {MOST} are sent")\n'})) == {
        "no more than {most} are sent"
    }


def test_a_new_message_of_an_error_is_missed_in_the_catalogue() -> None:
    known = {message.id for message in written(source("pt-BR"))}
    assert found('raise CannotRun(f"{path}: no such door")') - known == {"{path}: no such door"}
    assert "{path}: is a folder; name the recordings in it" in known & set(messages())


def test_the_templates_are_those_of_the_code() -> None:
    assert MADE.read_text(encoding="utf-8") == made_file(), "run `make messages`"


def test_every_template_made_is_recognised() -> None:
    with speaking("pt-BR"):
        lost = [template for template in made_templates() if said(template) == template]
    assert not lost


@pytest.mark.parametrize(
    ("english", "portuguese"),
    [
        (
            "the documented rate of GET /order, 90 a minute",
            "o ritmo documentado de GET /order, 90 por minuto",
        ),
        (
            "an order to be seen: that takes another 9 s, longer than --max-wait 1 s allows",
            "um pedido se tornar visível: isso leva mais 9 s, mais do que --max-wait 1 s permite",
        ),
        (
            "POST /order: no answer from https://a.example: [Errno 111] Connection refused; is base_url right, and is the "
            "target up?",
            "POST /order: sem resposta de https://a.example: [erro 111] conexão recusada; a base_url está certa, e o alvo está "
            "no ar?",
        ),
        (
            "t.toml: base_url must be a URL such as https://koncili.example\nt.toml: accounts must hold at least 1 account; add "
            "[[accounts]] with id and channel",
            "t.toml: base_url deve ser uma URL como https://koncili.example\nt.toml: accounts deve conter ao menos 1 conta; "
            "acrescente [[accounts]] com id e channel",
        ),
        (
            "ORD-02 stood in the way: ORD-02: expected it to be refused with 400, but it answered 200",
            "ORD-02 estava no caminho: ORD-02: esperava-se que fosse recusada com 400, mas a resposta foi 200",
        ),
        (
            "20001 on 'CHANNEL_NAME': a query for an order that nobody sent is answered 403 '403-1'",
            "20001 em 'CHANNEL_NAME': a consulta de um pedido que ninguém enviou é respondida com 403 '403-1'",
        ),
        (
            'ORD-15: expected the order as it was last accepted, but createdDate was sent as "2025-02-01T12:00Z" and shown as '
            '"2025-02-01T12:00" (its offset is missing: write 2025-02-01T12:00Z); extracts[1].value was sent as -1.5 and '
            "shown as nothing (submitted 3 times, with other contents)",
            'ORD-15: esperava-se o pedido como foi aceito por último, mas createdDate foi enviado como "2025-02-01T12:00Z" e '
            'mostrado como "2025-02-01T12:00" (falta o fuso: escreva 2025-02-01T12:00Z); extracts[1].value foi enviado como '
            "-1.5 e mostrado como nada (enviado 3 vezes, com outro conteúdo)",
        ),
        (
            'QRY-01: expected the order as it was sent, but sendDate was sent as "2025-02-01T12:00Z" and shown as "2025-02-01" '
            "(that is no instant: write 2025-02-01T12:00Z)",
            'QRY-01: esperava-se o pedido como foi enviado, mas sendDate foi enviado como "2025-02-01T12:00Z" e mostrado como '
            '"2025-02-01" (isso não é um instante: escreva 2025-02-01T12:00Z)',
        ),
        (
            "QRY-05: expected the order as it was last accepted, but it answered 404 (another order has a code that is in lower "
            "case, and was deleted)",
            "QRY-05: esperava-se o pedido como foi aceito por último, mas a resposta foi 404 (outro pedido tem o mesmo código, "
            "mas em minúsculas, e foi excluído)",
        ),
        (
            "REL-12: expected it to be refused with 4xx, but it answered 200 (2 entries where releasesQtd leaves 1)",
            "REL-12: esperava-se que fosse recusada com 4xx, mas a resposta foi 200 (2 lançamentos onde releasesQtd deixa 1)",
        ),
        (
            "An order is accepted alike when written with raw UTF-8: no acceptance was seen; ORD-01: a lawful call got 400",
            "Um pedido é aceito do mesmo modo quando escrito com UTF-8 sem escapes: nenhuma aceitação foi vista; ORD-01: uma "
            "chamada correta recebeu 400",
        ),
        (
            "REL-02: expected it to be refused with 404 and code 404-2, but its code was 404-1 (beside others (a))",
            "REL-02: esperava-se que fosse recusada com 404 e código 404-2, mas o código era 404-1 (beside others (a))",
        ),
    ],
)
def test_sentences_within_are_said_again_too(english: str, portuguese: str) -> None:
    with speaking("pt-BR"):
        assert said(english) == portuguese
    assert said(english) == english


@pytest.mark.parametrize(
    "answer",
    [
        "",
        ": ",
        "; ",
        "t.toml: ",
        "404 {'errorMessage': 'Order 7 was not found here: no reason'}",
        "We say: Order 12 not found; ask us",
        "it is what it is: nobody knows",
        "what a target says {of} itself\nin two lines",
    ],
)
def test_what_a_target_says_stays_as_it_is(answer: str) -> None:
    with speaking("pt-BR"):
        assert said(answer) == answer


def test_what_a_target_says_within_a_sentence_stays_as_it_is() -> None:
    told = "https://a.example gives no access token for these credentials: 401 the file; check email, password and base_url"
    with speaking("pt-BR"):
        assert said(told) == (
            "https://a.example não dá token de acesso para estas credenciais: 401 the file; verifique email, password e base_url"
        )


def test_errors_and_waits_are_told_in_the_language_spoken(capsys: pytest.CaptureFixture[str]) -> None:
    error = CannotRun("t.toml: cannot be read: No such file or directory")
    with speaking("pt-BR"):
        telling.complain(str(error))
        assert words("another try after a 503", 9) == "esperando 9 s por: outra tentativa após um 503"
    telling.complain(str(error))
    assert capsys.readouterr().err.splitlines() == [
        "koncili-conformance: t.toml: não pode ser lido: arquivo ou diretório inexistente",
        "koncili-conformance: t.toml: cannot be read: No such file or directory",
    ]
