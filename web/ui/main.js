// Which page is shown: by what follows the # of the address, so that each has one to share.

import { logOut, resume, session } from "./api.js";
import { el, note, setText } from "./dom.js";
import * as boot from "./boot.js";
import * as config from "./config.js";
import * as link from "./link.js";
import * as login from "./login.js";
import * as overview from "./overview.js";
import * as reach from "./reach.js";
import * as records from "./records.js";
import { forgetStatus } from "./status.js";
import { watchState } from "./stream.js";
import * as workshop from "./workshop.js";

const pages = { "": overview, links: link, reach, records, workshop, boot, config };
const menu = [
  ["", "Overview"], ["reach", "Reach"], ["records", "Records"], ["workshop", "Workshop"],
  ["boot", "Boot"], ["config", "Configuration"],
];

const byId = (id) => document.getElementById(id);
const main = byId("main");
let leave = null; // ends the page that is shown

// "#/links/web01?tab=2" -> page "links", what of it, its parameters
function place() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  return { name: Object.hasOwn(pages, name) ? name : "", rest, params: new URLSearchParams(query) };
}

// A filter belongs to the address without being a step back in the history.
function setParams(params) {
  const text = params.toString();
  history.replaceState(null, "", (location.hash.split("?")[0] || "#/") + (text ? `?${text}` : ""));
}

function showMenu(name) {
  const nav = byId("nav");
  nav.replaceChildren(el("ul", {}, ...menu.map(
    ([page, label]) => el("li", {}, el("a", { href: `#/${page}`,
      "aria-current": page === name || (page === "" && name === "links") ? "page" : null },
      label)))));
  nav.hidden = !session.user;
  byId("leave").hidden = !session.user;
}

function show() {
  if (leave) leave();
  leave = null;
  const view = el("div", { class: "page" });
  if (!session.user) {
    document.title = "Log in · tapwarden";
    showMenu(null);
    main.replaceChildren(view);
    leave = login.show(view);
    return;
  }
  const { name, rest, params } = place();
  document.title = `${pages[name].title(rest)} · tapwarden`;
  showMenu(name);
  main.replaceChildren(view);
  leave = pages[name].show(view, { rest, params, setParams: () => setParams(params) });
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").value = theme;
  document.dispatchEvent(new Event("theme"));
}

byId("theme").addEventListener("change", (event) => {
  localStorage.setItem("tapwarden-theme", event.target.value);
  setTheme(event.target.value);
});
byId("leave").addEventListener("click", logOut);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => {
  show();
  scrollTo(0, 0);
  main.focus({ preventScroll: true });
});
session.addEventListener("begun", () => show());
session.addEventListener("ended", () => {
  forgetStatus();
  show();
});
watchState((state) => {
  byId("live").dataset.state = state;
  setText(byId("live"), { live: "Live", waiting: "Reconnecting" }[state] || "");
});

setTheme(localStorage.getItem("tapwarden-theme") || "auto");
resume().then((known) => known || show(), (problem) =>
  main.replaceChildren(note("bad", `The host does not answer as it should: ${problem.message}. `,
    "Reload the page to try again.")));
