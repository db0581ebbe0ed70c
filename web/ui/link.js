// One link: what it is, what goes through it, with whom.

import { get, may, post } from "./api.js";
import { el, heading, scroller, setText, stackedTable } from "./dom.js";
import { age, bits, bytes, clock, count, plural, visible } from "./format.js";
import { barPlot, timePlot } from "./plot.js";
import { linkOf, recordNode } from "./record.js";
import { historyOf, lookClosely, watchStatus } from "./status.js";
import { watchRecords } from "./stream.js";

export const title = ([name]) => name || "Link";

const TALKERS_MS = 5000;
const TALKERS = 12;
const LATEST = 20; // records
const PROTOCOLS = { 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 132: "SCTP" };
const SIDES = [{ label: "from guest", colour: "--from" }, { label: "to guest", colour: "--to" }];

// Of protocols: those of one row are parts of each other, so the rows are never added up.
const LAYERS = "an IP packet counts for its version and for TCP, UDP or ICMP";

function factsOf(link) {
  const holder = link.tap && link.tap.holder;
  const captured = link.captured;
  return [
    ["State", link.detail ? `${link.state}: ${visible(link.detail)}` : link.state],
    ["Set", `${link.set}: ${link.kind} ${link.mode} on ${link.lower}`],
    ["MAC address", link.mac],
    ["Guest", link.guest || "none by configuration"],
    ["Calls itself", link.seen && link.seen.hostname ? visible(link.seen.hostname) : "-"],
    ["Held by", holder
      ? `${holder.vm ? `${visible(holder.vm)}: ` : ""}${visible(holder.comm)}, pid ${holder.pid}` : "nobody"],
    ["Tap", (link.tap && link.tap.node) || "-"],
    ["MTU", link.mtu],
    ["Watched", link.monitor],
    ["From guest", `${plural(link.from_guest.frames, "frame")}, ${bytes(link.from_guest.bytes)}`],
    ["To guest", `${plural(link.to_guest.frames, "frame")}, ${bytes(link.to_guest.bytes)}`],
    ["Filtered", link.filtered ? `${plural(link.filtered.frames, "frame")} ${link.filtered.direction.replace("_", " ")}` : "no filter"],
    ["Not seen", captured ? `${plural(captured.drops, "frame")}, ${count(captured.malformed)} malformed` : "-"],
    ["Matches", count(link.matches)],
  ];
}

function addressRows(link) {
  const seen = link.seen ? link.seen.addresses.filter(Boolean) : [];
  if (!seen.length) return (link.addresses || []).map((address) => [address, "configured", "-", "-", ""]);
  return seen.map((a) => [a.address, a.by, age(a.age), a.lease === null ? "-" : a.lease < 0 ? "for ever" : age(a.lease),
    [a.vlan !== null && `VLAN ${a.vlan}`, a.tentative && "tentative", a.conflict && `also claimed behind ${a.conflict}`]
      .filter(Boolean).join(", ")]);
}

function protocolRows(link) {
  return Object.entries(link.protocols || {}).map(([label, p]) => ({ label,
    values: [p.from_guest.bytes, p.to_guest.bytes] })).sort((a, b) =>
    b.values[0] + b.values[1] - a.values[0] - a.values[1]);
}

// By the groups of RFC 2819, octets with the check sequence; the same order as the API's lists.
const SIZES = ["up to 64", "65–127", "128–255", "256–511", "512–1023", "1024–1518", "over 1518"];

function sizeRows(link) {
  if (!link.sizes) return [];
  return SIZES.map((label, i) => ({ label, values: [link.sizes.from_guest[i], link.sizes.to_guest[i]] }));
}

function sizesText(rows) {
  if (!rows.length) return "No frame was seen yet.";
  const sums = rows.map(({ values: [from, to] }) => from + to);
  const most = sums.indexOf(Math.max(...sums));
  const all = sums.reduce((a, b) => a + b, 0);
  return `Most frames had ${rows[most].label} octets: ${count(sums[most])} of ${count(all)}. ` +
    "Over 1518 are jumbo frames and segments that no device has cut yet.";
}

function talkerName({ address, protocol, port }) {
  const name = PROTOCOLS[protocol] || `protocol ${protocol}`;
  return port ? `${address} ${name} ${port}` : `${address} ${name}`;
}

function rateText(history, span) {
  const n = history.times.length;
  if (!n) return "Nothing was measured yet.";
  const most = (list) => bits(Math.max(0, ...list.filter(Number.isFinite)));
  return `Now ${bits(history.from[n - 1])} from the guest and ${bits(history.to[n - 1])} to it; ` +
    `at most ${most(history.from)} and ${most(history.to)} in the last ${span}, ` +
    `of which ${age((history.times[n - 1] - history.times[0]) / 1000)} are known.`;
}

function sizeText(history, span) {
  const known = history.sizes.filter(Number.isFinite);
  if (!known.length) return `No frame was seen in the last ${span}.`;
  return `Frames had ${bytes(known[known.length - 1])} on average when the last ones came, ` +
    `between ${bytes(Math.min(...known))} and ${bytes(Math.max(...known))} in the last ${span}.`;
}

const SPANS = { "5m": ["five minutes", 300000], "1h": ["hour", 3600000] };

