"""A scenario back as text: the canonical spelling, which reads back as the same scenario."""

from inletctl.scenario.language import Language
from inletctl.scenario.model import ALWAYS, END, NEVER, Action, Scenario
from inletctl.scenario.units import show_time


def format_scenario(scenario: Scenario, language: Language) -> str:
    """Return the text of a scenario: absolute times, one statement a line, defaults not spelled out."""
    lines = ["title " + scenario.title]
    lines += ["about " + text for text in scenario.about]
    lines.append("inlet " + scenario.inlet)
    if scenario.seed != 1:
        lines.append("seed %d" % scenario.seed)
    for word, fields, values in (
        ("set", language.settings, scenario.settings),
        ("world", language.world, scenario.world),
    ):
        lines += [
            "%s %s=%s" % (word, key, fields[key].show(values[key]))
            for key in values
            if key != "inlet"
        ]
    now_us = -1
    for item in scenario.timeline:
        text = item.words if isinstance(item, Action) else item.text
        timeless = not isinstance(item, Action) and item.form in (ALWAYS, NEVER, END)
        if timeless or item.t_us == now_us:
            lines.append(text)
        else:
            now_us = item.t_us
            lines.append("at %s %s" % (show_time(now_us), text))
    lines.append("end " + show_time(scenario.end_us))
    return "\n".join(lines) + "\n"
