import { el } from "./dom.js";
export const title = () => "boot";
export function show(view) { view.append(el("h1", {}, "boot")); return () => {}; }