function plots() {
  const rates = timePlot({ caption: "Rate of this link", series: SIDES, format: bits });
  const sizes = timePlot({ caption: "Average size of a frame", series: [{ label: "bytes", colour: "--from" }], format: bytes });
  const lengths = barPlot({ caption: "Frames by size", first: "Octets", parts: SIDES, format: count });
  const protocols = barPlot({ caption: "Protocols", first: "Protocol", parts: SIDES, format: bytes });
  const talkers = barPlot({ caption: "Top talkers", first: "Other end",
    parts: [{ label: "bytes, at most", colour: "--from" }], format: bytes });

  return {
    nodes: [rates, sizes, lengths, protocols, talkers].map(({ node }) => el("div", { class: "card" }, node)),
    update(link, [span, ms]) {
      const history = historyOf(link.name).last(ms);
      const rows = protocolRows(link);
      const times = history.times.map((time) => Math.round(time / 1000) * 1000);
      const shown = [Date.now() - ms, Date.now()];
      rates.update(times, [history.from, history.to], rateText(history, span), shown);
      sizes.update(times, [history.sizes], sizeText(history, span), shown);
      const grouped = sizeRows(link);
      lengths.update(grouped, sizesText(grouped));
      protocols.update(rows, rows.length ? `Most bytes were ${rows[0].label}; ${LAYERS}, so these are not to be added up.`
        : "No frame was seen yet.");
    },
    updateTalkers(found) {
      const list = found ? found.list.filter(Boolean) : [];
      talkers.update(list.slice(0, TALKERS).map((t) => ({ label: talkerName(t), values: [t.bytes] })),
        list.length ? `Most bytes were exchanged with ${talkerName(list[0])}: ${bytes(list[0].bytes)} of ` +
          `${bytes(found.bytes)} since ${clock(new Date(found.since * 1000))}.` : "Nobody was heard of yet.");
    },
    close() {
      rates.close();
      sizes.close();
    },
  };
}

export function show(view, { rest: [name = ""], params, setParams }) {
  const facts = el("dl", { class: "facts" });
  const addresses = el("div");
  const frames = el("a", { href: `/v1/pcap?link=${name}`, download: `${name}.pcapng`, hidden: true }, "Its kept frames");
  const said = el("p", { class: "note", role: "status", hidden: true });
  const failed = el("p", { class: "note bad", hidden: true });
  const latest = el("ol", { class: "records", "aria-label": "Latest records of this link" });
  const body = el("div", { class: "stack" });
  const drawn = plots();
  const span = el("select", { onchange: () => {
    params.set("span", span.value);
    setParams();
    if (seen) drawn.update(seen, SPANS[span.value]);
  } }, ...Object.entries(SPANS).map(([id, [label]]) => el("option", { value: id }, label)));
  let seen = null;
  let timer = 0;
  let over = false;

  function say(text) {
    said.hidden = !text;
    setText(said, text);
  }

  function update(status, problem) {
    const link = status && status.links.find((one) => one.name === name);
    failed.hidden = !problem;
    if (problem) setText(failed, `What you see may be old: ${problem.message}.`);
    else if (status && !link) say(`There is no link ${name}: the configuration has none of this name.`);
    body.hidden = Boolean(status && !link);
    if (!link) return;
    facts.replaceChildren(...factsOf(link).map(([term, value]) =>
      el("div", {}, el("dt", {}, term), el("dd", {}, String(value)))));
    const rows = addressRows(link);
    addresses.replaceChildren(rows.length ? scroller("Addresses", stackedTable("Addresses of the guest",
      [["Address"], ["Known by"], ["Heard of", true], ["Lease", true], ["Note"]], rows))
      : el("p", { class: "sub" }, "No address was heard of yet."));
    seen = link;
    drawn.update(link, SPANS[span.value]);
    frames.hidden = !may("operator") || !status.capture.pcap_frames;
  }

  async function lookAtTalkers() {
    try {
      drawn.updateTalkers((await get(`/v1/links/${name}`)).talkers);
    } catch {
      // the status says what is wrong
    }
    if (!over) timer = setTimeout(lookAtTalkers, TALKERS_MS);
  }

  async function retry() {
    try {
      await post(`/v1/links/${name}/retry`);
      say("The agent looks at it now.");
    } catch (problem) {
      say(`Not asked: ${problem.message}.`);
    }
  }

  function take(records) {
    const mine = records.filter((record) => linkOf(record) === name);
    latest.prepend(...mine.reverse().map(recordNode));
    while (latest.children.length > LATEST) latest.lastChild.remove();
  }

  if (!/^[A-Za-z0-9._-]+$/.test(name)) {
    view.append(el("h1", {}, "Link"), el("p", {}, "This is no name of a link."));
    return () => {};
  }
  view.classList.add("stack");
  view.append(heading(name, el("a", { href: `#/records?link=${name}` }, "Its records"),
    frames,
    may("operator") && el("button", { type: "button", class: "plain small", onclick: retry }, "Look again now")), failed, said,
    body);
  body.append(el("div", { class: "card" }, facts), addresses,
    el("div", { class: "filters" }, el("label", {}, "Plots of the last", span)),
    el("div", { class: "cards" }, ...drawn.nodes),
    el("section", {}, el("h2", {}, "Latest records"), latest));
  span.value = Object.hasOwn(SPANS, params.get("span")) ? params.get("span") : "1h";
  lookClosely(name);
  const stopStatus = watchStatus(update);
  const stopRecords = watchRecords(take);
  get(`/v1/records?limit=${LATEST}&link=${name}`).then(({ records }) => over || take(records.reverse()), () => {});
  lookAtTalkers();
  return () => {
    over = true;
    lookClosely("");
    clearTimeout(timer);
    stopStatus();
    stopRecords();
    drawn.close();
  };
}
