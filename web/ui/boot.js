// Guests that boot from this host: who they are, what they did lately, the script that they get.

import { get, getText, may } from "./api.js";
import { el, heading, note, scroller, setText, table } from "./dom.js";
import { visible } from "./format.js";
import { recordNode } from "./record.js";
import { watchStatus } from "./status.js";
import { watchRecords } from "./stream.js";

export const title = () => "Boot";

const LATEST = 100;

const isBoot = (record) => {
  const body = record[record.event_type];
  return record.event_type === "boot" || Boolean(body && typeof body.action === "string" && body.action.startsWith("boot"));
};

export function show(view) {
  const guests = el("div", { role: "status" }, "Looking …");
  const script = el("section", { class: "card stack", hidden: true });
  const timeline = el("ol", { class: "records", "aria-label": "What guests did to boot, the newest first" });
  const none = el("p", { class: "sub" }, "No guest was refused or reported on since the web worker started.");
  const counted = el("p", { class: "said" });
  let links = new Map();
  let list = [];
  let over = false;

  async function showScript(name) {
    script.hidden = false;
    script.replaceChildren(el("h2", { tabindex: "-1" }, `Script of ${name}`));
    try {
      const text = await getText(`/v1/guests/${name}/script`);
      script.append(scroller(`Script of ${name}`, el("pre", {}, text.split("\n").map(visible).join("\n"))));
    } catch (problem) {
      script.append(note("bad", `Not to be had: ${problem.message}.`));
    }
    script.firstChild.focus();
  }

  function draw() {
    if (!list.length) {
      setText(guests, "No guest is configured.");
      return;
    }
    guests.replaceChildren(scroller("Guests", table("Guests", [["Guest"], ["Link"], ["MAC address"], ["Target"], ["Host name"], ["State"], ["Script"]],
      list.map((guest) => {
        const link = links.get(guest.link);
        return [guest.name, el("a", { href: `#/links/${guest.link}` }, guest.link), guest.mac || "not known yet", guest.target || "-",
          guest.hostname || "-", link ? (link.tap && link.tap.holder ? "runs" : "is not running") : "-",
          may("admin") ? el("button", { type: "button", class: "plain small", onclick: () => showScript(guest.name) },
            "Show", el("span", { class: "unseen" }, ` the script of ${guest.name}`)) : "for admins"];
      }))));
  }

  function take(records) {
    timeline.prepend(...records.filter(isBoot).reverse().map(recordNode));
    while (timeline.children.length > LATEST) timeline.lastChild.remove();
    none.hidden = timeline.children.length > 0;
  }

  async function load() {
    try {
      list = await get("/v1/guests");
      const { boot } = await get("/v1/health");
      if (over) return;
      setText(counted, `${boot.scripts} scripts given, ${boot.unknown} asked for by an unknown MAC address, ` +
        `${boot.refused} refused to another machine, ${boot.failed} could not be made.`);
      draw();
    } catch (problem) {
      if (!over) guests.replaceChildren(note("bad", `Not to be had: ${problem.message}.`));
    }
  }

  view.classList.add("stack");
  view.append(heading("Boot", counted), guests, script, el("section", {}, el("h2", {}, "Timeline"), none, timeline));
  // Drawn anew only when a guest came or went: a button that is about to be pressed stays.
  let held = "";
  const stopStatus = watchStatus((status) => {
    if (!status) return;
    links = new Map(status.links.map((link) => [link.name, link]));
    const now = status.links.map((link) => (link.tap && link.tap.holder ? link.name : "")).join(" ");
    if (now !== held && list.length) draw();
    held = now;
  });
  const stopRecords = watchRecords(take);
  get(`/v1/records?limit=1000&type=service`).then(({ records }) => over || take(records.reverse()), () => {});
  load();
  return () => {
    over = true;
    stopStatus();
    stopRecords();
  };
}
