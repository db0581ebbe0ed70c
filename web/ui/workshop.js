// Patterns: how those of the configuration fare, and one that is tried against texts, with what the
// engine says of it.

import { get, may, post } from "./api.js";
import { el, heading, note, scroller, setText, stackedTable, table } from "./dom.js";
import { bytes, count, plural, visible } from "./format.js";
import { linkOf } from "./record.js";
import { watchStatus } from "./status.js";

export const title = () => "Workshop";

const RECENT = 200; // records whose payloads are taken
const ROOM = 150000; // bytes of base64 that one question may carry
const CONTEXT = 60; // bytes shown around a match

const latin = (binary) => Uint8Array.from(binary, (c) => c.charCodeAt(0));

function toBase64(data) {
  let binary = "";
  for (const byte of data) binary += String.fromCharCode(byte);
  return btoa(binary);
}

// The latest payloads that are not the same, as many as one question carries.
async function recentPayloads() {
  const { records } = await get(`/v1/records?type=alert&limit=${RECENT}`);
  const payloads = new Map();
  let room = ROOM;
  for (const record of records) {
    if (!record.payload || payloads.has(record.payload) || record.payload.length > room) continue;
    room -= record.payload.length;
    payloads.set(record.payload, { name: `${linkOf(record)}, seq ${record.tapwarden.seq}`, data: latin(atob(record.payload)) });
  }
  return [...payloads.values()];
}

// Bytes as people read them: UTF-8 where it is.
function textOf(data) {
  return visible(new TextDecoder("utf-8").decode(data)).replaceAll("\u240a", "⏎");
}

function foundNode(subject, match, names) {
  const end = match.offset + match.length;
  const before = subject.data.subarray(Math.max(0, match.offset - CONTEXT), match.offset);
  const after = subject.data.subarray(end, end + CONTEXT);
  const groups = match.groups.map((group, i) => (group === null || names[i] === "0" ? null
    : el("span", { class: "group" }, ` ${names[i]} `, el("code", {}, textOf(subject.data.subarray(group.offset, group.offset + group.length))))));
  return [`${subject.name}`, String(match.offset),
    el("span", { class: "mono" }, textOf(before), el("mark", {}, textOf(subject.data.subarray(match.offset, end))), textOf(after), ...groups.filter(Boolean))];
}

function explainedNode(explained) {
  const { texts, caseless } = explained.prefilter;
  const facts = [
    ["Engine", explained.engine],
    ["Machine code", explained.jit.on ? bytes(explained.jit.bytes) : `none: ${explained.jit.reason}`],
    ["Tried where there is", texts.length ? texts.map((text) => `"${visible(text)}"`).join(" or ") + (caseless ? ", in either case" : "") : "anything: every payload is searched"],
    ["Of a stream are kept", explained.stream.tail ? `${bytes(explained.stream.tail)}, at worst ${bytes(explained.stream.worst)}` : `at worst ${bytes(explained.stream.worst)}`],
    ["Steps of one search", `${count(explained.match_limit)} at most`],
  ];
  return [el("dl", { class: "facts" }, ...facts.map(([term, value]) => el("div", {}, el("dt", {}, term), el("dd", {}, value)))),
    ...explained.lints.map((lint) => note("warn", el("strong", {}, lint.name), `: ${visible(lint.text)}`))];
}

function resultNode(answer, subjects) {
  const rows = answer.subjects.flatMap(({ matches }, i) => matches.map((match) => foundNode(subjects[i], match, answer.groups)));
  const limited = answer.subjects.filter(({ result }) => result === "limit" || result === "error").length;
  const searched = answer.subjects.filter(({ matches }) => matches.length).length;
  return el("div", { class: "stack" },
    note(rows.length ? "good" : "", `${plural(rows.length, "match", "matches")} in ${searched} of ${plural(subjects.length, "text")}.`),
    limited ? note("bad", `${plural(limited, "text")} could not be searched to the end: the pattern takes too many steps.`) : "",
    ...explainedNode(answer.explained),
    rows.length ? scroller("Matches", table("Matches", [["Text"], ["At byte", true], ["Found"]], rows)) : "");
}

