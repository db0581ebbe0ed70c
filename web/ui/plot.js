// Plots. dygraphs draws what goes on in time, SVG the rest; nobody else knows either. Each plot has a
// caption, a sentence that says what is to be seen, and a table of the same numbers.

import { el, scroller, setText, svg, table } from "./dom.js";
import { clock } from "./format.js";

const LIBRARY = "./dygraph.min.js";
const ROWS = 60; // of the table of a plot in time

let library = null;

// The legend is ours; theirs writes a style attribute, which the policy of this page forbids.
function bare(Dygraph) {
  Dygraph.PLUGINS = Dygraph.PLUGINS.filter((plugin) => plugin !== Dygraph.Plugins.Legend);
  return Dygraph;
}

function loadLibrary() {
  library ||= new Promise((done, failed) => {
    document.head.append(el("script", { src: LIBRARY, onload: () => done(bare(window.Dygraph)),
      onerror: () => failed(new Error("the library for plots did not come")) }));
  });
  return library;
}

// What a variable of style.css comes to: it may be a function of the theme, which a canvas knows nothing of.
function styleOf(name) {
  const probe = el("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function frame(caption, picture) {
  const summary = el("p", { class: "summary" });
  const box = el("div", { hidden: true });
  const button = el("button", { type: "button", class: "plain small", "aria-expanded": "false",
    onclick: () => {
      box.hidden = !box.hidden;
      button.setAttribute("aria-expanded", String(!box.hidden));
      setText(button, box.hidden ? "Show as table" : "Hide table");
      node.dispatchEvent(new Event("table"));
    } }, "Show as table");
  const node = el("figure", {}, el("figcaption", {}, caption), picture, summary, button, box);
  return { node, summary, box };
}

// series: [{label, colour}], colour the name of a CSS variable; format(number) -> text.
// A number that is null is skipped, at one that is NaN the line ends.
// Returns {node, update(times, [numbers of each series], summary, [first, last time shown]), close()}.
export function timePlot({ caption, series, format }) {
  const canvas = el("div", { class: "canvas", "aria-hidden": "true" });
  const legend = el("p", { class: "legend", "aria-hidden": "true" }, ...series.map(({ label, colour }) =>
    el("span", { class: `key ${colour.slice(2)}` }, label)));
  const { node, summary, box } = frame(caption, el("div", {}, legend, canvas));
  let graph = null;
  let data = [];
  let dateWindow = null;
  let closed = false;

  const look = () => ({
    colors: series.map(({ colour }) => styleOf(colour)),
    gridLineColor: styleOf("--line"),
    axisLineColor: styleOf("--line"),
  });

  function draw(Dygraph) {
    if (closed || !data.length) return;
    if (graph) {
      graph.updateOptions({ file: data, dateWindow });
      return;
    }
    graph = new Dygraph(canvas, data, {
      labels: ["time", ...series.map(({ label }) => label)],
      strokeWidth: 1.6, fillGraph: series.length < 3, fillAlpha: 0.12,
      includeZero: true, connectSeparatedPoints: true, highlightCircleSize: 3, interactionModel: {},
      axes: { x: { ticker: Dygraph.dateTicker, axisLabelFormatter: (ms) => clock(new Date(ms)), pixelsPerLabel: 70 },
        y: { axisLabelFormatter: (n) => format(n), axisLabelWidth: 78, pixelsPerLabel: 32 } },
      dateWindow, ...look(),
    });
  }

  function showTable() {
    if (box.hidden) return;
    const rows = data.slice(-ROWS).reverse().map(([time, ...numbers]) =>
      [clock(new Date(time)), ...numbers.map((n) => (Number.isFinite(n) ? format(n) : "-"))]);
    box.replaceChildren(scroller(`${caption}, as a table`, table(`${caption}: the newest first`,
      [["Time", false], ...series.map(({ label }) => [label, true])], rows)));
  }

  const onTheme = () => graph && graph.updateOptions(look());
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("theme", onTheme);
  scheme.addEventListener("change", onTheme);
  node.addEventListener("table", showTable);
  return {
    node,
    update(times, columns, text, shown) {
      dateWindow = shown;
      data = times.map((time, i) => [time, ...columns.map((column) => column[i])]);
      setText(summary, text);
      showTable();
      loadLibrary().then(draw, (error) => setText(canvas, `${error.message}: see the table`));
    },
    close() {
      closed = true;
      document.removeEventListener("theme", onTheme);
      scheme.removeEventListener("change", onTheme);
      if (graph) graph.destroy();
    },
  };
}

// rows: [{label, values}], as many values as there are parts; parts: [{label, colour}].
export function barPlot({ caption, first, parts, format }) {
  const list = el("div", { class: "bars", "aria-hidden": "true" });
  const legend = parts.length > 1 && el("p", { class: "legend", "aria-hidden": "true" },
    ...parts.map(({ label, colour }) => el("span", { class: `key ${colour.slice(2)}` }, label)));
  const { node, summary, box } = frame(caption, el("div", {}, legend, list));
  let rows = [];

  function bar(row, most) {
    let x = 0;
    const total = row.values.reduce((a, b) => a + b, 0);
    const rects = row.values.map((value, i) => {
      const width = most ? (value / most) * 100 : 0;
      const rect = svg("rect", { x, y: 0, width, height: 10, class: parts[i].colour.slice(2) });
      x += width;
      return rect;
    });
    return el("div", { class: "bar-row" }, el("span", { class: "bar-label" }, row.label),
      svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none" }, ...rects),
      el("span", { class: "bar-value" }, format(total)));
  }

  function showTable() {
    if (box.hidden) return;
    box.replaceChildren(scroller(`${caption}, as a table`, table(caption,
      [[first, false], ...parts.map(({ label }) => [label, true])],
      rows.map((row) => [row.label, ...row.values.map(format)]))));
  }

  node.addEventListener("table", showTable);
  return {
    node,
    update(now, text) {
      rows = now;
      const most = Math.max(0, ...rows.map((row) => row.values.reduce((a, b) => a + b, 0)));
      list.replaceChildren(...rows.map((row) => bar(row, most)));
      setText(summary, text);
      showTable();
    },
  };
}

const SPARK = 60; // samples

// A small line beside a number that says the same.
export function sparkline() {
  const line = svg("polyline", { class: "spark-line" });
  return {
    node: svg("svg", { class: "spark", viewBox: `0 0 ${SPARK - 1} 20`, preserveAspectRatio: "none",
      "aria-hidden": "true", focusable: "false" },
      svg("line", { class: "spark-base", x1: 0, y1: 19, x2: SPARK - 1, y2: 19 }), line),
    update(a, b) {
      const n = Math.min(SPARK, a.length);
      const sums = a.slice(-n).map((value, i) => value + b[b.length - n + i] || 0);
      const most = Math.max(1, ...sums);
      line.setAttribute("points", sums.map((sum, i) =>
        `${SPARK - n + i},${(19 - (18 * sum) / most).toFixed(1)}`).join(" "));
    },
  };
}
