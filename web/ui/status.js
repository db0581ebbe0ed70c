// The status, asked for about once a second while somebody looks, and the rates of each link: every
// second since, and every ten seconds of the time before, which the host keeps.

import { get } from "./api.js";

const PAUSE_MS = 1000;
const SECONDS = 300; // samples of the first kind
const STEP_MS = 10000;
const STEPS = 360; // of the other

const listeners = new Set();
const histories = new Map(); // link name -> History
let latest = null;
let timer = 0;
let asking = false;
let steppedAt = 0; // when the last sample of ten seconds was taken
let stale = true; // nobody looked for a while: the host knows what was
let filling = false;
let closeUp = ""; // the link whose whole hour is wanted; of the others ten minutes

class Samples {
  constructor(max) {
    this.max = max;
    this.times = [];
    this.from = []; // bytes a second; NaN: not known
    this.to = [];
    this.sizes = []; // bytes of a frame, on average; null: there was none
  }

  add(time, from, to, frames) {
    this.times.push(time);
    this.from.push(from);
    this.to.push(to);
    this.sizes.push(frames > 0.05 ? (from + to) / frames : null);
    if (this.times.length > this.max)
      for (const list of [this.times, this.from, this.to, this.sizes]) list.shift();
  }
}

class History {
  constructor() {
    this.recent = new Samples(SECONDS);
    this.past = new Samples(STEPS);
  }

  // What there is of the last `ms`: seconds, and tens of seconds before the first of them.
  last(ms) {
    const { recent, past } = this;
    const begin = Date.now() - ms;
    const first = recent.times.length ? recent.times[0] : Infinity;
    const all = new Samples(Infinity);
    for (const [list, until] of [[past, first], [recent, Infinity]])
      list.times.forEach((time, i) => {
        if (time < begin || time >= until) return;
        for (const key of ["times", "from", "to", "sizes"]) all[key].push(list[key][i]);
      });
    return all;
  }
}

const nothing = new History();

export function historyOf(name) {
  return histories.get(name) || nothing;
}

function ownHistory(name) {
  if (!histories.has(name)) histories.set(name, new History());
  return histories.get(name);
}

function addNow(samples, time, rates, window) {
  if (!rates) samples.add(time, 0, 0, 0);
  else samples.add(time, rates.from_guest.bytes[window], rates.to_guest.bytes[window],
    rates.from_guest.frames[window] + rates.to_guest.frames[window]);
}

function keep(status) {
  const now = Date.now();
  const stepped = now - steppedAt >= STEP_MS;
  const names = new Set();
  for (const link of status.links) {
    const { recent, past } = ownHistory(link.name);
    names.add(link.name);
    addNow(recent, now, link.rates, 0);
    if (stepped) addNow(past, now, link.rates, 1);
  }
  for (const name of histories.keys()) if (!names.has(name)) histories.delete(name);
  if (now - steppedAt > 3 * STEP_MS) stale = true;
  if (stepped) steppedAt = now;
  if (stale && !filling) fill();
}

const known = (value) => (value === null ? NaN : value);

// As the host's clock says, if it says what ours does.
function endOf(told) {
  return Math.abs(Date.now() - told * 1000) < 2 * STEP_MS ? told * 1000 : Date.now();
}

function fillOne(name, { end, step }, from, to, frames) {
  const past = new Samples(STEPS);
  const n = from.length;
  for (let i = 0; i < n; i++)
    past.add(endOf(end) - (n - 1 - i) * step * 1000, known(from[i]), known(to[i]), frames(i));
  ownHistory(name).past = past;
}

async function fillCloseUp(name) {
  const told = await get(`/v1/links/${name}/series`);
  const { from_guest: from, to_guest: to } = told;
  fillOne(name, told, from.bytes, to.bytes, (i) => from.frames[i] + to.frames[i]);
}

// Without it, plots begin with what comes from now on.
async function fill() {
  filling = true;
  stale = false;
  try {
    if (!closeUp) {
      const told = await get("/v1/series");
      for (const link of told.links) fillOne(link.name, told, link.from_guest, link.to_guest, () => 0);
    } else {
      await fillCloseUp(closeUp);
    }
  } catch {
    // the status says what is wrong
  }
  filling = false;
  for (const listener of [...listeners]) if (latest) listener(latest, null);
}

// The whole hour of this link is wanted from here on; "" for none.
export function lookClosely(name) {
  closeUp = name;
  stale = true;
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
  stale = true;
  histories.clear();
}
