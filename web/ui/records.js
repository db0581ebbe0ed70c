import { el } from "./dom.js";
export const title = () => "records";
export function show(view) { view.append(el("h1", {}, "records")); return () => {}; }
