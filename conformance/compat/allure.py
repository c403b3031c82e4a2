"""What we use of Allure although it promises none of it."""

from __future__ import annotations

import pytest

OF_FIXTURES = ("pytest_fixture_setup", "pytest_fixture_post_finalizer")


def leave_fixtures_out(config: pytest.Config) -> None:
    """From now on Allure takes no note of fixtures and tells nobody of them, of each of which it would write a file (container):
    a run has a thousand, which its results are made without."""
    import allure_commons

    listener = config.pluginmanager.get_plugin("allure_listener")
    if listener is not None:
        for name in OF_FIXTURES:
            getattr(config.hook, name)._remove_plugin(listener)
    told = allure_commons.plugin_manager.hook.report_container
    for hook in told.get_hookimpls():
        told._remove_plugin(hook.plugin)
