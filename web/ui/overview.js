// What a host has at a glance: its sets, and one row for each link.

import { session } from "./api.js";
import { el, note, setAttr, setText } from "./dom.js";
import { bits, count, plural, visible } from "./format.js";
import { sparkline } from "./plot.js";
import { historyOf, watchStatus } from "./status.js";
import { LongTable, textCell } from "./table.js";

export const title = () => "Overview";

const COMFORTABLE = new Set(["up", "down"]);

const rateOf = (link, side) => (link.rates ? link.rates[side].bytes[1] : 0);
const filtered = (link) => (link.filtered ? link.filtered.frames : 0);
const unseen = (link) => (link.captured ? link.captured.drops : 0);

export function addressesOf(link) {
  const seen = link.seen ? link.seen.addresses.filter(Boolean).map((a) => a.address) : [];
  return seen.length ? seen : link.addresses || [];
}

function guestOf(link) {
  return link.guest || (link.seen && link.seen.hostname ? visible(link.seen.hostname) : "");
}

const holderOf = (link) => (link.tap && link.tap.holder ? link.tap.holder : null);

function makeName(td) {
  td.append(el("span", { class: "dot" }), el("a", {}),
    el("span", { class: "sub" }, el("span", { class: "state" }), el("span")));
}

function fillName(td, link) {
  const [dot, anchor, sub] = td.children;
  const [state, guest] = sub.children;
  dot.dataset.state = link.state;
  anchor.href = `#/links/${link.name}`;
  setText(anchor, link.name);
  setText(state, link.state === "up" ? "" : `${link.state} `);
  setText(guest, guestOf(link));
  setAttr(td, "title", [link.name, link.state, guestOf(link)].filter(Boolean).join(", "));
}

function makeRate(td) {
  td.spark = sparkline();
  td.append(td.spark.node, el("span", { class: "two" }, el("span"), el("span")));
}

function fillRate(td, link) {
  const { from: sent, to: got } = historyOf(link.name).past;
  td.spark.update(sent, got);
  const [from, to] = td.lastChild.children;
  setText(from, `↑ ${bits(rateOf(link, "from_guest"))}`);
  setText(to, `↓ ${bits(rateOf(link, "to_guest"))}`);
}

function makeTwo(td) {
  td.append(el("span"), el("span", { class: "sub" }));
}

// What has no room is in the title.
function fillTwo(td, first, second, whole = `${first} ${second}`) {
  setText(td.children[0], first);
  setText(td.children[1], second);
  setAttr(td, "title", whole);
}

const columns = [
  { id: "link", label: "Link", value: (l) => l.name, make: makeName, fill: fillName },
  { id: "mode", label: "Mode", room: "widest", value: (l) => `${l.set} ${l.mode}`, make: makeTwo,
    fill: (td, l) => fillTwo(td, `${l.kind} ${l.mode}`, `${l.set} on ${l.lower}`) },
  { id: "addresses", label: "Addresses", room: "wide", value: (l) => addressesOf(l)[0] || "~",
    make: makeTwo, fill: (td, l) => {
      const all = addressesOf(l);
      fillTwo(td, all.length > 1 ? `${all[0]} +${all.length - 1}` : all[0] || "-", l.mac, [...all, l.mac].join(" "));
    } },
  { id: "holder", label: "Held by", room: "wide",
    value: (l) => (holderOf(l) ? holderOf(l).vm || holderOf(l).comm : "~"),
    make: makeTwo, fill: (td, l) => {
      const holder = holderOf(l);
      fillTwo(td, holder ? visible(holder.vm || holder.comm) : "-", holder ? `pid ${holder.pid}` : "");
    } },
  { id: "rate", label: "Rate", num: true, make: makeRate, fill: fillRate,
    value: (l) => rateOf(l, "from_guest") + rateOf(l, "to_guest") },
  { id: "drops", label: "Drops", num: true, room: "wide", value: (l) => filtered(l) + unseen(l),
    make: makeTwo, fill: (td, l) => fillTwo(td, `${count(filtered(l))} filtered`,
      unseen(l) ? `${count(unseen(l))} not seen` : "") },
  { id: "matches", label: "Matches", num: true, value: (l) => l.matches,
    fill: textCell((l) => count(l.matches)) },
];

