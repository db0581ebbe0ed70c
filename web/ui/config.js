// The configuration: whether a text is good, what the file would change, and making it so.

import { get, may, post } from "./api.js";
import { el, heading, note, scroller, table } from "./dom.js";
import { plural, visible } from "./format.js";

export const title = () => "Configuration";

const SIGNS = { create: "+", change: "~", replace: "-/+", delete: "-", blocked: "!" };
const WORDS = { create: "to add", change: "to change", replace: "to replace", delete: "to delete", blocked: "blocked" };

function stepRow({ op, link, port, attributes, reason, blocked_by: blockedBy }) {
  const what = port ? `bridge port ${port}` : link;
  const why = [reason ? visible(reason) : (attributes || []).join(", "), blockedBy && `blocked by ${blockedBy}`]
    .filter(Boolean).join("; ");
  return [el("span", { class: `sign ${op}` }, SIGNS[op] || "~"), `${WORDS[op] || op}`, what, why];
}

// `source`: "the file", or what else says how it is to be.
function planNode(plan, source) {
  const steps = [...plan.steps, ...(plan.ports || [])];
  if (!steps.length)
    return note("good", `Nothing to do: ${plural(plan.summary.kept, "link")} as ${source} says.`);
  const tally = Object.keys(SIGNS).filter((op) => plan.summary[op]).map((op) => `${plan.summary[op]} ${WORDS[op]}`);
  return el("div", { class: "stack" }, el("p", {}, `${tally.join(", ") || plural(steps.length, "step")}; ${plan.summary.kept} stay.`),
    scroller(`What applying ${source} would change`, table(`What applying ${source} would change`,
      [["Sign"], ["What"], ["Link"], ["How and why"]], steps.map(stepRow))));
}

function faultsNode(faults, dropped, jump) {
  if (!faults.length) return note("good", "No fault was found.");
  return el("div", { class: "stack" },
    note("bad", `${plural(faults.length + dropped, "fault")}.`),
    scroller("Faults", table("Faults", [["Line", true], ["Section"], ["Key"], ["What is wrong"]],
      faults.map((fault) => [jump && fault.line
        ? el("button", { type: "button", class: "plain small", onclick: () => jump(fault.line) }, String(fault.line))
        : String(fault.line || "-"), fault.section || "", fault.key || "", visible(fault.message)]))));
}

function checkCard() {
  const text = el("textarea", { spellcheck: "false", autocapitalize: "none", placeholder: "[set web]\nlower = eno1\ncount = 3\nname = web%02d" });
  const found = el("div", { role: "status" });

  function jump(line) {
    const lines = text.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + (lines[line - 1] || "").length);
    text.scrollTop = (text.scrollHeight / lines.length) * Math.max(0, line - 4);
  }

  async function check() {
    try {
      const { faults, dropped } = await post("/v1/check", text.value);
      found.replaceChildren(faultsNode(faults, dropped, jump));
      if (!faults.length) found.append(planNode(await post("/v1/plan", text.value), "this text"));
    } catch (problem) {
      found.replaceChildren(note("bad", `Not checked: ${problem.message}.`));
    }
  }

  return el("section", { class: "card stack" }, el("h2", {}, "Check a text"),
    el("label", {}, "An INI file to check and to plan: nothing of it is kept or done", text),
    el("button", { type: "button", onclick: check }, "Check and plan"), found);
}

export function show(view) {
  const box = el("div", { class: "stack", role: "status" }, "Looking …");
  const acts = el("div", { class: "filters" });
  let over = false;
  let plan = null;

  function draw(...before) {
    if (over) return;
    box.replaceChildren(...before, plan ? planNode(plan, "the file") : "");
    apply.disabled = !plan || !plan.steps.length + (plan.ports || []).length;
  }

  function fail(problem) {
    if (over) return;
    plan = null;
    draw(note("bad", `Not possible: ${problem.message}.`), problem.body && problem.body.errors
      ? faultsNode(problem.body.errors, 0, null) : "");
  }

  async function look() {
    try {
      plan = await get("/v1/plan");
      draw();
    } catch (problem) {
      fail(problem);
    }
  }

  // The plan's hash goes with it: what was looked at is done, or nothing.
  async function doApply() {
    apply.disabled = true;
    try {
      await post("/v1/apply", { plan: plan.hash });
      draw(note("good", "Accepted: the agent reads the file and makes it so."));
    } catch (problem) {
      if (problem.status !== 409) {
        fail(problem);
        return;
      }
      plan = problem.body.plan;
      draw(note("warn", "Nothing was done: the file or the links changed since you looked. This is the plan now:"));
    }
  }

  async function doReload() {
    try {
      await post("/v1/reload");
      draw(note("good", "Accepted: the agent reads the file again."));
    } catch (problem) {
      fail(problem);
    }
  }

  const apply = el("button", { type: "button", disabled: true, onclick: doApply }, "Apply this plan");
  acts.append(el("button", { type: "button", class: "plain", onclick: look }, "Look again"));
  if (may("admin")) acts.append(apply, el("button", { type: "button", class: "plain", onclick: doReload }, "Reload the file"));
  view.classList.add("stack");
  view.append(heading("Configuration"),
    el("section", { class: "card stack" }, el("h2", {}, "What the file would change now"), box, acts), may("operator") && checkCard() || "");
  look();
  return () => {
    over = true;
  };
}
