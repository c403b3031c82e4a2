"""What a process loads from which command lines are forked (`forked.py`): modules, and what is read once and is the same for all
runs."""

from __future__ import annotations

import gc

from hypothesis.internal.charmap import charmap

import conformance.cli
import conformance.engine.schema_layer
import conformance.run.launch
import tests.certification.conftest
from conformance.contract.rules import catalogue
from conformance.i18n.messages import LANGUAGES, can_speak
from conformance.report.page.render import templates

__all__ = ["conformance", "tests"]

charmap()
catalogue()
for language in LANGUAGES:
    can_speak(language)
for name in templates().list_templates(extensions=["j2"]):
    templates().get_template(name)
gc.collect()
gc.freeze()  # what is garbage is looked for among what a command makes
