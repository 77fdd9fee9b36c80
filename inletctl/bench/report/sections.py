"""The parts of the page, from its head down to the last table. Every text of a run is escaped here."""

from collections.abc import Iterable
from html import escape
from importlib import import_module

from inletctl import __version__
from inletctl.bench.model import FAIL, INCONCLUSIVE, NOT_RUN, PASS, Row, Run, worst
from inletctl.bench.report.numbers import (
    ERROR_DIGITS,
    duration,
    figures,
    one_line,
    quantity,
)
from inletctl.bench.report.story import Story, blocks_failed, stories
from inletctl.bench.report.verdicts import (
    LIMITS_TEXT,
    MEANING,
    READ_ORDER,
    SIGNS,
    counts,
    judged,
    sentences,
)
from inletctl.house import use_firmware
from inletctl.report.palette import OUTCOME

_NOT_STATED = "<i class='none'>not stated</i>"


def pill(verdict: str) -> str:
    """Return a verdict as its sign and its word, on its colour."""
    return (
        f"<span class='pill' style='--c:var(--{OUTCOME[verdict]})'>"
        f"<span aria-hidden='true'>{SIGNS[verdict]}</span> {verdict}</span>"
    )


def head(run: Run) -> str:
    """Return the title with the verdict, the four counts, and the limits of what all this says."""
    verdict = run.verdict
    in_part = verdict == NOT_RUN and any(row.verdict != NOT_RUN for row in run.rows)
    badge = f"{SIGNS[verdict]} {'PARTLY ' if in_part else ''}{verdict.upper()}"
    cut = "" if run.is_complete else "<b class='cut'>INCOMPLETE</b>"
    told = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences(run))
    found = counts(judged(run))
    cards = "".join(
        f"<div class='card'><h3>{SIGNS[v]} {v}</h3><p>{found[v]}</p><small>{MEANING[v]}</small></div>"
        for v in (PASS, FAIL, INCONCLUSIVE, NOT_RUN)
    )
    known = (
        ("target", run.target),
        ("firmware", run.firmware_hash),
        ("board id", run.board_id),
        ("began", run.began),
        ("operator", run.operator),
    )
    meta = "".join(
        f"<div><dt>{label}</dt><dd>{escape(text) if text else _NOT_STATED}</dd></div>"
        for label, text in known
    )
    return (
        "<header>\n<div class='brand'>OpenInlet <span>bench report</span>"
        "<button id='theme' type='button' title='Change between light and dark'>light / dark</button>"
        f"</div>\n<div class='title'><h1>{escape(run.recipe)}</h1>"
        f"<p class='verdict' style='--c:var(--{OUTCOME[verdict]})'><b>{badge}</b>{cut}</p></div>\n"
        f"<div class='told'>{told}</div>\n<section class='cards' aria-label='Verdicts of the steps'>"
        f"{cards}</section>\n<dl class='meta'>{meta}</dl>\n<p class='limits'>{escape(LIMITS_TEXT)}</p>\n</header>\n"
    )


def facts(run: Run) -> str:
    """Return who and what was tested, how, with what, and how to do it again."""
    device = (
        ("target", run.target),
        ("firmware", run.firmware_hash),
        ("board", run.board),
        ("board id", run.board_id),
    )
    test = (
        ("recipe", run.recipe),
        ("recipe SHA-256", run.recipe_sha256),
        ("seed", str(run.seed)),
        ("began", run.began),
        ("operator", run.operator),
        ("version of inletctl", __version__),
        ("timing error of the tool", _timing_error(run)),
        ("repeat with", run.command),
    )
    return (
        "<section class='facts'>"
        f"<div><h2>What was tested</h2>{_list(device)}{_settings(run)}</div>"
        f"<div><h2>How</h2>{_list(test)}</div>"
        f"<div><h2>Instruments</h2>{_items(run.instruments, 'none stated')}"
        f"<h2>Calibration</h2>{_items(run.calibration, 'none stated: nothing was corrected')}</div>"
        "</section>\n"
    )


def _timing_error(run: Run) -> str:
    if run.timing_error_us:
        return f"{duration(run.timing_error_us)} either way"
    return "0 ms: none was found"


