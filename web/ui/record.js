// A record as one line, and as all of it. What guests chose goes through visible() and is text.

import { el } from "./dom.js";
import { cut, recordTime, visible } from "./format.js";

const TEXT_MAX = 160;

export const linkOf = (record) => record.in_iface || (record.tapwarden && record.tapwarden.link) || "";

// Of a match or a group: {text}, or {b64} where it is not UTF-8.
function spanText(span) {
  if (!span) return "-";
  if (typeof span.text === "string") return span.text;
  try {
    return atob(span.b64 || "");
  } catch {
    return "?";
  }
}

function endOf(ip, port) {
  if (port === undefined) return ip;
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}

const quoted = (span) => el("code", {}, cut(visible(spanText(span)), TEXT_MAX));

// Where a match was: in frames of a flow, or in a log of the host.
function placeOf(record, own) {
  if (!record.src_ip) return own.log ? `in log ${visible(own.log)}` : "";
  const way = { from_guest: "from guest", to_guest: "to guest" }[own.flow_dir] || "";
  return `${way} ${endOf(record.src_ip, record.src_port)} → ${endOf(record.dest_ip || "?", record.dest_port)} ${record.proto || ""}`;
}

function alertParts(record) {
  const own = record.tapwarden || {};
  const parts = [el("strong", {}, own.rule || "?"), " ", quoted(own.match)];
  for (const [name, span] of Object.entries(own.groups || {}))
    parts.push(" ", el("span", { class: "group" }, `${visible(name)} `, quoted(span)));
  parts.push(el("span", { class: "sub way" }, placeOf(record, own)));
  return parts;
}

function gapParts({ gap }) {
  return [el("strong", {}, `${gap.lost} ${visible(gap.unit)} lost`), `: ${visible(gap.reason)}`];
}

function eventParts(record) {
  const body = record[record.event_type] || {};
  return [el("strong", {}, visible(body.action || record.event_type)),
    body.detail ? `: ${visible(body.detail)}` : ""];
}

function partsOf(record) {
  if (record.event_type === "alert") return alertParts(record);
  return record.event_type === "gap" && record.gap ? gapParts(record) : eventParts(record);
}

// What a filter by words looks into.
export function textOf(record) {
  return JSON.stringify(record).toLowerCase();
}

function payloadOf(record) {
  return record.payload_printable === undefined ? null
    : el("pre", { class: "payload" }, record.payload_printable.split("\n").map(visible).join("\n"));
}

// A list item: the line, and behind it all that the record holds.
export function recordNode(record) {
  const link = linkOf(record);
  const details = el("details", { class: `record ${record.event_type === "alert" ? "alert" : "event"}` },
    el("summary", {}, el("time", { class: "mono time", datetime: record.timestamp, title: record.timestamp }, recordTime(record.timestamp)),
      el("span", { class: "of" }, link || "-"), el("span", { class: "what" }, ...partsOf(record))));
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const whole = { ...record };
    delete whole.payload_printable;
    details.append(el("div", { class: "whole" }, payloadOf(record),
      el("pre", {}, visible(JSON.stringify(whole, null, 2)).replaceAll("\u240a", "\n"))));
  });
  return el("li", {}, details);
}
