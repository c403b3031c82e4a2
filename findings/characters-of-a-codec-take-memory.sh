#!/bin/sh
# Hypothesis 6.170.15: the first draw from characters(codec="utf-8") takes some 200 MB where nothing is cached yet, as in every fresh CI job.
# The table of a codec is made of every character of Unicode as a pair of numbers before it is joined to ranges; UTF-8 has two ranges.
# The same characters said by category cost nothing. Schemathesis draws all its strings by a codec, utf-8 where none is configured.
set -eu
place=$(mktemp -d); trap 'rm -rf "$place"' EXIT; cd "$place"
python3 -m venv venv
venv/bin/pip install --quiet hypothesis==6.170.15
cat > draw.py <<'DRAW'
import resource, sys
from hypothesis import given, settings, strategies as st

@settings(max_examples=5, database=None)
@given(st.characters(codec="utf-8") if sys.argv[1] == "codec" else st.characters(exclude_categories=["Cs"]))
def draw(character):
    character.encode("utf-8")

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
draw()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
DRAW
taken() { HYPOTHESIS_STORAGE_DIRECTORY="$place/$2" venv/bin/python draw.py "$1"; }
first=$(taken codec home); again=$(taken codec home); category=$(taken category other)
echo "by codec, first: $first MB more; by codec, cached: $again MB more; by category: $category MB more"
test "$first" -gt 100
test "$again" -lt 40
test "$category" -lt 40
