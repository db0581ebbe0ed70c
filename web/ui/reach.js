// Who can talk to whom over each lower device: a picture, and beneath it the table that it shows.

import { get } from "./api.js";
import { el, heading, note, scroller, stackedTable, svg } from "./dom.js";
import { plural } from "./format.js";
import { watchState } from "./stream.js";

export const title = () => "Reach";

// Each answer has a shape of its own: colour says it once more.
const KINDS = {
  yes: { mark: "●", words: "yes" },
  no: { mark: "✕", words: "no" },
  reflected: { mark: "↻", words: "by way of the switch" },
  "if reflected": { mark: "?", words: "if the switch sends it back" },
  filtered: { mark: "◐", words: "some, by filters" },
};

const CELL = 46;
const LABEL = 150;
const TOP = 96;

const kindOf = (answer) => (answer.includes("filtered") ? "filtered" : Object.hasOwn(KINDS, answer) ? answer : "if reflected");

function endsOf(lower) {
  const ends = [];
  for (const cell of lower.cells) for (const end of [cell.from, cell.to]) if (!ends.includes(end)) ends.push(end);
  return ends;
}

function cellNode(cell, x, y) {
  const kind = kindOf(cell.unicast);
  const other = kindOf(cell.broadcast);
  return svg("g", { transform: `translate(${x} ${y})` },
    svg("title", {}, `${cell.from} to ${cell.to}: unicast ${cell.unicast}, broadcast ${cell.broadcast}: ${cell.why}`),
    svg("rect", { class: `cell ${kind.replace(" ", "-")}`, width: CELL - 4, height: CELL - 4, rx: 6 }),
    svg("text", { class: "mark", x: CELL / 2 - 2, y: CELL / 2 + 4 }, KINDS[kind].mark),
    other !== kind && svg("text", { class: "corner", x: CELL - 11, y: CELL - 9 }, KINDS[other].mark));
}

function picture(lower, ends) {
  const at = (end, i, across) => svg("text", across
    ? { class: "end", transform: `translate(${LABEL + i * CELL + CELL / 2 + 2} ${TOP - 10}) rotate(-40)` }
    : { class: "end right", x: LABEL - 12, y: TOP + i * CELL + CELL / 2 + 3 }, end);
  const width = LABEL + ends.length * CELL + 110;
  const height = TOP + ends.length * CELL + 8;
  const yes = lower.cells.filter(({ unicast }) => unicast === "yes" || unicast === "reflected").length;
  return svg("svg", { class: "matrix", role: "img", width, height, viewBox: `0 0 ${width} ${height}`,
    "aria-label": `${lower.name}: ${yes} of ${lower.cells.length} pairs reach each other; the table below has each` },
    ...ends.map((end, i) => at(end, i, false)), ...ends.map((end, i) => at(end, i, true)),
    ...lower.cells.map((cell) => cellNode(cell, LABEL + ends.indexOf(cell.to) * CELL, TOP + ends.indexOf(cell.from) * CELL)));
}

function classText({ kind, mode, links, planned, foreign, elsewhere, names }) {
  const states = [planned && `${planned} planned`, foreign && `${foreign} not ours`, elsewhere && `${elsewhere} elsewhere`]
    .filter(Boolean).join(", ");
  const shown = names.slice(0, 6).join(", ") + (names.length > 6 ? " …" : "");
  return `${kind} ${mode}: ${plural(links, "link")} (${shown})${states ? `, ${states}` : ""}`;
}

const legend = () => el("ul", { class: "legend list" }, ...Object.entries(KINDS).map(([kind, { mark, words }]) =>
  el("li", {}, el("span", { class: `chip ${kind.replace(" ", "-")}`, "aria-hidden": "true" }, mark), words)));

function lowerNode(lower) {
  const ends = endsOf(lower);
  return el("section", { class: "card stack" }, el("h2", {}, lower.name),
    el("p", {}, `Does its switch send frames back? ${lower.reflects}: ${lower.reflects_why}`),
    el("ul", { class: "plainlist" }, ...lower.classes.map((one) => el("li", {}, classText(one)))),
    ...lower.notes.map((text) => note("", text)),
    el("figure", {}, el("figcaption", {}, "Rows send, columns receive. The large mark is of unicasts, a small one of broadcasts that fare otherwise."),
      scroller(`Picture of who reaches whom over ${lower.name}`, picture(lower, ends)), legend()),
    scroller(`Who reaches whom over ${lower.name}`, stackedTable(`Who reaches whom over ${lower.name}`,
      [["From"], ["To"], ["Unicast"], ["Broadcast"], ["Why"]],
      lower.cells.map((cell) => [cell.from, cell.to, cell.unicast, cell.broadcast, cell.why]))));
}

export function show(view) {
  const box = el("div", { class: "stack" }, el("p", { class: "said", role: "status" }, "Looking …"));
  let over = false;
  let failed = false;

  async function load() {
    failed = false;
    try {
      const { lowers } = await get("/v1/reach");
      if (over) return;
      box.replaceChildren(...(lowers.length ? lowers.map(lowerNode) : [el("p", {}, "No links are configured.")]));
    } catch (problem) {
      failed = true;
      if (!over) box.replaceChildren(note("bad", `Not to be had: ${problem.message}.`));
    }
  }

  view.append(heading("Reach", el("button", { type: "button", class: "plain small", onclick: load }, "Look again")), box);
  load();
  const stop = watchState((state) => state === "live" && failed && load());
  return () => {
    over = true;
    stop();
  };
}