def _list(pairs: Iterable[tuple[str, str]]) -> str:
    items = "".join(
        f"<div><dt>{label}</dt><dd>{escape(text) if text else _NOT_STATED}</dd></div>"
        for label, text in pairs
    )
    return f"<dl class='pairs'>{items}</dl>"


def _items(texts: list[str], none: str) -> str:
    if not texts:
        return f"<p class='none'>{none}</p>"
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>"


def _settings(run: Run) -> str:
    if not run.settings:
        own = any(block.settings for block in run.blocks)
        words = (
            "Each block stores its own settings, see below." if own else "Settings were not read."
        )
        return f"<p class='none'>{words}</p>"
    use_firmware()
    table = import_module("setting_rows")
    known = {row[table.ROW_KEY]: row for row in table.TABLE}
    changed = 0
    rows = []
    for key, value in run.settings.items():
        unit = default = mark = ""
        shown = str(value)
        if key in known:
            row = known[key]
            choices = table.CHOICES.get(key)
            unit = (
                "" if row[table.ROW_UNIT] in ("choice", "flag", "count") else row[table.ROW_UNIT]
            )
            default = _choice(choices, row[table.ROW_DEFAULT])
            if value != row[table.ROW_DEFAULT]:
                changed += 1
                mark = " class='changed'"
            shown = _choice(choices, value)
        rows.append(
            f"<tr{mark}><td>{escape(key)}</td><td class='n'>{escape(shown)}</td>"
            f"<td>{escape(unit)}</td><td class='n'>{escape(default)}</td></tr>"
        )
    many = f"{changed} other than the default" if changed else "all at their default"
    return (
        f"<details><summary>{len(rows)} settings, {many}</summary><table class='plain'><thead><tr>"
        "<th>setting</th><th class='n'>value</th><th>unit</th><th class='n'>default</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></details>"
    )


def _choice(choices: "tuple[str, ...] | None", value: int) -> str:
    return choices[value] if choices and 0 <= value < len(choices) else str(value)


def failures(run: Run) -> str:
    """Return the story of each block that failed; nothing where none did."""
    told = stories(run)
    if not told:
        return ""
    more = blocks_failed(run) - len(told)
    left = (
        f"<p class='note'>{more} further blocks failed too; their steps are in the table below.</p>"
        if more
        else ""
    )
    return (
        "<section id='failures'><h2>What failed</h2>\n"
        f"{''.join(_story(run, one) for one in told)}{left}</section>\n"
    )


def _story(run: Run, one: Story) -> str:
    row = one.row
    told = "".join(
        f"<div><dt>{label}</dt><dd>{escape(text)}</dd></div>" for label, text in figures(row)
    )
    lines = "".join(
        f"<tr{' class=begin' if line.t_us == row.t_us else ''}>"
        f"<td class='n'>{(line.t_us - row.t_us) / 1000:+.1f} ms</td>"
        f"<td>{line.who}</td><td>{escape(line.text)}</td></tr>"
        for line in one.lines
    )
    what = f"Around the step, 0 at its beginning ({row.t_us / 1e6:g} s into the block)"
    if one.left_out:
        what += f"; {one.left_out} lines further away are left out"
    timeline = (
        f"<h4>{what}</h4><div class='scroll'><table class='plain lines'><tbody>{lines}</tbody></table>"
        "</div>"
        if lines
        else "<p class='note'>The record shows no change around this step.</p>"
    )
    state = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(words)}</dd></div>"
        for label, words in one.state
    )
    lost = f"<p class='note'>Record: {escape(one.lost)}.</p>" if one.lost else ""
    also = ""
    if one.also:
        many = f"{len(one.also)} more step{'s' if len(one.also) > 1 else ''} of this block failed"
        names = "".join(f"<li>{_row_link(name)}</li>" for name in one.also)
        also = f"<details><summary>{many}</summary><ul class='ids'>{names}</ul></details>"
    inlet = f" · {escape(one.inlet)}" if one.inlet else ""
    return (
        f"<article class='story'><p class='where'>{pill(row.verdict)} {escape(one.title)}{inlet} · "
        f"{_row_link(row.id)}</p><h3>{escape(one_line(row.words))}</h3>"
        f"<dl class='numbers'>{told}</dl>{_clauses(run, row.requirements)}{timeline}"
        f"{f'<h4>The board at the end of the step</h4><dl class=numbers>{state}</dl>' if state else ''}"
        f"{lost}{also}</article>\n"
    )


