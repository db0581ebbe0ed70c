import { el } from "./dom.js";
export const title = () => "reach";
export function show(view) { view.append(el("h1", {}, "reach")); return () => {}; }
