// run.mjs CASE: one case of cases.mjs, in a browser of its own with nobody's cookies, at the page of
// the agent in the namespace that this runs in. What the page complains of fails the case.
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { cases } from "./cases.mjs";

const BASE = "http://127.0.0.1:8443";
const LIMIT_MS = 30000;

const require = createRequire(`${process.env.UI_MODULES}/`);
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.connect(readFileSync(`${process.env.UI_DIR}/browser.out`, "utf8").trim());
const complaints = [];

function listen(page) {
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(`console: ${message.text()}`);
  });
}

async function open(options = {}) {
  const context = await browser.newContext({ baseURL: BASE, viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(LIMIT_MS);
  context.on("page", listen);
  return context;
}

const house = {
  base: BASE,
  complaints,
  open,

  // A page of somebody who is logged in.
  async enter(user, options) {
    const context = await open(options);
    const answer = await context.request.post("/v1/session",
      { data: { user, password: "a secret word" }, headers: { Origin: BASE } });
    if (!answer.ok()) throw new Error(`${user} cannot log in: ${answer.status()}`);
    return context.newPage();
  },

  // A command in the namespace of the peer or the guest.
  in(where, ...words) {
    return execFileSync("ip", ["netns", "exec", process.env[where], ...words], { encoding: "utf8" });
  },

  macOf(link) {
    return JSON.parse(house.in("HOST", "ip", "-j", "link", "show", link))[0].address;
  },

  // What the API says, on the agent's socket.
  api(path) {
    return JSON.parse(house.in("HOST", "curl", "-sS", "--unix-socket", `${process.env.DIR}/run/api.sock`, `http://x${path}`));
  },

  generation() {
    return house.api("/v1/status").agent.generation;
  },

  ask(query) {
    return house.in("PEER", "curl", "-sS", "--max-time", "5", `http://192.0.2.10/index.html?${query}`);
  },

  // As an editor would: the file is put in the place of the old one.
  setCount(name, count) {
    const file = process.env.INI;
    const text = readFileSync(file, "utf8").replace(new RegExp(`count = \\d+\\nname = ${name}`), `count = ${count}\nname = ${name}`);
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  },

  async picture(page, name) {
    await page.screenshot({ path: `${process.env.UI_SHOTS}/${name}.png`, animations: "disabled" });
  },

  // Nothing that keeps people out: axe, without what it calls minor.
  async accessible(page) {
    await page.evaluate(axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    const bad = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
    if (bad.length) throw new Error(`axe: ${bad.map(({ id, nodes }) =>
      `${id}: ${nodes.map((node) => node.html).join(" ")}`).join("\n")}`);
  },
};

const run = cases[process.argv[2]];
if (!run) throw new Error(`no such case: ${process.argv[2]}`);
try {
  await run(house);
  if (complaints.length) throw new Error(`the page complains: ${complaints.join("; ")}`);
} catch (error) {
  console.error(error.stack);
  for (const page of browser.contexts().flatMap((context) => context.pages())) {
    console.error(`the page shows: ${(await page.locator("body").innerText().catch(() => "nothing")).slice(0, 2000)}`);
    await house.picture(page, `failed-${process.argv[2]}`).catch(() => {});
  }
  process.exitCode = 1;
} finally {
  await browser.close();
}
