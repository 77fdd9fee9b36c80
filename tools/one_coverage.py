"""A plug-in for pytest: a test process of xdist measures with one coverage, so that `no_cover` ends it.

pytest-cov takes each test process for the main one first and starts that one's coverage below its own. Where a test marked
`no_cover` ends the upper one, the lower one goes on in its place: whatever it finds is thrown away, at ten times the cost.
"""

from typing import Any

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """End what was started before the session knew where it runs; pytest-cov starts its own after this."""
    plugin: Any = session.config.pluginmanager.getplugin("_cov")
    if hasattr(session.config, "workerinput") and plugin is not None:
        plugin.cov_controller.cov.stop()
