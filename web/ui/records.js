// Records as they come, the newest first, as a filter lets them through. The filter is in the address.

import { get } from "./api.js";
import { el, heading, setText } from "./dom.js";
import { plural } from "./format.js";
import { linkOf, recordNode, textOf } from "./record.js";
import { watchRecords, watchState } from "./stream.js";

export const title = () => "Records";

const SHOWN = 300; // rows of the page
const KEPT = 2000; // while it is paused
const TYPES = ["alert", "link", "service", "gap", "drop"];
const FIELDS = ["type", "link", "rule"]; // that the API filters by, too

function passes(record, params, words) {
  if (params.get("type") && record.event_type !== params.get("type")) return false;
  if (params.get("link") && linkOf(record) !== params.get("link")) return false;
  if (params.get("rule") && (!record.tapwarden || record.tapwarden.rule !== params.get("rule"))) return false;
  if (!words.length) return true;
  const text = textOf(record);
  return words.every((word) => text.includes(word));
}

function fill(select, any, names) {
  const value = select.value || select.dataset.wanted;
  if (value && !names.includes(value)) names = [...names, value];
  select.replaceChildren(el("option", { value: "" }, any), ...names.map((name) => el("option", { value: name }, name)));
  select.value = value;
}

export function show(view, { params, setParams }) {
  const list = el("ol", { class: "records", "aria-label": "Records, the newest first" });
  const said = el("p", { class: "said", role: "status" });
  const failed = el("p", { class: "note bad", hidden: true });
  let waiting = []; // the newest last
  let missed = 0;
  let paused = false;
  let seen = new Set();
  let asked = 0;

  const choose = (name, any, names) => {
    const select = el("select", { "data-wanted": params.get(name) || "", onchange: () => change(name, select.value) });
    fill(select, any, names);
    return select;
  };
  const type = choose("type", "all", TYPES);
  const link = choose("link", "all", []);
  const rule = choose("rule", "all", []);
  const search = el("input", { type: "search", value: params.get("q") || "", placeholder: "words of a record",
    oninput: () => change("q", search.value) });
  const pause = el("button", { type: "button", class: "plain", "aria-pressed": "false", onclick: () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    setText(pause, paused ? "Go on" : "Pause");
    flush();
  } }, "Pause");

  const words = () => (params.get("q") || "").toLowerCase().split(/\s+/).filter(Boolean);

  function change(name, value) {
    if (value) params.set(name, value);
    else params.delete(name);
    setParams();
    load();
  }

  function say() {
    if (paused) setText(said, waiting.length || missed
      ? `Paused, ${plural(waiting.length + missed, "new record")}` : "Paused");
    else setText(said, `${plural(list.children.length, "record")} shown`);
  }

  function flush() {
    if (!paused) {
      const now = waiting.slice(-SHOWN);
      waiting = [];
      missed = 0;
      list.prepend(...now.reverse().map(recordNode));
      while (list.children.length > SHOWN) list.lastChild.remove();
    }
    say();
  }

  function take(records) {
    const chosen = words();
    for (const record of records) {
      const seq = record.tapwarden ? record.tapwarden.seq : undefined;
      if (seq !== undefined && seen.has(seq)) continue;
      seen.add(seq);
      if (!passes(record, params, chosen)) continue;
      waiting.push(record);
      if (waiting.length > KEPT) missed += waiting.splice(0, waiting.length - KEPT).length;
    }
    if (seen.size > 4 * KEPT) seen = new Set([...seen].slice(-KEPT));
    flush();
  }

  // What was before, and then what comes: a slow answer to an older filter is not shown.
  async function load() {
    const mine = ++asked;
    const query = new URLSearchParams({ limit: SHOWN });
    for (const name of FIELDS) if (params.get(name)) query.set(name, params.get(name));
    try {
      const { records } = await get(`/v1/records?${query}`);
      if (mine !== asked) return;
      failed.hidden = true;
      list.replaceChildren();
      waiting = [];
      seen = new Set();
      take(records.reverse());
    } catch (problem) {
      failed.hidden = false;
      setText(failed, `The records before are not to be had: ${problem.message}.`);
    }
  }

  view.append(heading("Records"), failed,
    el("div", { class: "filters" }, el("label", {}, "Type", type), el("label", {}, "Link", link),
      el("label", {}, "Pattern", rule), el("label", {}, "Search", search), pause, said), list);
  const stopRecords = watchRecords(take);
  get("/v1/status").then((status) => {
    fill(link, "all", status.links.map(({ name }) => name));
    fill(rule, "all", status.patterns.map(({ name }) => name));
  }, () => {});
  load();
  const stopState = watchState((state) => state === "live" && !failed.hidden && load());
  return () => {
    asked++;
    stopRecords();
    stopState();
  };
}
