"""Answers in other charsets than UTF-8: lawful where they declare it."""

from __future__ import annotations

from types import MappingProxyType

import simplejson

from conformance.mock.defects.parts import with_fields
from conformance.mock.quirks import Answer


def in_charset(answer: Answer, charset: str, *, declared: bool = True) -> Answer:
    """The answer's JSON in a charset, its letters not escaped; what it can't write is a question mark."""
    if answer.body is None or isinstance(answer.body, bytes):
        return answer
    text = simplejson.dumps(answer.body, use_decimal=True, ensure_ascii=False)
    kind = f"application/json; charset={charset}" if declared else "application/json"
    headers = MappingProxyType({**answer.headers, "Content-Type": kind})
    return answer.having(body=text.encode(charset, "replace"), headers=headers)


def in_latin_1(answer: Answer, *, declared: bool = True) -> Answer:
    """A refusal in Portuguese and in ISO-8859-1."""
    told = answer.body.get("errorMessage") if isinstance(answer.body, dict) else None
    message = f"Requisição inválida: não foi possível processar ({told})"
    return in_charset(with_fields(errorMessage=message)(answer), "ISO-8859-1", declared=declared)
