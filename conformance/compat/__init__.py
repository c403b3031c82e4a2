"""What we use of other libraries although they don't promise it: a module for each library, and no other place that does.

tests/suite/compat says in a sentence what is gone where a release changes it; pyproject.toml has the bounds. Imports nothing of
ours. Start with the module of the library that has changed.
"""
