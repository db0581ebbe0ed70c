import { el } from "./dom.js";
export const title = () => "config";
export function show(view) { view.append(el("h1", {}, "config")); return () => {}; }
