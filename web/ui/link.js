import { el } from "./dom.js";
export const title = () => "link";
export function show(view) { view.append(el("h1", {}, "link")); return () => {}; }
