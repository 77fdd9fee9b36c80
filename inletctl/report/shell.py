"""What each HTML report is put in: one file that needs nothing else, not even a network.

plotly.js, the data and the page's own script are inside. A content security policy forbids every connection and every
script that was not put in here.
"""

import base64
import hashlib
import json
from html import escape
from pathlib import Path
from typing import Any

from plotly.offline import get_plotlyjs

from inletctl.report.palette import COLORS

ASSETS = Path(__file__).resolve().parent / "assets"


def whole_page(title: str, style: str, script: str, body: str, data: Any = None) -> str:
    """Return the page. `style` goes behind that of every report, `body` into main and is HTML, `data` to `script`."""
    style = (ASSETS / "report.css").read_text(encoding="utf-8") + style
    plotly = get_plotlyjs().replace("</script", "<\\/script")
    policy = (
        f"default-src 'none'; script-src {_script_hash(plotly)} {_script_hash(script)}; "
        "style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    return "".join(
        (
            "<!doctype html>\n<html lang='en'>\n<head>\n<meta charset='utf-8'>\n",
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n',
            "<meta name='viewport' content='width=device-width, initial-scale=1'>\n",
            f"<title>{escape(title)}</title>\n",
            f"<style>\n{_theme_variables()}{style}</style>\n</head>\n<body>\n<main>\n",
            body,
            "</main>\n",
            _data_element(data) if data is not None else "",
            f"<script>{plotly}</script>\n<script>{script}</script>\n</body>\n</html>\n",
        )
    )


def _data_element(data: Any) -> str:
    # In JSON inside a script element only `<` can be taken for markup.
    payload = json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f"<script type='application/json' id='data'>{payload}</script>\n"


def _script_hash(script: str) -> str:
    """Return what a content security policy calls this script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def _theme_variables() -> str:
    """Return the palette as CSS, for a light and a dark page."""

    def block(theme: int) -> str:
        return "".join(f"--{key}:{pair[theme]};" for key, pair in COLORS.items())

    return (
        f":root{{color-scheme:light;{block(0)}}}\n"
        f":root[data-theme=dark]{{color-scheme:dark;{block(1)}}}\n"
        f"@media (prefers-color-scheme:dark){{:root:not([data-theme=light])"
        f"{{color-scheme:dark;{block(1)}}}}}\n"
    )