def _row_link(name: str) -> str:
    return f"<button type='button' class='link' data-find='{escape(name)}'>{escape(name)}</button>"


def _clauses(run: Run, requirements: tuple[str, ...]) -> str:
    told = []
    for name in requirements:
        sentence, clause = run.requirements.get(name, ("", ""))
        more = f" {escape(sentence)}" if sentence else ""
        told.append(f"<li><b>{escape(name)}</b>{more} <small>{escape(clause)}</small></li>")
    return f"<ul class='clauses'>{''.join(told)}</ul>" if told else ""


def open_questions(run: Run) -> str:
    """Return why steps are inconclusive or were not run, the same words told once."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in judged(run):
        if row.verdict in (INCONCLUSIVE, NOT_RUN):
            groups.setdefault((row.verdict, one_line(row.words)), []).append(row)
    if not groups:
        return ""
    order = sorted(groups, key=lambda key: READ_ORDER.index(key[0]))
    rows = "".join(
        f"<tr><td>{pill(key[0])}</td><td class='n'>{len(groups[key])}</td><td>{escape(key[1])}</td>"
        f"<td>{_ids(groups[key])}</td></tr>"
        for key in order
    )
    return (
        "<section><h2>What has no verdict, and why</h2>\n<div class='scroll half'><table><thead><tr>"
        "<th>verdict</th><th class='n'>steps</th><th>why</th><th>which</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>\n"
    )


def _ids(rows: list[Row]) -> str:
    shown = ", ".join(_row_link(row.id) for row in rows[:4])
    return shown + (f" and {len(rows) - 4} more" if len(rows) > 4 else "")


def self_check(run: Run) -> str:
    """Return what the rig's check of itself found before the first step."""
    if not run.self_check:
        return (
            "<section><h2>Self-check of the rig</h2><p class='none'>"
            "The rig was not checked before the first step.</p></section>\n"
        )
    return (
        "<section><h2>Self-check of the rig</h2>\n<div class='scroll'><table class='wide'>"
        f"{_STEP_HEAD}<tbody>{''.join(_step(row) for row in run.self_check)}</tbody></table></div>"
        "</section>\n"
    )


def blocks(run: Run) -> str:
    """Return one line a block: how its steps came out, and how whole its record is."""
    rows_of: dict[str, list[Row]] = {}
    for row in judged(run):
        rows_of.setdefault(row.block_id, []).append(row)
    lines = []
    for block in run.blocks:
        rows = rows_of.get(block.id, [])
        record = run.records.get(block.id)
        found = counts(rows)
        if record is None:
            whole = "no record"
        elif record.is_complete:
            whole = "whole"
        elif not record.samples:
            whole = f"none: {record.why_not or 'the board said nothing'}"
        else:
            whole = f"cut short: {record.why_not or 'it did not come to its end'}"
        lines.append(
            f"<tr><td>{pill(worst([row.verdict for row in rows]))}</td>"
            f"<td>{_find(block.id, block.title)}</td><td>{escape(block.inlet)}</td>"
            + "".join(f"<td class='n'>{found[v] or '·'}</td>" for v in (PASS, *READ_ORDER[:3]))
            + f"<td class='n'>{duration(block.end_us)}</td><td>{escape(whole)}</td>"
            f"<td class='n'>{record.lost_lines if record else ''}</td>"
            f"<td class='n'>{record.damaged_lines if record else ''}</td>"
            f"<td class='n'>{duration(record.timing_error_us) if record else ''}</td></tr>\n"
        )
    if not lines:
        return ""
    return (
        "<section><h2>Blocks</h2>\n<div class='scroll tall'><table class='wide'><thead><tr>"
        "<th>verdict</th><th>block</th><th>inlet</th><th class='n'>pass</th><th class='n'>fail</th>"
        "<th class='n'>inconcl.</th><th class='n'>not run</th><th class='n'>length</th><th>record</th>"
        "<th class='n'>lost</th><th class='n'>damaged</th><th class='n'>timing error</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div></section>\n"
    )


