"use strict";
// Fills the plots with what is in view, and reads every value at the cursor. Data comes from page.py.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const plot = document.getElementById("plot");
  const line = document.getElementById("line");
  const { data: traces, layout } = data.figure;
  const POINTS_MAX = 4000; // of one curve in view; beyond it only extremes are drawn
  const BARS_MAX = 1500;

  // Unpacking: see inletctl/report/pack.py.
  function numbers(text) {
    const bytes = atob(text);
    const out = [];
    let number = 0;
    let scale = 1;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes.charCodeAt(i);
      number += (byte & 127) * scale; // no shifts: times may pass 31 bits
      scale *= 128;
      if (byte < 128) {
        out.push(number);
        number = 0;
        scale = 1;
      }
    }
    return out;
  }
  const times = numbers(data.times);
  for (let i = 1; i < times.length; i++) times[i] += times[i - 1];
  for (let i = 0; i < times.length; i++) times[i] *= data.tick_s;
  const begin = times.length ? times[0] : 0;
  const end = times.length ? times[times.length - 1] : 0;

  const columns = {}; // name: {t: time of each change, v: value from then on, or null}
  for (const name in data.columns) {
    const codes = numbers(data.columns[name]);
    const t = [];
    const v = [];
    let row = 0;
    let value = 0;
    for (let i = 0; i < codes.length; i += 2) {
      row += codes[i];
      const code = codes[i + 1];
      if (code) value += (code - 1) % 2 ? -code / 2 : (code - 1) / 2;
      t.push(times[row]);
      v.push(code ? value : null);
    }
    columns[name] = { t, v };
  }

  // Number of entries of the sorted list that are <= x.
  function upTo(list, x) {
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle] <= x) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  const tidy = (number) => Math.round(number * 1e6) / 1e6;
  const escapeText = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

  // Colours.
  const root = document.documentElement;
  function theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? 1 : 0;
  }
  const color = (key) => data.colors[key][theme()];
  function inkOn(key) {
    const hex = color(key);
    const part = (at) => parseInt(hex.slice(at, at + 2), 16);
    return 0.3 * part(1) + 0.59 * part(3) + 0.11 * part(5) > 140 ? "#1c2733" : "#ffffff";
  }
  function clear(key, alpha) {
    return color(key) + Math.round(alpha * 255).toString(16).padStart(2, "0");
  }

  // What of each trace is in view.
  function curve(meta, from, to) {
    const { t, v } = columns[meta.column];
    const x = [];
    const y = [];
    const put = (time, value) => {
      x.push(time);
      y.push(value === null ? null : tidy(value * meta.scale));
    };
    const first = Math.max(0, upTo(t, from) - 1);
    const last = upTo(t, to);
    if (last - first <= POINTS_MAX) {
      for (let i = first; i < last; i++) put(t[i], v[i]);
    } else {
      // Lowest and highest of each slice of the view, in their order: nothing sticks out that is not drawn.
      const slices = POINTS_MAX / 4;
      let i = first;
      for (let n = 1; n <= slices && i < last; n++) {
        const until = n === slices ? last : upTo(t, from + ((to - from) * n) / slices);
        if (until <= i) continue;
        let low = i;
        let high = i;
        for (let j = i; j < until; j++) {
          if (v[j] === null) continue;
          if (v[low] === null || v[j] < v[low]) low = j;
          if (v[high] === null || v[j] > v[high]) high = j;
        }
        for (const k of [...new Set([i, low, high, until - 1])].sort((a, b) => a - b)) put(t[k], v[k]);
        i = until;
      }
    }
    if (last) put(Math.min(to, end), v[last - 1]);
    return { x, y };
  }

  const valueOf = (meta, value) =>
    meta.bit === undefined || value === null ? value : Math.floor(value / 2 ** meta.bit) % 2;

  function bars(meta, from, to) {
    const { t, v } = columns[meta.column];
    const out = { base: [], x: [], y: [], text: [], hover: [], color: [], edge: [], font: [] };
    const pxPerS = (plot.clientWidth - layout.margin.l - layout.margin.r) / (to - from);
    const least = (to - from) / BARS_MAX;
    const first = Math.max(0, upTo(t, from) - 1);
    const last = upTo(t, to);
    for (let i = first; i < last; i++) {
      const value = valueOf(meta, v[i]);
      let j = i;
      while (j + 1 < last && valueOf(meta, v[j + 1]) === value) j++;
      const key = value === null ? undefined : meta.colors[value];
      i = j;
      if (!key) continue;
      const [since, until] = reach(meta, t, v, j);
      const start = Math.max(from, since);
      const stop = Math.min(to, until);
      // A state too short to see is drawn as thin as can be seen, not left out.
      const width = Math.max(stop - start, least);
      const n = out.base.length - 1;
      if (n >= 0 && start < out.base[n] + out.x[n] && start + width <= out.base[n] + out.x[n]) continue;
      out.base.push(start);
      out.x.push(width);
      out.y.push(meta.lane);
      const text = meta.texts[value] || "";
      const fits = text && textWidth(text) + 8 < width * pxPerS;
      out.text.push(fits ? escapeText(text) : "");
      out.hover.push(
        "<b>" + escapeText(meta.name) + "</b>" + (text ? "<br>" + wrap(text) : "") + "<br>" + since.toFixed(3) +
        " s to " + until.toFixed(3) + " s (" + tidy(until - since).toFixed(3) + " s)",
      );
      out.color.push(color(key));
      out.edge.push(color(key === "white" ? "soft" : key)); // white on white needs its edge
      out.font.push(inkOn(key));
    }
    return out;
  }
  // From when to when the state that holds at change j lasts, also beyond the view.
  function reach(meta, t, v, j) {
    const value = valueOf(meta, v[j]);
    let first = j;
    while (first > 0 && valueOf(meta, v[first - 1]) === value) first--;
    while (j + 1 < v.length && valueOf(meta, v[j + 1]) === value) j++;
    return [t[first], j + 1 < t.length ? t[j + 1] : end];
  }
  const brush = document.createElement("canvas").getContext("2d");
  brush.font = "11px " + layout.font.family;
  const textWidth = (text) => brush.measureText(text).width;

  const eventTimes = data.events.map((event) => event[0]);
  function marks(meta, from, to) {
    const out = { x: [], y: [], text: [], color: [] };
    for (let i = upTo(eventTimes, from - 1e-9); i < upTo(eventTimes, to); i++) {
      const [t, kind, level, text] = data.events[i];
      if (!meta.events.includes(kind)) continue;
      const n = out.x.length - 1;
      const words = wrap(text);
      if (n >= 0 && out.x[n] === t) {
        out.text[n] += "<br>" + words;
        continue;
      }
      out.x.push(t);
      out.y.push(meta.lane);
      out.text.push("<b>" + t.toFixed(3) + " s</b><br>" + words);
      const plain = { scenario: "ink", world: "soft" }[kind];
      out.color.push(color((level === "info" && plain) || meta.levels[level]));
    }
    return out;
  }
  function wrap(text) {
    const lines = [""];
    for (const word of text.split(" ")) {
      if (lines[lines.length - 1].length + word.length > 64) lines.push("");
      lines[lines.length - 1] += (lines[lines.length - 1] ? " " : "") + word;
    }
    return lines.map(escapeText).join("<br>");
  }

  function fill(traces, from, to) {
    for (const trace of traces) {
      const meta = trace.meta;
      if (meta.events) {
        const { x, y, text, color: colors } = marks(meta, from, to);
        Object.assign(trace, { x, y, text });
        trace.marker = { ...trace.marker, color: colors, line: { width: 1, color: color("paper") } };
      } else if (trace.type === "bar") {
        const { base, x, y, text, hover, color: colors, edge, font } = bars(meta, from, to);
        Object.assign(trace, { base, x, y, text, hovertext: hover });
        trace.marker = { ...trace.marker, color: colors, line: { width: 1, color: edge } };
        trace.textfont = { ...trace.textfont, color: font };
        trace.insidetextfont = trace.textfont;
      } else {
        Object.assign(trace, curve(meta, from, to));
        trace.line = { ...trace.line, color: color(meta.color) };
        if (trace.fill) trace.fillcolor = clear(meta.color, 0.16);
      }
    }
  }

  function paint(layout) {
    layout.font.color = color("ink");
    layout.hoverlabel = {
      ...layout.hoverlabel, bgcolor: color("paper"), bordercolor: color("soft"),
      font: { ...layout.hoverlabel.font, color: color("ink") },
    };
    for (const name of Object.keys(layout)) {
      if (/^[xy]axis/.test(name)) {
        layout[name].gridcolor = layout[name].tickcolor = color("grid");
        layout[name].tickfont = { size: 11.5, color: color(layout[name].ticktext ? "ink" : "soft") };
      }
      if (/^legend/.test(name)) layout[name].font.color = color("ink");
    }
    const keys = {};
    for (const note of layout.annotations) {
      note.font.color = color(note.name);
      if (note.yref === "paper") continue;
      keys[note.yref + note.y] = note.name;
      note.bgcolor = clear("paper", 0.75);
    }
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: color("soft"), activecolor: color("ink") };
    for (const shape of layout.shapes) shape.line.color = color(keys[shape.yref + shape.y0]);
  }

  let view = layout.xaxis.range.slice();
  let drawing = Promise.resolve();
  function draw() {
    fill(traces, view[0], view[1]);
    paint(layout);
    layout.xaxis.range = view.slice();
    layout.datarevision = (layout.datarevision || 0) + 1;
    const config = {
      displaylogo: false, responsive: true, doubleClick: false, showTips: false, scrollZoom: false,
      modeBarButtons: [["toImage", "zoom2d", "pan2d"]], // no other: some of plotly's talk to its cloud
      toImageButtonOptions: { filename: "openinlet-session", scale: 2 },
    };
    drawing = drawing.then(() => Plotly.react(plot, traces, layout, config)).then(place);
    return drawing;
  }
  function show(from, to) {
    const span = Math.min(end - begin, Math.max(0.02, to - from));
    from = Math.max(begin, Math.min(from, end - span));
    view = [from, from + span];
    return draw();
  }

  // Cursor and what it reads.
  let cursor = begin;
  const cells = data.readout.map(([label]) => {
    const cell = document.createElement("div");
    const name = document.createElement("span");
    const value = document.createElement("b");
    name.textContent = label;
    cell.append(name, value);
    document.getElementById("values").append(cell);
    return value;
  });
  const lanes = {};
  for (const trace of traces) if (trace.meta.texts) lanes[trace.meta.column] = trace.meta;
  function at(name, t) {
    const column = columns[name];
    const n = upTo(column.t, t + 1e-9);
    return n ? column.v[n - 1] : null;
  }
  function read() {
    document.getElementById("cursor").textContent = cursor.toFixed(3) + " s";
    data.readout.forEach(([, name, scale, digits, unit], n) => {
      const value = at(name, cursor);
      const cell = cells[n];
      cell.textContent = "";
      if (value === null) {
        cell.textContent = "-";
      } else if (data.texts[name]) {
        const key = lanes[name] && lanes[name].colors[value];
        if (key) {
          const dot = document.createElement("i");
          dot.style.setProperty("--c", "var(--" + key + ")");
          cell.append(dot);
        }
        const text = data.texts[name][value];
        cell.append(text === undefined ? "?" + value : text);
        cell.title = cell.textContent;
      } else if (unit.includes("/")) {
        cell.textContent = unit.split("/")[value ? 1 : 0];
      } else {
        cell.textContent = (value * scale).toFixed(digits) + " " + unit;
      }
    });
    place();
  }
  function place() {
    const full = plot._fullLayout;
    if (!full) return;
    const x = full.xaxis._offset + full.xaxis.l2p(cursor);
    const inside = cursor >= view[0] - 1e-9 && cursor <= view[1] + 1e-9;
    line.style.display = inside ? "block" : "none";
    line.style.transform = "translateX(" + Math.round(x) + "px)";
    line.style.top = layout.margin.t + "px";
    line.style.bottom = layout.margin.b + "px";
  }
  function timeAt(event) {
    const axis = plot._fullLayout && plot._fullLayout.xaxis;
    if (!axis) return null;
    const x = event.clientX - plot.getBoundingClientRect().left - axis._offset;
    if (x < 0 || x > axis._length) return null;
    return Math.min(end, Math.max(begin, axis.p2l(x)));
  }
  function setCursor(t) {
    cursor = t;
    read();
  }
  // Go to a time: keep the zoom, move the view only if the time is outside of it.
  function goTo(t) {
    setCursor(t);
    const span = view[1] - view[0];
    if (t < view[0] || t > view[1]) show(t - span / 2, t + span / 2);
    let near = null;
    for (const row of document.querySelectorAll("#events tbody tr")) {
      const is = Math.abs(row.dataset.t - t) < 1e-6;
      row.classList.toggle("near", is);
      if (is && !near) near = row;
    }
    return near;
  }
  function stepEvent(direction) {
    const n = direction > 0 ? upTo(eventTimes, cursor + 1e-7) : upTo(eventTimes, cursor - 1e-6) - 1;
    if (n >= 0 && n < eventTimes.length) {
      const near = goTo(eventTimes[n]);
      if (near) near.parentElement.parentElement.parentElement.scrollTop = near.offsetTop - 60;
    }
  }

  document.getElementById("stage").addEventListener("mousemove", (event) => {
    const t = timeAt(event);
    if (t !== null && !event.buttons) setCursor(t);
  });
  document.getElementById("stage").addEventListener("dblclick", () => show(begin, end));
  document.getElementById("stage").addEventListener("wheel", (event) => {
    const t = timeAt(event);
    if (!event.ctrlKey || t === null) return;
    event.preventDefault();
    const factor = event.deltaY > 0 ? 1.25 : 0.8;
    show(t - (t - view[0]) * factor, t + (view[1] - t) * factor);
  }, { passive: false });
  document.addEventListener("click", (event) => {
    const { step, span } = event.target.dataset;
    if (step) stepEvent(Number(step));
    if (span === "0") show(begin, end);
    else if (span) show(cursor - span / 2, cursor + span / 2);
    const row = event.target.closest("tr[data-t]");
    if (row) jump(row);
  });
  function jump(row) {
    goTo(Number(row.dataset.t));
    document.getElementById("session").scrollIntoView();
  }
  document.addEventListener("keydown", (event) => {
    if (event.target.tagName === "INPUT") return;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      stepEvent(event.key === "ArrowRight" ? 1 : -1);
    }
    if (event.key === "Enter" && event.target.dataset.t) jump(event.target);
  });
  document.getElementById("filter").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/);
    for (const row of document.querySelectorAll("#events tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = theme() ? "light" : "dark";
    draw();
    read();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  window.addEventListener("resize", () => setTimeout(place, 200));

  draw().then(() => {
    plot.on("plotly_relayout", (change) => {
      const from = change["xaxis.range[0]"];
      if (from !== undefined && (from !== view[0] || change["xaxis.range[1]"] !== view[1])) {
        show(from, change["xaxis.range[1]"]);
      }
    });
    setCursor(begin);
    root.dataset.ready = "yes";
  });
})();
