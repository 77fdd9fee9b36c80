"use strict";
// Draws the sweeps in the colours of the theme, and filters the table of steps. Data comes from page.py.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif';
  const NARROW_PX = 620;

  function theme() {
    const dark = matchMedia("(prefers-color-scheme: dark)").matches;
    return (root.dataset.theme || (dark ? "dark" : "light")) === "dark" ? 1 : 0;
  }
  // "@blue" or "@blue/0.2" as the theme has it.
  function color(text) {
    const [key, alpha] = text.slice(1).split("/");
    const hex = data.colors[key][theme()];
    return alpha ? hex + Math.round(alpha * 255).toString(16).padStart(2, "0") : hex;
  }
  // A copy with every colour resolved. Only what is named a colour is one: a text may begin with @ too.
  function colored(value, name) {
    if (typeof value === "string") return /color$/.test(name) && value[0] === "@" ? color(value) : value;
    if (Array.isArray(value)) return value.map((one) => (one && typeof one === "object" ? colored(one, name) : one));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, colored(one, key)]));
    }
    return value;
  }
  function axis(given) {
    return {
      gridcolor: "@grid", zeroline: false, linecolor: "@idle", ticks: "outside", ticklen: 4, tickcolor: "@grid",
      automargin: true, separatethousands: false, exponentformat: "none", ...given,
      title: { standoff: 8, ...given.title },
    };
  }
  function draw(plot) {
    const figure = data.figures[plot.dataset.figure];
    const narrow = plot.clientWidth < NARROW_PX;
    const layout = {
      ...figure.layout, width: plot.clientWidth, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: FONT, size: narrow ? 11 : 12, color: "@ink" }, hovermode: "closest", dragmode: "zoom",
      hoverlabel: { align: "left", bgcolor: "@paper", bordercolor: "@idle", font: { family: FONT, color: "@ink" } },
      margin: { l: 56, r: 8, t: 8, b: 40 },
      legend: { orientation: "h", x: 0, y: 1.01, xanchor: "left", yanchor: "bottom", bgcolor: "rgba(0,0,0,0)" },
    };
    for (const name of ["xaxis", "yaxis", "yaxis2"]) if (layout[name]) layout[name] = axis(layout[name]);
    if (layout.yaxis2) layout.yaxis2.zeroline = true;
    if (layout.yaxis2) layout.yaxis2.zerolinecolor = "@soft";
    return Plotly.react(plot, colored(figure.data, ""), colored(layout, ""), {
      displayModeBar: false,
    });
  }
  const plots = [...document.querySelectorAll(".plot")];
  const drawAll = () => Promise.all(plots.map(draw));

  // The table of steps.
  const rows = [...document.querySelectorAll("#steps tbody tr")].map((row) => ({
    row, verdict: row.dataset.v, words: (row.dataset.b + " " + row.textContent).toLowerCase(),
  }));
  const filter = document.getElementById("filter");
  const buttons = [...document.querySelectorAll("[data-verdict]")];
  function show() {
    const wanted = filter.value.toLowerCase().split(/\s+/);
    const verdicts = buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.verdict);
    let shown = 0;
    for (const { row, verdict, words } of rows) {
      const is = verdicts.includes(verdict) && wanted.every((word) => words.includes(word));
      row.hidden = !is;
      shown += is;
    }
    document.getElementById("shown").textContent = shown + " of " + rows.length + " shown";
  }
  function find(text) {
    filter.value = text;
    for (const button of buttons) button.setAttribute("aria-pressed", "true");
    show();
    document.getElementById("all").scrollIntoView();
  }
  filter.addEventListener("input", show);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.verdict) {
      button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
      show();
    }
    if (button.dataset.find) find(button.dataset.find);
  });
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = theme() ? "light" : "dark";
    drawAll();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  // The width decides how big the letters are, so a plot is drawn anew, not only stretched.
  const widths = new ResizeObserver((changed) => changed.forEach((one) => draw(one.target)));

  show();
  drawAll().then(() => {
    for (const plot of plots) {
      plot.on("plotly_click", (event) => {
        const id = event.points.map((point) => point.customdata).find(Boolean);
        if (id) find(id);
      });
      widths.observe(plot);
    }
    root.dataset.ready = "yes";
  });
})();