def _find(what: str, shown: str) -> str:
    return (
        f"<button type='button' class='link' data-find='{escape(what)}'>{escape(shown)}</button>"
    )


def requirements(run: Run) -> str:
    """Return each requirement with its clause and how its steps came out; one without a step is not run."""
    rows_of: dict[str, list[Row]] = {name: [] for name in run.requirements}
    for row in judged(run):
        for name in row.requirements:
            rows_of.setdefault(name, []).append(row)
    if not rows_of:
        return ""
    lines = []
    for name in sorted(rows_of):
        rows = rows_of[name]
        found = counts(rows)
        sentence, clause = run.requirements.get(name, ("", ""))
        rest = [row for row in rows if row.verdict != PASS]
        lines.append(
            f"<tr><td>{pill(worst([row.verdict for row in rows]))}</td><td class='nowrap'>"
            f"{_find(name, name)}</td><td>{escape(sentence)}<br><small>{escape(clause)}</small></td>"
            + "".join(f"<td class='n'>{found[v] or '·'}</td>" for v in (PASS, *READ_ORDER[:3]))
            + f"<td>{_ids(rest) if rest else ''}</td></tr>\n"
        )
    return (
        "<section><h2>Requirements</h2>\n<p class='note'>Press an id to see its steps in the table below. "
        "A requirement without a step is not run.</p><div class='scroll tall'><table class='wide'><thead>"
        "<tr><th>verdict</th><th>id</th><th>what it asks</th><th class='n'>pass</th><th class='n'>fail</th>"
        "<th class='n'>inconcl.</th><th class='n'>not run</th><th>did not pass</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div></section>\n"
    )


_STEP_HEAD = (
    "<thead><tr><th>verdict</th><th>step</th><th class='n'>set</th><th class='n'>expected</th>"
    "<th class='n'>measured</th><th class='n'>error</th><th class='n'>limit</th><th class='n'>took</th>"
    "<th>requirement</th><th>what was expected, what was seen</th></tr></thead>"
)


def steps(run: Run) -> str:
    """Return the table of every step with its filters."""
    rows = judged(run)
    found = counts(rows)
    buttons = "".join(
        f"<button type='button' data-verdict='{v}' aria-pressed='true' {'' if found[v] else 'disabled'}>"
        f"{SIGNS[v]} {v} {found[v]}</button>"
        for v in (FAIL, INCONCLUSIVE, NOT_RUN, PASS)
    )
    return (
        "<section id='all'><h2>Every step</h2>\n<div class='tools'><span class='group'>"
        f"{buttons}</span><input id='filter' type='search' placeholder='show steps with ...' "
        "aria-label='Show steps with these words'><output id='shown'></output></div>\n"
        f"<div class='scroll steps'><table id='steps' class='wide'>{_STEP_HEAD}<tbody>"
        f"{''.join(_step(row) for row in rows)}</tbody></table></div></section>\n"
    )


def _step(row: Row) -> str:
    cells = (
        quantity(row.set_value, row.unit),
        quantity(row.expected, row.measured_unit),
        quantity(row.measured, row.measured_unit),
        quantity(row.error, row.measured_unit, ERROR_DIGITS),
        quantity(row.limit, row.measured_unit),
        duration(row.duration_us) if row.duration_us else "",
    )
    numbers = "".join(f"<td class='n'>{escape(text)}</td>" for text in cells)
    return (
        f"<tr data-v='{row.verdict}' data-b='{escape(row.block_id)}'><td>{pill(row.verdict)}</td>"
        f"<td class='id'>{escape(row.id)}</td>{numbers}"
        f"<td>{'<br>'.join(escape(name) for name in row.requirements)}</td>"
        f"<td class='words'>{escape(one_line(row.words))}</td></tr>\n"
    )


def signature(run: Run) -> str:
    """Return the lines to sign on paper."""
    name = escape(run.operator)
    return (
        "<section class='sign' aria-label='Signature'>"
        f"<div><span>{name}&nbsp;</span>tested by</div><div><span>{escape(run.began[:10])}&nbsp;</span>"
        "date</div><div><span>&nbsp;</span>signature</div></section>\n"
        f"<footer>{escape(LIMITS_TEXT)}</footer>\n"
    )