function matches(link, words) {
  const text = [link.name, link.set, link.lower, link.mode, link.kind, link.state, link.mac,
    guestOf(link), holderOf(link) ? `${holderOf(link).comm} ${holderOf(link).vm || ""}` : "",
    ...addressesOf(link)]
    .join(" ").toLowerCase();
  return words.every((word) => text.includes(word));
}

// A set's rates are those of its links together; the lower device carries the same frames again and
// is never added.
function setCard(set) {
  const bad = set.state !== "ok";
  return el("li", { class: bad ? "card set bad" : "card set" },
    el("h2", {}, set.name), el("p", { class: "sub" }, `${set.kind} ${set.mode} on ${set.lower}`),
    el("p", {}, `${set.up} of ${plural(set.links, "link")} up, ${set.held} held`),
    el("p", { class: "rates" }, el("span", {}, `↑ ${bits(rateOf(set, "from_guest"))}`), " ",
      el("span", {}, `↓ ${bits(rateOf(set, "to_guest"))}`)),
    bad && el("p", { class: "warning" }, set.state));
}

function summaryOf(status, shown) {
  const odd = status.links.filter((link) => !COMFORTABLE.has(link.state)).length;
  const down = status.workers.filter((worker) => worker.state !== "ready").map((worker) => worker.name);
  const parts = [shown === status.links.length ? plural(shown, "link")
    : `${shown} of ${plural(status.links.length, "link")}`];
  if (odd) parts.push(`${count(odd)} not as wanted`);
  if (down.length) parts.push(`${down.join(" and ")} worker not ready`);
  if (status.agent.reload_error) parts.push("the last reload was refused");
  return parts.join(", ");
}

export function show(view, { params, setParams }) {
  let status = null;
  const long = new LongTable({ caption: "Links", columns, key: (link) => link.name,
    sort: { id: params.get("sort") || "link", down: params.get("down") === "1" },
    onsort: ({ id, down }) => {
      params.set("sort", id);
      if (down) params.set("down", "1");
      else params.delete("down");
      setParams();
    } });
  const sets = el("ul", { class: "sets", "aria-label": "Sets" });
  const said = el("p", { class: "said", role: "status" });
  const failed = el("p", { class: "note bad", hidden: true });
  const none = el("p", { hidden: true });
  const legend = el("p", { class: "sub" }, "Rates: ↑ from guests, ↓ to them, over ten seconds",
    el("span", { class: "widest" }, "; each line is the last ten minutes"), ".");
  const filter = el("input", { type: "search", placeholder: "name, set, address, guest, state",
    value: params.get("q") || "", oninput: () => {
      if (filter.value) params.set("q", filter.value);
      else params.delete("q");
      setParams();
      if (status) update(status, null);
    } });

  function update(now, problem) {
    failed.hidden = !problem;
    if (problem) setText(failed, `What you see may be old: ${problem.message}.`);
    if (!now) return;
    status = now;
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const links = status.links.filter((link) => matches(link, words));
    sets.replaceChildren(...status.sets.map(setCard));
    setText(said, summaryOf(status, links.length));
    none.hidden = links.length > 0;
    legend.hidden = long.node.hidden = !none.hidden;
    setText(none, status.links.length ? "No link has all these words." : "The configuration has no link: a [set NAME] makes some.");
    long.update(links);
  }

  const weak = session.user && session.user.password_weakness;
  view.append(el("h1", {}, "Overview"), failed,
    weak ? note("warn", `Your password's hash is weaker than policy: ${weak}. `, el("code", {}, "tapwarden passwd"), " makes another.") : "", sets,
    el("div", { class: "filters" }, el("label", {}, "Filter links", filter), said),
    none, legend, long.node);
  const stop = watchStatus(update);
  return () => {
    stop();
    long.close();
  };
}
