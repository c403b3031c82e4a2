"""The words of breaches in Portuguese. What no row knows stays in English, which a test rules out for what the judge says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_FIELD: Final = r"(?P<field>[\w.\[\]]+)"

_ROWS: Final[Mapping[str, str]] = {
    rf"{_FIELD} is missing": "{field} está ausente",
    rf"{_FIELD} is missing or no number": "{field} está ausente ou não é um número",
    rf"{_FIELD} is missing or no string": "{field} está ausente ou não é um texto",
    rf"{_FIELD} is missing or no array": "{field} está ausente ou não é uma lista",
    rf"{_FIELD} is missing or no account id": "{field} está ausente ou não é o id de uma conta",
    rf"{_FIELD} is missing or no ISO 8601 instant": "{field} está ausente ou não é um instante ISO 8601",
    rf"{_FIELD} is not a string": "{field} não é um texto",
    rf"{_FIELD} is not a number": "{field} não é um número",
    rf"{_FIELD} is not a date": "{field} não é uma data",
    rf"{_FIELD} is not an ISO 8601 instant": "{field} não é um instante ISO 8601",
    rf"{_FIELD} is not an object": "{field} não é um objeto",
    rf"{_FIELD} is not an array": "{field} não é uma lista",
    rf"{_FIELD} is not an integer": "{field} não é um número inteiro",
    rf"{_FIELD} is not a positive integer": "{field} não é um número inteiro positivo",
    rf"{_FIELD} is not an account id": "{field} não é o id de uma conta",
    rf"{_FIELD} is empty": "{field} está vazio",
    rf"{_FIELD} is mandatory for (?P<status>\w+)": "{field} é obrigatório para {status}",
    rf"{_FIELD} must be one of (?P<values>.+)": "{field} deve ser um destes: {values}",
    rf"{_FIELD} must be (?P<value>\w+)": "{field} deve ser {value}",
    rf"{_FIELD} is later than (?P<other>\w+)": "{field} é posterior a {other}",
    rf"{_FIELD} is not earlier than (?P<other>\w+)": "{field} não é anterior a {other}",
    rf"{_FIELD} is not the order's": "{field} não é o do pedido",
    rf"{_FIELD} is not the release's": "{field} não é o da liberação",
    rf"{_FIELD} has a sign that contradicts (?P<type>\w+)": "o sinal de {field} contradiz {type}",
    rf"{_FIELD} names no instant: its offset is missing; write it as (?P<wanted>\S+)": (
        "{field} não indica um instante: falta o fuso horário; escreva {wanted}"
    ),
    rf"{_FIELD} names no instant: its time of day and its offset is missing; write it as (?P<wanted>\S+)": (
        "{field} não indica um instante: faltam a hora e o fuso horário; escreva {wanted}"
    ),
    rf"{_FIELD} is none of an order": "{field} não é o de um pedido",
    rf"{_FIELD} is below 1": "{field} é menor que 1",
    rf"{_FIELD} is above (?P<other>\w+)": "{field} é maior que {other}",
    rf"{_FIELD} is outside the period": "{field} está fora do período",
    rf"{_FIELD} is not within the period": "{field} não está dentro do período",
    "the body is not a JSON object": "o corpo não é um objeto JSON",
    "the body is not JSON: (?P<why>.*)": "o corpo não é JSON: {why}",
    "another reconciliation is active on this channel": "há outra conciliação ativa neste canal",
    "the period equals, holds or lies within an earlier one": "o período é igual a um anterior, o contém ou está contido nele",
    "the period overlaps an earlier one": "o período se sobrepõe a um anterior",
    "the period touches an earlier one": "o período toca um anterior",
    "the reconciliation is of another account or channel": "a conciliação é de outra conta ou de outro canal",
    r"(?P<entries>\d+) entries for (?P<extracts>\d+) extracts": "{entries} lançamentos para {extracts} extratos",
    "the types of releases are not those of the extracts": "os tipos dos lançamentos não são os dos extratos",
    "the values of releases are not those of the extracts": "os valores dos lançamentos não são os dos extratos",
    "this order's release is there already": "a liberação deste pedido já foi enviada",
    "more entries than releasesQtd announced": "há mais lançamentos do que releasesQtd anunciou",
    "Order (?P<code>.*) not found": "o pedido {code} não foi encontrado",
}
"""A sentence of the judge, as a pattern, and the same in Portuguese."""

_COMPILED: Final = [(re.compile(pattern, re.DOTALL), words) for pattern, words in _ROWS.items()]


def in_portuguese(message: str) -> str:
    """What a breach's message says, in Portuguese."""
    for pattern, words in _COMPILED:
        if found := pattern.fullmatch(message):
            return words.format(**found.groupdict())
    return message
