"""What we use of Allure although it promises none of it."""

from __future__ import annotations


def leave_fixtures_out() -> None:
    """From now on nobody is told of fixtures, of each of which Allure would write a file (container): a run has a thousand, which
    its results are made without."""
    import allure_commons

    told = allure_commons.plugin_manager.hook.report_container
    for hook in told.get_hookimpls():
        told._remove_plugin(hook.plugin)
