// The status, asked for about once a second while somebody looks, and the rates of each link since.

import { get } from "./api.js";

export const SAMPLES = 300;
const PAUSE_MS = 1000;

const listeners = new Set();
const histories = new Map(); // link name -> History
let latest = null;
let timer = 0;
let asking = false;

class History {
  constructor() {
    this.times = [];
    this.from = [];
    this.to = [];
    this.sizes = []; // bytes of a frame, on average
  }

  add(time, link) {
    const rates = link.rates;
    const [from, to] = rates ? [rates.from_guest.bytes[0], rates.to_guest.bytes[0]] : [0, 0];
    const frames = rates ? rates.from_guest.frames[0] + rates.to_guest.frames[0] : 0;
    this.times.push(time);
    this.from.push(from);
    this.to.push(to);
    this.sizes.push(frames > 0.5 ? (from + to) / frames : null);
    if (this.times.length > SAMPLES) {
      for (const list of [this.times, this.from, this.to, this.sizes]) list.shift();
    }
  }
}

const nothing = new History();

export function historyOf(name) {
  return histories.get(name) || nothing;
}

function keep(status) {
  const now = Date.now();
  const names = new Set();
  for (const link of status.links) {
    names.add(link.name);
    if (!histories.has(link.name)) histories.set(link.name, new History());
    histories.get(link.name).add(now, link);
  }
  for (const name of histories.keys()) if (!names.has(name)) histories.delete(name);
}

// A slow line or a large host is asked more seldom: at least half of the time is a pause.
async function askOnce() {
  if (asking) return;
  asking = true;
  const began = performance.now();
  let problem = null;
  try {
    latest = await get("/v1/status");
    keep(latest);
  } catch (error) {
    problem = error;
  }
  asking = false;
  for (const listener of [...listeners]) listener(latest, problem);
  schedule(Math.max(PAUSE_MS, performance.now() - began));
}

function schedule(ms) {
  clearTimeout(timer);
  if (listeners.size && !document.hidden) timer = setTimeout(askOnce, ms);
}

document.addEventListener("visibilitychange", () => schedule(0));

// Calls `listener(status, problem)` now, if there is one to show, and at each answer. Returns how to stop.
export function watchStatus(listener) {
  listeners.add(listener);
  if (latest) listener(latest, null);
  schedule(0);
  return () => listeners.delete(listener);
}

export function forgetStatus() {
  latest = null;
  histories.clear();
}
