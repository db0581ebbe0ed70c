// Patterns: how those of the configuration fare.

import { el, heading, note, scroller, table } from "./dom.js";
import { count } from "./format.js";
import { watchStatus } from "./status.js";

export const title = () => "Workshop";

export function show(view) {
  const box = el("div");
  view.append(heading("Workshop"), box);
  return watchStatus((status, problem) => {
    if (problem) box.replaceChildren(note("bad", `${problem.message}.`));
    else if (status) box.replaceChildren(scroller("Patterns", table("Patterns of the configuration",
      [["Pattern"], ["Matches", true], ["Tried", true], ["Given up", true], ["Skipped", true], ["Parked", true]],
      status.patterns.map((p) => [el("a", { href: `#/records?rule=${p.name}` }, p.name), count(p.matches), count(p.tried),
        count(p.limited), count(p.skipped), count(p.quarantined)]))));
  });
}
