// Guests that boot from this host: what each boots next, how far its last boot came, its script.

import { get, getText, may, post } from "./api.js";
import { el, heading, note, scroller, setText, stackedTable } from "./dom.js";
import { age, plural, visible } from "./format.js";
import { recordNode } from "./record.js";
import { watchRecords } from "./stream.js";

export const title = () => "Boot";

const LATEST = 100; // records
const PAUSE_MS = 2000;
const STATES = ["run", "install", "rescue", "local", "once"];
const STEPS = ["menu", "script", "kernel", "initrd", "seed", "phone-home"];

const isBoot = (record) => {
  const body = record[record.event_type];
  return record.event_type === "boot" || Boolean(body && typeof body.action === "string" && body.action.startsWith("boot"));
};

function timeOf(time) {
  const ms = typeof time === "number" ? time * (time > 1e11 ? 1 : 1000) : Date.parse(time);
  return Number.isNaN(ms) ? "" : `${age(Math.max(0, (Date.now() - ms) / 1000))} ago`;
}

// The steps in the order in which a boot takes them; what it waits for comes with them.
function stepsNode({ steps, waits_for: waitsFor }) {
  const shown = STEPS.filter((step) => steps[step] || step === waitsFor);
  if (!shown.length) return el("span", { class: "sub" }, "did not boot lately");
  return el("ol", { class: "steps" }, ...shown.map((step) => el("li", { class: steps[step] ? "done" : "due" },
    el("span", {}, step), el("span", { class: "sub" }, steps[step]
      ? ` ${timeOf(steps[step].time)}${steps[step].count > 1 ? `, ${steps[step].count} times` : ""}` : " is waited for"))));
}

export function show(view) {
  const said = el("p", { class: "note", role: "status", hidden: true });
  const guests = el("div", {}, "Looking …");
  const script = el("section", { class: "card stack", hidden: true });
  const timeline = el("ol", { class: "records", "aria-label": "What was noticed about booting, the newest first" });
  const none = el("p", { class: "sub", hidden: true }, "Nothing was noticed: no machine asked for what is another's, no state changed.");
  const failed = el("p", { class: "note bad", hidden: true });
  let drawn = "";
  let timer = 0;
  let over = false;

  function say(text) {
    said.hidden = !text;
    setText(said, text);
  }

  async function setState(name, state) {
    try {
      await post(`/v1/guests/${name}/state`, { state });
      say(`${name} boots as ${state} from here on.`);
    } catch (problem) {
      say(`Nothing was changed: ${problem.message}.`);
    }
    drawn = "";
    look();
  }

  async function showScript(name) {
    script.hidden = false;
    script.replaceChildren(el("h2", { tabindex: "-1" }, `Script of ${name}`));
    try {
      const [text, { findings }] = await Promise.all([getText(`/v1/guests/${name}/script`), get(`/v1/guests/${name}/lint`)]);
      script.append(el("p", {}, findings.length ? `${plural(findings.length, "finding")}:` : "Nothing is wrong with it."),
        el("ul", { class: "plainlist" }, ...findings.map((f) => el("li", {}, `line ${f.line}, ${f.level}: ${visible(f.text)}`))),
        scroller(`Script of ${name}`, el("pre", {}, text.split("\n").map(visible).join("\n"))));
    } catch (problem) {
      script.append(note("bad", `Not to be had: ${problem.message}.`));
    }
    script.firstChild.focus();
  }

  function stateNode(guest) {
    if (!may("operator")) return guest.state;
    const select = el("select", { "aria-label": `What ${guest.name} boots`, onchange: () => setState(guest.name, select.value) },
      ...STATES.map((state) => el("option", {}, state)));
    select.value = guest.state;
    return select;
  }

  const rowOf = (guest) => [guest.name, el("a", { href: `#/links/${guest.link}` }, guest.link), guest.mac || "not known yet",
    [guest.boot, guest.target].filter(Boolean).join(" from "), stateNode(guest), stepsNode(guest),
    may("admin") ? el("button", { type: "button", class: "plain small", onclick: () => showScript(guest.name) },
      "Show", el("span", { class: "unseen" }, ` the script of ${guest.name}`)) : "for admins"];

  function draw(list) {
    // Drawn anew only when something changed: what is about to be pressed stays.
    const now = JSON.stringify(list);
    if (now === drawn) return;
    drawn = now;
    if (!list.length) setText(guests, "No guest is configured.");
    else guests.replaceChildren(scroller("Guests", stackedTable("Guests",
      [["Guest"], ["Link"], ["MAC address"], ["Boots"], ["State"], ["Last boot"], ["Script"]], list.map(rowOf))));
  }

  async function look() {
    clearTimeout(timer);
    try {
      const list = await get("/v1/guests");
      if (over) return;
      failed.hidden = true;
      draw(list);
    } catch (problem) {
      failed.hidden = false;
      setText(failed, `${drawn ? "What you see may be old" : "Not to be had"}: ${problem.message}.`);
      if (!drawn) setText(guests, "");
    }
    if (!over) timer = setTimeout(look, PAUSE_MS);
  }

  function take(records) {
    timeline.prepend(...records.filter(isBoot).reverse().map(recordNode));
    while (timeline.children.length > LATEST) timeline.lastChild.remove();
    none.hidden = timeline.children.length > 0;
  }

  view.classList.add("stack");
  view.append(heading("Boot"), failed, said, guests, script, el("section", {}, el("h2", {}, "Timeline"), none, timeline));
  const stopRecords = watchRecords(take);
  get("/v1/records?limit=1000&type=service").then(({ records }) => over || take(records.reverse()), () => {});
  look();
  return () => {
    over = true;
    clearTimeout(timer);
    stopRecords();
  };
}
