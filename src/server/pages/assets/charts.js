// Draws the tables of a page as charts that can be looked into. Without it there are pictures, and the tables.
"use strict";
(() => {
  if (!("uPlot" in window)) return;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const lines = () => ["--one", "--two", "--three", "--four", "--five", "--six"].map(colour);
  const dashes = [[], [7, 3], [2, 2], [10, 3, 2, 3], [5, 5], [1, 4]];

  // The columns of a table; a cell without a value is a gap.
  const columns = (table) => {
    const rows = [...table.tBodies[0].rows].map((row) =>
      [...row.cells].map((cell) => ("value" in cell.dataset ? Number(cell.dataset.value) : null)));
    return rows[0] ? rows[0].map((_, at) => rows.map((row) => row[at])) : [];
  };
  const duration = (ns) =>
    ns < 1e3 ? ns + "ns" : ns < 1e6 ? +(ns / 1e3).toPrecision(3) + "µs"
      : ns < 1e9 ? +(ns / 1e6).toPrecision(3) + "ms" : +(ns / 1e9).toPrecision(3) + "s";
  // As the tables and the verdicts say it: in UTC, whoever looks from where.
  const utc = (seconds) => new Date(seconds * 1e3).toISOString();
  const tick = (day) => (seconds) => (day ? utc(seconds).slice(5, 10) : utc(seconds).slice(11, 16));
  const axis = (more) => ({
    stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 }, ...more,
  });

  const durations = (table, data) => {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
    const series = names.slice(1).map((label, at) => ({
      label, stroke: lines()[at % 6], width: 2, dash: dashes[at % 6], points: { show: false },
      value: (_, share) => (share == null ? "–" : +(share * 100).toPrecision(3) + "%"),
    }));
    return [{
      scales: { x: { time: false, distr: 3 } },
      axes: [
        axis({ values: (_, ticks) => ticks.map((tick) => (tick == null ? "" : duration(tick))) }),
        axis({ size: 60, values: (_, ticks) => ticks.map((tick) => +(tick * 100).toPrecision(3) + "%") }),
      ],
      series: [{ label: "up to", value: (_, ns) => (ns == null ? "–" : duration(ns)) }, ...series],
    }, data];
  };
  const looks = (table, data) => {
    const unit = table.dataset.unit;
    const value = (_, difference) => (difference == null ? "–" : +difference.toPrecision(3) + unit);
    const [stroke] = lines();
    return [{
      scales: { x: { time: true } },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1e3), "Etc/UTC"),
      axes: [
        axis({ label: "UTC", labelSize: 20, values: (_, ticks, at, space, step) => ticks.map(tick(step >= 86400)) }),
        axis({ size: 70, values: (_, ticks) => ticks.map((tick) => tick + unit) }),
      ],
      bands: [{ series: [3, 2], fill: stroke + "33" }],
      series: [
        { label: "look", value: (_, at) => (at == null ? "–" : utc(at).slice(0, 16).replace("T", " ") + " UTC") },
        { label: "difference", stroke, width: 2, value },
        { label: "from", stroke, width: 1, dash: [3, 3], value, points: { show: false } },
        { label: "to", stroke, width: 1, dash: [3, 3], value, points: { show: false } },
      ],
    }, data.slice(0, 4)];
  };
  const kinds = { durations, looks };

  const drawn = [];
  const draw = (figure) => {
    const table = figure.querySelector("table[data-kind]");
    const picture = figure.querySelector("svg.plot");
    if (!table || !picture) return;
    const data = columns(table);
    if (data.length < 2 || data[0].length < 2) return;
    const place = document.createElement("div");
    place.className = "drawn";
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", picture.getAttribute("aria-label"));
    picture.before(place);
    const width = () => Math.max(260, figure.clientWidth);
    const [options, values] = kinds[table.dataset.kind](table, data);
    const chart = new uPlot({ ...options, width: width(), height: 260, cursor: { drag: { x: true, y: false } } }, values, place);
    drawn.push({ chart, place, width });
  };
  const drawAll = () => document.querySelectorAll("figure.chart").forEach(draw);
  const drawAgain = () => {
    for (const { chart, place } of drawn.splice(0)) {
      chart.destroy();
      place.remove();
    }
    drawAll();
  };
  addEventListener("resize", () =>
    drawn.forEach(({ chart, width }) => chart.setSize({ width: width(), height: 260 })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAgain);
  drawAll();
})();
