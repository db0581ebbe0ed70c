import { el } from "./dom.js";
export const title = () => "workshop";
export function show(view) { view.append(el("h1", {}, "workshop")); return () => {}; }
