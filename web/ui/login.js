// Logging in.

import { logIn, session } from "./api.js";
import { el, setText } from "./dom.js";

export function show(view) {
  const user = el("input", { name: "user", autocomplete: "username", required: true,
    autocapitalize: "none", spellcheck: "false", maxlength: "63" });
  const password = el("input", { name: "password", type: "password", required: true,
    autocomplete: "current-password", maxlength: "511" });
  const button = el("button", { type: "submit" }, "Log in");
  const said = el("p", { class: "said", role: "alert" }, session.expired ? "Your session has ended: log in again." : "");

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    setText(said, "");
    try {
      await logIn(user.value, password.value);
    } catch (problem) {
      const wait = problem.retryAfter ? `: try again in ${problem.retryAfter} s` : "";
      setText(said, `Not logged in: ${problem.message}${wait}.`);
      password.value = "";
      password.focus();
    }
    button.disabled = false;
  }

  view.append(el("form", { class: "card login", onsubmit: submit },
    el("h1", {}, "Log in"),
    el("label", {}, "User", user),
    el("label", {}, "Password", password),
    said, button));
  user.focus();
  return () => {};
}