function trialCard() {
  const input = (attrs) => el("input", { class: "mono", autocapitalize: "none", autocomplete: "off", spellcheck: "false", ...attrs });
  const regex = input({ required: true, maxlength: "65536", placeholder: "^(?<method>GET|POST) (?<path>\\S+)" });
  const before = input({});
  const after = input({});
  const begin = input({});
  const end = input({});
  const groups = input({ placeholder: "method path" });
  const scope = el("select", {}, el("option", {}, "packet"), el("option", {}, "stream"));
  const flags = ["caseless", "multiline", "dotall", "utf"].map((name) => ({ name, box: el("input", { type: "checkbox" }) }));
  const own = el("textarea", { class: "short", spellcheck: "false", maxlength: "60000" });
  const recent = el("input", { type: "checkbox", checked: true });
  const result = el("div", { role: "status" });
  const button = el("button", { type: "submit" }, "Try it");

  function question() {
    const body = { regex: regex.value, scope: scope.value };
    if (before.value) body["preceded-by"] = before.value;
    if (after.value) body["followed-by"] = after.value;
    if (begin.value) body.begin = begin.value;
    if (end.value) body.end = end.value;
    const names = groups.value.split(/\s+/).filter(Boolean);
    if (names.length) body.groups = names;
    for (const { name, box } of flags) if (box.checked) body[name] = true;
    return body;
  }

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      const subjects = recent.checked ? await recentPayloads() : [];
      if (own.value) subjects.push({ name: "your text", data: new TextEncoder().encode(own.value) });
      const answer = await post("/v1/explain", { ...question(), subjects: subjects.map(({ data }) => toBase64(data)) });
      result.replaceChildren(resultNode(answer, subjects));
    } catch (problem) {
      result.replaceChildren(note("bad", `Not tried: ${visible(problem.message)}`));
    }
    button.disabled = false;
  }

  return el("section", { class: "card stack" }, el("h2", {}, "Try a pattern"),
    el("form", { class: "stack", onsubmit: submit },
      el("label", { class: "block" }, "Regular expression (PCRE2)", regex),
      el("div", { class: "fields" }, el("label", {}, "Preceded by", before), el("label", {}, "Followed by", after),
        el("label", {}, "In ranges from", begin), el("label", {}, "to", end),
        el("label", {}, "Groups", groups), el("label", {}, "Scope", scope)),
      el("div", { class: "fields" }, ...flags.map(({ name, box }) => el("label", { class: "line" }, box, name))),
      el("label", { class: "line" }, recent, "the payloads of recent matches"),
      el("label", {}, "and a text of yours", own), button),
    result);
}

const TERMS = "Given up: a search took too many steps. Parked: on so many links it gave up too often, and is left " +
  "out there for a while; skipped: how often it would have been tried meanwhile.";

export function show(view) {
  const fare = el("div", { class: "stack" });
  view.classList.add("stack");
  view.append(heading("Workshop"), fare, may("operator") ? trialCard()
    : el("p", { class: "sub" }, "Operators and admins can try patterns here."));
  return watchStatus((status, problem) => {
    if (problem) fare.replaceChildren(note("bad", `Not to be had: ${problem.message}.`));
    if (problem || !status) return;
    if (!status.patterns.length) setText(fare, "The configuration has no pattern.");
    else fare.replaceChildren(scroller("Patterns", stackedTable("Patterns of the configuration",
      [["Pattern"], ["Matches", true], ["Tried", true], ["Given up", true], ["Skipped", true], ["Parked", true]],
      status.patterns.map((p) => [el("a", { href: `#/records?rule=${p.name}` }, p.name), count(p.matches), count(p.tried),
        count(p.limited), count(p.skipped), count(p.quarantined)]))), el("p", { class: "sub" }, TERMS));
  });
}
